"""Random lambdas give compiled what Python gives, which is asked beside them: values, types and exceptions."""

import random
import unittest
import warnings

from support import ContextTest

from vonk import JobError
from vonk.trace import _vonk

CASES = 400

# fmt: off
ROWS = {
    "text": ["", " ", "abc", "A b  C", "ünïcödé", "ß", "İstanbul", "ΑΣ", "ﬁx", "123", "-5", " 42 ", "1_000", "１２３",
             "²", "nan", "1e5", "a,b,,c", "\t\n\x0b", "\u00a0x\u2003", "\x1c", "😀", "a\u0301", "\0"],
    "int": [0, 1, -1, 2, -7, 10, 255, 2**31, -(2**31), 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 10**30],
    "float": [0.0, -0.0, 1.5, -2.5, 1e300, 5e-324, float("inf"), float("nan"), 2.0**53, 0.1, 1e16, -7.0],
    "any": ["a", 1, 2.5, None, True, (1, "a"), ()],
    "pair": [("a b", 1), ("", -3), ("ß", 2**62), ("12", 0), ("x", None)],
}
# fmt: on

#: What a row of each kind gives for the letters in a rule.
LEAVES = {
    "text": {"s": "x", "i": "len(x)", "f": "0.5"},
    "int": {"s": "str(x)", "i": "x", "f": "0.5"},
    "float": {"s": "str(x)", "i": "3", "f": "x"},
    "any": {"s": "x", "i": "x", "f": "x"},
    "pair": {"s": "x[0]", "i": "x[1]", "f": "2.0"},
}

#: Expressions of each kind: S, I, F and B stand for others, C and K for a constant text and number.
RULES = {
    "s": "S.strip(); S.lstrip(C); S.rstrip(None); S.lower(); S.upper(); S.replace(C,C); S.replace(C,S,K); (S+S); "
    "(S*K); str(I); str(F); str(B); S[K]; S[K:]; S[:K]; S.split()[K]; S.split(C)[K]; S.split(C,K)[K]; "
    "(S if B else S); min(S,S); (S or S)",
    "i": "len(S); S.find(C); S.count(S); S.find(C,K); int(S); int(F); (I+I); (I-I); (I*I); (I//I); (I%I); (I**2); "
    "(-I); abs(I); (I&K); (B+B); max(I,I); (I if B else I); (I and I)",
    "f": "(I/I); (F/I); float(S); float(I); (F+I); (F-F); (F*F); (F//I); (F%F); (F**2); (-F); abs(F); min(F,I); "
    "(F if B else F)",
    "b": "(S<S); (I<=I); (F>I); (F!=F); (S==S); (S in S); (C not in S); (I in (K,C,K)); S.startswith(C); "
    "S.endswith((C,C)); S.isdigit(); S.isalpha(); S.isalnum(); S.isspace(); (not S); (B and B); (B or B); bool(F); "
    "(S==None)",
}
TEXTS = ["''", "'a'", "' '", "','", "'ß'", "'A'", "'1'", "'\\u0301'", "'ab'"]
NUMBERS = ["0", "1", "2", "-1", "-2", "5", "63"]


def expression(chance, kind, depth, leaves):
    """A random expression in `x` of a kind: text, whole number, float, or bool."""
    if depth == 0 and kind in leaves:
        return leaves[kind]
    rule = chance.choice(RULES[kind].split("; "))
    parts = []
    for letter in rule:
        if letter in "SIFB":
            inner = max(depth - 1, 0)
            parts.append(expression(chance, letter.lower(), inner, {"b": "True", **leaves}))
        elif letter in "CK":
            parts.append(chance.choice(TEXTS if letter == "C" else NUMBERS))
        else:
            parts.append(letter)
    return "".join(parts)


def outcome(call):
    """What a call gives, told apart by types and signs, or the name of its exception."""
    try:
        return repr(call())
    except JobError as error:
        return type(error.cause).__name__
    except Exception as error:  # noqa: BLE001 - whatever it is, both have to raise it
        return type(error).__name__


@unittest.skipUnless(_vonk, "the compiled part is not there")
class RandomTraceTest(ContextTest):
    def test_values_and_exceptions_are_those_of_python(self):
        chance = random.Random(2026)
        compiled = 0
        for _ in range(CASES):
            kind = chance.choice(list(ROWS))
            rows = chance.choices(ROWS[kind], k=6)
            text = expression(chance, chance.choice("sifb"), chance.randint(1, 3), LEAVES[kind])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                function = eval(f"lambda x: ({text}, x)")
            rdd = self.sc.parallelize(rows, 1).map(function)
            wanted = outcome(lambda rows=rows, function=function: [function(row) for row in rows])
            with self.subTest(function=text, rows=rows):
                self.assertEqual(outcome(rdd.collect), wanted)
            compiled += rdd._node.remark is None
        self.assertGreater(compiled, CASES // 5)

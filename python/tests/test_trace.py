"""Traced steps give what Python gives, in the same order, or leave it to Python."""

import bz2
import gzip
import operator
import unittest

from support import ContextTest

from vonk import JobError, SparkConf, SparkContext
from vonk.trace import _vonk

TEXT = b"""the quick brown fox
jumps over the lazy dog
  the end
caf\xc3\xa9,1,2.5
x,-7,3.0

the,41,1e300
"""


def rows(sc, path):
    """Named RDDs, each of which can be compiled as a whole."""
    text = sc.textFile(path, 3)
    words = text.flatMap(lambda line: line.split(" "))
    numbers = sc.parallelize([5, -3, 0, 7, -7, 2**40, 12, -1], 3)
    floats = sc.parallelize([0.5, -2.25, 1e16, 3.0, 1e-7, 123456789.125], 2)
    yield "words", words.map(lambda w: (w, 1)).reduceByKey(lambda a, b: a + b)
    yield "added", words.map(lambda w: (w, len(w))).reduceByKey(operator.add, 5)
    yield "longer", words.map(lambda w: (w * 4, 1)).reduceByKey(lambda a, b: a + b)
    yield "halves", words.map(lambda w: (w, 0.5)).reduceByKey(lambda a, b: a + b)
    yield (
        "kinds",
        words.map(lambda w: (w * 3, len(w) if w < "k" else 0.5)).reduceByKey(lambda a, b: a + b),
    )
    yield "longest", words.map(lambda w: (len(w), w)).reduceByKey(max)
    yield "joined", words.map(lambda w: (w[:1], w)).reduceByKey(lambda a, b: a + "," + b)
    yield "distinct", words.distinct()
    yield "blanks", text.flatMap(lambda line: line.split())
    yield "cases", words.map(lambda w: (w.upper(), w.lower(), w.strip(), w.find("e"), w.count("o")))
    yield (
        "letters",
        words.flatMap(lambda w: w).map(lambda c: (c, 1)).reduceByKey(lambda a, b: a + b),
    )
    yield "slices", text.map(lambda line: (line[1:], line[:-1], line[2:5], line[-3:]))
    yield "filter", words.filter(lambda w: w and not w.startswith(("t", "x")) and 2 < len(w) <= 5)
    yield "arms", words.map(lambda w: "e" in w if len(w) > 3 else w in ("fox", "dog"))
    yield "keys", words.keyBy(len).mapValues(str.upper).keys()
    yield (
        "division",
        numbers.map(lambda n: (n // 3, n % 3, n // -3, n % -3, n / 4, -n, abs(n), n * 2 - 1)),
    )
    yield "truth", numbers.map(lambda n: (n and 1, n or "none", not n, bool(n), n == 5.0, n != 0))
    yield "floats", floats.map(lambda x: (str(x), int(x), x % 0.75, x * 3, x < 3, float(str(x))))
    yield (
        "mixed keys",
        sc.parallelize([1, 1.0, True, "1", None, (1, "a"), (1.0, "a")], 2)
        .map(lambda x: (x, 1))
        .reduceByKey(lambda a, b: a + b),
    )
    yield "fields", text.filter(lambda line: line.count(",") == 2).map(parsed)


def parsed(line):
    name, whole, real = line.split(",")
    if len(name) == 4:
        return (name, int(whole) + 1)
    return (name, float(real))


@unittest.skipIf(_vonk is None, "the package has no compiled part")
class TraceTest(ContextTest):
    def setUp(self):
        self.text = self.file("text.txt", TEXT)

    def python(self, make):
        """What `make(sc)` gives without tracing."""
        self.sc._conf.set("vonk.rdd.trace", "false")
        try:
            return make(self.sc)
        finally:
            self.sc._conf.set("vonk.rdd.trace", "true")

    def test_compiled_rows_are_those_of_python_in_order(self):
        expected = self.python(lambda sc: {n: r.glom().collect() for n, r in rows(sc, self.text)})
        for name, rdd in rows(self.sc, self.text):
            held = rdd.collect()
            self.assertIsNone(rdd._node.remark, name)
            self.assertEqual(repr(held), repr(sum(expected[name], [])), name)
            self.assertEqual(repr(rdd.glom().collect()), repr(expected[name]), name)
            self.assertEqual(rdd.count(), len(held), name)
            self.assertEqual(rdd.take(3), held[:3], name)

    def test_word_count_is_compiled_as_a_whole(self):
        counts = self.sc.textFile(self.text).flatMap(lambda line: line.split(" "))
        counts = counts.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
        self.assertEqual(dict(counts.collect())["the"], 3)
        self.assertIsNotNone(counts._node.held)

    def test_packed_files_and_odd_line_ends(self):
        for name, content in {
            "t.gz": gzip.compress(TEXT * 3),
            "t.bz2": bz2.compress(TEXT),
            "cr.txt": b"a\rb\r\nc\n\rd",
            "bad.txt": b"a\xff\xe2\x82b\n",
        }.items():
            path = self.file(name, content)
            expected = self.python(lambda sc: sc.textFile(path, 3).map(len).collect())
            rdd = self.sc.textFile(path, 3).map(len)
            self.assertEqual(rdd.collect(), expected, name)
            self.assertIsNone(rdd._node.remark)

    def test_what_python_alone_keeps_is_redone(self):
        def check(make, reason):
            rdd = make(self.sc)
            self.assertEqual(rdd.collect(), self.python(lambda sc: make(sc).collect()))
            self.assertIn(reason, rdd._node.remark)

        big = 2**62
        check(lambda sc: sc.parallelize([1, big]).map(lambda x: x * 4), "64 bits")
        check(lambda sc: sc.parallelize(["\u0590x"]).map(lambda x: x.upper()), "case")
        check(lambda sc: sc.parallelize([None, 1]).map(lambda x: x is None), "IS_OP")
        check(lambda sc: sc.parallelize([1]).map(lambda x: f"{x}"), "compute")
        pairs = [("a", 2**63 - 1), ("a", 1)]
        check(lambda sc: sc.parallelize(pairs).reduceByKey(lambda a, b: a + b), "64 bits")

    def test_exceptions_are_those_of_python(self):
        for function in (
            int,
            lambda x: x[9],
            lambda x: x + 1,
            lambda x: (int(x), 1)[1],
            lambda x: x.nothing,
        ):
            with self.assertRaises(JobError) as caught:
                self.sc.parallelize(["a"]).map(function).collect()
            self.assertIn("Traceback", str(caught.exception))

    def test_functions_that_do_more_than_compute_are_not_traced(self):
        calls = []

        def noted(x):
            calls.append(x)
            return x

        for function in (noted, lambda x: repr(x), lambda x: [y for y in x], lambda x: {x: 1}):
            rdd = self.sc.parallelize(["a"]).map(function)
            rdd.count()
            self.assertIsNotNone(rdd._node.remark)
        self.assertEqual(calls, [])

    def test_sums_and_reductions(self):
        numbers = self.sc.parallelize([3, 1, 2], 2).map(lambda x: x * 2)
        self.assertEqual((numbers.sum(), numbers.max(), numbers.min()), (12, 6, 2))
        self.assertEqual(numbers.reduce(lambda a, b: a * b), 48)
        with self.assertRaises(ValueError):
            numbers.filter(lambda x: x > 100).reduce(lambda a, b: a + b)

    def test_explain_says_what_is_compiled(self):
        from vonk import trace

        rdd = self.sc.textFile(self.text).map(lambda x: (x, 1)).reduceByKey(lambda a, b: a + b)
        mixed = rdd.map(lambda pair: f"{pair}")
        mixed.count()
        text = trace.explain(self.sc, mixed._node)
        self.assertIn("Python: its code does more than compute", text)
        self.assertRegex(text, r"reduceByKey\[\d+\]: compiled")

    def test_kept_rows_are_held_compiled(self):
        lines = self.sc.textFile(self.text).map(lambda x: x.strip()).cache()
        self.assertEqual(lines.count(), 7)
        self.assertIsNotNone(lines._node.held)
        self.assertEqual(lines.filter(lambda x: x == "the end").count(), 1)
        self.assertEqual(lines.map(lambda x: f"<{x}>").first(), "<the quick brown fox>")


class SettingTest(unittest.TestCase):
    def test_tracing_can_be_turned_off(self):
        conf = SparkConf().setMaster("local[2]").set("vonk.rdd.trace", "false")
        with SparkContext(conf=conf) as sc:
            rdd = sc.range(3).map(lambda x: (x, 1)).reduceByKey(lambda a, b: a + b)
            self.assertEqual(rdd.collect(), [(0, 1), (2, 1), (1, 1)])
            self.assertIsNone(rdd._node.held)

"""Recording what a function does with its arguments, as a tree that compiled code runs.

The function is called with values that record each operator and method. Where it asks whether one is
true, it is called again for each answer, and the trees of both become an `if`.
"""

from __future__ import annotations

import builtins
import dis
import operator
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from vonk.trace.safety import Untraceable, check, is_constant

Tree = tuple[Any, ...]

#: The most ways through a function; one with more has better be run than traced.
_PATHS_MAX = 64

_METHODS = frozenset(
    "split strip lstrip rstrip lower upper startswith endswith replace find count "
    "isdigit isalpha isalnum isspace".split()
)

#: Whole numbers that compiled code has.
_INT_BOUND = 1 << 63


class _Paths:
    """The answers to questions for truth on the way through a function, in the order of asking."""

    def __init__(self, answers: list[bool]):
        self.answers = answers
        self.questions: list[Tree] = []
        #: Every tree that was made on the way, whether it is a part of the result or not.
        self.made: list[Tree] = []

    def ask(self, tree: Tree) -> bool:
        """The answer of this way; the first that was not asked before is True."""
        at = len(self.questions)
        self.questions.append(tree)
        if at == len(self.answers):
            self.answers.append(True)
        return self.answers[at]


class Recorder:
    """A value that records what is done with it."""

    __slots__ = ("_tree", "_paths")
    _tree: Tree
    _paths: _Paths
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, tree: Tree, paths: _Paths):
        object.__setattr__(self, "_tree", tree)
        object.__setattr__(self, "_paths", paths)
        paths.made.append(tree)

    def __getattr__(self, name: str) -> Callable[..., Recorder]:
        if name not in _METHODS:
            raise Untraceable(f"`.{name}` is not compiled")

        def call(*arguments: Any, **named: Any) -> Recorder:
            if named:
                raise Untraceable(f"`.{name}` with named arguments is not compiled")
            trees = [tree_of(argument) for argument in arguments]
            return Recorder(("method", name, self._tree, *trees), self._paths)

        return call

    def __setattr__(self, name: str, value: Any) -> None:
        raise Untraceable("it changes its argument")

    def __getitem__(self, key: Any) -> Recorder:
        if isinstance(key, slice):
            bounds = (key.start, key.stop)
            if key.step is not None or not all(b is None or type(b) is int for b in bounds):
                raise Untraceable("a slice whose bounds are not constant")
            return Recorder(("slice", self._tree, *bounds), self._paths)
        return Recorder(("index", self._tree, tree_of(key)), self._paths)

    def __iter__(self) -> Iterator[Recorder]:
        count = _unpacked_count(sys._getframe(1))
        parts = [Recorder(("unpack", self._tree, count, i), self._paths) for i in range(count)]
        return iter(parts)

    def __contains__(self, item: Any) -> bool:
        return self._paths.ask(("contains", self._tree, tree_of(item)))

    def __bool__(self) -> bool:
        return self._paths.ask(self._tree)

    def __neg__(self) -> Recorder:
        return Recorder(("neg", self._tree), self._paths)

    def __abs__(self) -> Recorder:
        return Recorder(("abs", self._tree), self._paths)


def _unpacked_count(frame: types.FrameType) -> int:
    """Into how many names the running instruction of a frame unpacks a value."""
    for instruction in dis.get_instructions(frame.f_code):
        if instruction.offset == frame.f_lasti and instruction.opname.startswith("UNPACK_SEQUENCE"):
            return int(instruction.arg or 0)
    raise Untraceable("it iterates over its argument")


def _binary(name: str) -> tuple[Callable[..., Recorder], Callable[..., Recorder]]:
    def forward(self: Recorder, other: Any) -> Recorder:
        return Recorder((name, self._tree, tree_of(other)), self._paths)

    def backward(self: Recorder, other: Any) -> Recorder:
        return Recorder((name, tree_of(other), self._tree), self._paths)

    return forward, backward


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor"):
    _forward, _backward = _binary(_name)
    setattr(Recorder, f"__{_name}__", _forward)
    setattr(Recorder, f"__r{_name}__", _backward)
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Recorder, f"__{_name}__", _binary(_name)[0])


def _refuse(self: Recorder, *_: Any) -> Any:
    raise Untraceable("it needs a real value")


for _name in "len int float str repr format index complex round call enter bytes next".split():
    setattr(Recorder, f"__{_name}__", _refuse)


def _unary(name: str, real: Any) -> Callable[..., Any]:
    def apply(*arguments: Any, **named: Any) -> Any:
        if len(arguments) == 1 and not named and isinstance(arguments[0], Recorder):
            return Recorder((name, arguments[0]._tree), arguments[0]._paths)
        return real(*arguments, **named)

    return apply


def _extreme(name: str, real: Any) -> Callable[..., Any]:
    def apply(*arguments: Any, **named: Any) -> Any:
        recorders = [a for a in arguments if isinstance(a, Recorder)]
        if not recorders:
            return real(*arguments, **named)
        if len(arguments) != 2 or named:
            raise Untraceable(f"`{real.__name__}` of other than two values is not compiled")
        first, second = (tree_of(argument) for argument in arguments)
        return Recorder(("if", (name, second, first), second, first), recorders[0]._paths)

    return apply


#: Built-in functions in whose place the traced function gets these, which record.
REPLACED: dict[str, Callable[..., Any]] = {
    "len": _unary("len", len),
    "int": _unary("int", int),
    "float": _unary("float", float),
    "str": _unary("str", str),
    "bool": _unary("bool", bool),
    "abs": _unary("abs", abs),
    "max": _extreme("gt", max),
    "min": _extreme("lt", min),
}

#: Functions without Python code that are known by themselves.
_KNOWN: dict[Any, Callable[..., Any]] = {
    **{getattr(builtins, name): recording for name, recording in REPLACED.items()},
    **{getattr(str, name): lambda x, *a, name=name: getattr(x, name)(*a) for name in _METHODS},
    operator.add: lambda a, b: a + b,
    operator.sub: lambda a, b: a - b,
    operator.mul: lambda a, b: a * b,
    operator.neg: lambda a: -a,
}


def tree_of(value: Any) -> Tree:
    """The tree of what a traced function holds: recorded, made of recorded values, or constant.

    >>> tree_of((1, "a"))
    ('const', (1, 'a'))
    """
    if isinstance(value, Recorder):
        return value._tree
    if is_constant(value):
        return ("const", _bounded(value))
    if type(value) in (tuple, list):
        return (type(value).__name__, *(tree_of(item) for item in value))
    raise Untraceable(f"it makes a value of type `{type(value).__name__}`")


def _bounded(value: Any) -> Any:
    """The value, if compiled code can hold it."""
    if type(value) is tuple:
        return tuple(_bounded(item) for item in value)
    if type(value) is int and not -_INT_BOUND <= value < _INT_BOUND:
        raise Untraceable("it uses a whole number of over 64 bits")
    return value


def trace(function: Any, arguments: int = 1) -> Tree:
    """The tree of a function of so many arguments.

    >>> trace(lambda word: (word, 1))
    ('tuple', ('arg', 0), ('const', 1))
    """
    call = _callable(function, arguments)
    paths = 0

    def explore(answers: list[bool]) -> Tree:
        """The tree of all ways that begin with these answers."""
        nonlocal paths
        paths += 1
        if paths > _PATHS_MAX:
            raise Untraceable("there are too many ways through it")
        way = _Paths(list(answers))
        recorders = [Recorder(("arg", i), way) for i in range(arguments)]
        tree = _with_unused(_called(call, recorders), way)
        # Each question beyond the given answers was answered by True; its other side is explored.
        for at in range(len(way.questions) - 1, len(answers) - 1, -1):
            other = explore([*way.answers[:at], False])
            tree = ("if", way.questions[at], tree, other)
        return tree

    return explore([])


def _with_unused(result: Tree, way: _Paths) -> Tree:
    """The result, after what was computed on the way and then not used: it might have failed."""
    used: set[int] = set()
    stack: list[Any] = [result, *way.questions]
    unused = []
    for made in [None, *reversed(way.made)]:
        if made is not None and id(made) not in used and made[0] != "arg":
            unused.append(made)
            stack.append(made)
        while stack:
            tree = stack.pop()
            if isinstance(tree, tuple) and id(tree) not in used:
                used.add(id(tree))
                stack.extend(tree)
    return ("then", *reversed(unused), result) if unused else result


def _called(call: Callable[..., Any], recorders: list[Recorder]) -> Tree:
    try:
        return tree_of(call(*recorders))
    except Untraceable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it raises, it will raise in Python too
        raise Untraceable(f"tracing it raised {type(error).__name__}") from None


def _callable(function: Any, arguments: int) -> Callable[..., Any]:
    """What is called in the place of the function."""
    try:
        known = _KNOWN.get(function)
    except TypeError:
        known = None
    if known is not None:
        return known
    if type(function) is not types.FunctionType:
        raise Untraceable(f"a `{type(function).__name__}` is not traced")
    required = function.__code__.co_argcount - len(function.__defaults__ or ())
    if not required <= arguments <= function.__code__.co_argcount:
        raise Untraceable("it takes another number of arguments")
    check(function, REPLACED)
    scope = {**function.__globals__, "__builtins__": {**vars(builtins), **REPLACED}}
    return types.FunctionType(
        function.__code__, scope, function.__name__, function.__defaults__, function.__closure__
    )

"""Whether calling a function once with recording values can be seen by anybody: only then it is traced.

A function may be traced if its code only computes: it loads its arguments, constants, and a few
built-in functions, and stores nothing but local names. All else is left to the workers.
"""

from __future__ import annotations

import builtins
import dis
import types
from typing import Any


class Untraceable(Exception):
    """The function needs real values, or does more than compute."""


#: Beginnings of the names of instructions that only compute, in all versions of Python from 3.10 on.
_ALLOWED = (
    "LOAD_FAST",
    "LOAD_CONST",
    "LOAD_SMALL_INT",
    "LOAD_DEREF",
    "LOAD_CLOSURE",
    "LOAD_GLOBAL",
    "LOAD_ATTR",
    "LOAD_METHOD",
    "STORE_FAST",
    "BINARY_",
    "INPLACE_",
    "UNARY_",
    "COMPARE_OP",
    "CONTAINS_OP",
    "TO_BOOL",
    "BUILD_TUPLE",
    "BUILD_LIST",
    "BUILD_SLICE",
    "LIST_EXTEND",
    "LIST_TO_TUPLE",
    "UNPACK_SEQUENCE",
    "CALL",
    "PRECALL",
    "PUSH_NULL",
    "KW_NAMES",
    "POP_TOP",
    "POP_JUMP_",
    "JUMP_FORWARD",
    "JUMP_IF_",
    "NOT_TAKEN",
    "RETURN_VALUE",
    "RETURN_CONST",
    "COPY",
    "COPY_FREE_VARS",
    "SWAP",
    "DUP_TOP",
    "ROT_",
    "RESUME",
    "NOP",
    "CACHE",
    "EXTENDED_ARG",
    "MAKE_CELL",
)

_NEVER = ("CALL_FUNCTION_EX", "CALL_INTRINSIC")

#: Flags of code that is a generator or takes any number of arguments.
_ODD_FLAGS = 0x04 | 0x08 | 0x20 | 0x80 | 0x200

_CONSTANTS = (int, float, str, bool, type(None))


def check(function: types.FunctionType, replaced: dict[str, Any]) -> None:
    """Raises `Untraceable` if the function does more than compute.

    >>> check(lambda x: x + 1, {})
    >>> check(lambda x: print(x), {})
    Traceback (most recent call last):
    vonk.trace.safety.Untraceable: it uses `print`
    """
    code = function.__code__
    if code.co_flags & _ODD_FLAGS:
        raise Untraceable("it is a generator or takes any number of arguments")
    for instruction in dis.get_instructions(code):
        name = instruction.opname
        # `is` looks at the object itself, and so do the jumps of `is None`.
        if not name.startswith(_ALLOWED) or name.startswith(_NEVER) or name.endswith("_NONE"):
            raise Untraceable(f"its code does more than compute: {name}")
        if "%" in instruction.argrepr and name.startswith("BINARY_OP") or name == "BINARY_MODULO":
            _check_no_formats(code)
        if name.startswith("LOAD_GLOBAL"):
            _check_global(function, instruction.argval, replaced)
    for value in (*(function.__defaults__ or ()), *_closed_over(function)):
        if not is_constant(value):
            raise Untraceable(f"it uses a value of type `{type(value).__name__}`")


def _check_no_formats(code: types.CodeType) -> None:
    """A constant text before `%` would take a recording value for a dictionary."""
    if any(isinstance(constant, str) for constant in code.co_consts):
        raise Untraceable("it may format a text by `%`")


def _check_global(function: types.FunctionType, name: str, replaced: dict[str, Any]) -> None:
    missing = object()
    value = function.__globals__.get(name, missing)
    if value is missing:
        value = getattr(builtins, name, missing)
        if name in replaced:
            return
    if value is missing or not is_constant(value):
        raise Untraceable(f"it uses `{name}`")


def _closed_over(function: types.FunctionType) -> list[Any]:
    try:
        return [cell.cell_contents for cell in function.__closure__ or ()]
    except ValueError:
        raise Untraceable("it uses a name that has no value yet") from None


def is_constant(value: Any) -> bool:
    """Whether a value can never change.

    >>> is_constant((1, "a")), is_constant([1])
    (True, False)
    """
    if type(value) is tuple:
        return all(is_constant(item) for item in value)
    return type(value) in _CONSTANTS

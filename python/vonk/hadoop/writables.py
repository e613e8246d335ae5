"""Hadoop's Writables: what Python's values are in the bytes of its files, and back.

>>> int_class = named("org.apache.hadoop.io.IntWritable")
>>> int_class.encode(7).hex(), int_class.decode(b"\\0\\0\\0\\7", 0)
('00000007', (7, 4))
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from vonk.errors import not_supported
from vonk.hadoop import wire

#: The package of Hadoop's own classes.
PACKAGE = "org.apache.hadoop.io."


class Writable(NamedTuple):
    """A class by its full name; `decode` gives a value and where its bytes end."""

    name: str
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes, int], tuple[Any, int]]


def named(name: str) -> Writable:
    """The class of a name.

    >>> named("org.apache.hadoop.io.Text").decode(b"\\2hi", 0)
    ('hi', 3)
    >>> named("com.example.Point")
    Traceback (most recent call last):
        ...
    vonk.errors.NotSupported: the class `com.example.Point` is not supported: take one of `org.apache.hadoop.io`: ...
    """
    from vonk.hadoop import containers

    found = CLASSES.get(name) or containers.named(name)
    if found is None:
        known = [each.removeprefix(PACKAGE) for each in [*CLASSES, *containers.NAMES]]
        raise not_supported(
            f"the class `{name}`", f"take one of `{PACKAGE[:-1]}`: {', '.join(known)}"
        )
    return found


def inferred(value: Any) -> Writable:
    """The class that Spark writes a value of Python as.

    >>> [inferred(value).name.split(".")[-1] for value in (1, 2**31, 1.5, True, "a", b"a", None, {})]
    ['IntWritable', 'LongWritable', 'DoubleWritable', 'BooleanWritable', 'Text', 'BytesWritable', 'NullWritable', 'MapWritable']
    """
    for kind, short in _INFERRED:
        if isinstance(value, kind):
            break
    else:
        raise not_supported(
            f"a value of `{type(value).__name__}` in Hadoop's files",
            "map it to an int, float, bool, str, bytes, tuple, dict or None",
        )
    if short == "IntWritable" and not -(2**31) <= value < 2**31:
        short = "LongWritable"
    return named(PACKAGE + short)


#: Types in the order they are asked for: a bool is an int too.
_INFERRED: list[tuple[Any, str]] = [
    (bool, "BooleanWritable"),
    (int, "IntWritable"),
    (float, "DoubleWritable"),
    (str, "Text"),
    ((bytes, bytearray), "BytesWritable"),
    (dict, "MapWritable"),
    (tuple, "ArrayWritable"),
    (type(None), "NullWritable"),
]


def wrong_type(short: str, kinds: str, value: Any) -> TypeError:
    """The error for a value that a class does not take."""
    return TypeError(
        f"`{short}` takes {kinds}, and not `{type(value).__name__}`: {value!r:.60}\n"
        "hint: keys are of one class, and so are values; that of the first row, "
        "unless `keyClass` and `valueClass` say which"
    )


def _whole(short: str, layout: str, wider: str) -> Writable:
    """A class of whole numbers of fixed length."""
    shape = struct.Struct(layout)

    def encode(value: Any) -> bytes:
        if not isinstance(value, int) or isinstance(value, bool):
            raise wrong_type(short, "int", value)
        try:
            return shape.pack(value)
        except struct.error:
            raise ValueError(f"{value} does not fit `{short}`\nhint: {wider}") from None

    def decode(data: bytes, at: int) -> tuple[int, int]:
        return shape.unpack_from(data, at)[0], at + shape.size

    return Writable(PACKAGE + short, encode, decode)


def _variable(short: str, bits: int) -> Writable:
    """A class of whole numbers of variable length."""

    def encode(value: Any) -> bytes:
        if not isinstance(value, int) or isinstance(value, bool):
            raise wrong_type(short, "int", value)
        if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            raise ValueError(
                f"{value} does not fit `{short}`, which has {bits} bits\nhint: {_WIDER}"
            )
        return wire.vint_bytes(value)

    return Writable(PACKAGE + short, encode, wire.read_vint)


def _real(short: str, layout: str) -> Writable:
    """A class of floating-point numbers."""
    shape = struct.Struct(layout)

    def encode(value: Any) -> bytes:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise wrong_type(short, "float", value)
        return shape.pack(value)

    def decode(data: bytes, at: int) -> tuple[float, int]:
        return shape.unpack_from(data, at)[0], at + shape.size

    return Writable(PACKAGE + short, encode, decode)


def _encode_null(value: Any) -> bytes:
    if value is not None:
        raise wrong_type("NullWritable", "None", value)
    return b""


def _encode_bool(value: Any) -> bytes:
    if not isinstance(value, bool):
        raise wrong_type("BooleanWritable", "bool", value)
    return b"\1" if value else b"\0"


def _encode_text(value: Any) -> bytes:
    if not isinstance(value, str):
        raise wrong_type("Text", "str", value)
    return wire.text_bytes(value)


def _encode_bytes(value: Any) -> bytes:
    if not isinstance(value, (bytes, bytearray)):
        raise wrong_type("BytesWritable", "bytes", value)
    return wire.int_bytes(len(value)) + value


def _decode_bytes(data: bytes, at: int) -> tuple[bytearray, int]:
    size, at = wire.read_int(data, at)
    # PySpark gives them so.
    return bytearray(wire.take(data, at, size)), at + size


_WIDER = (
    "give `keyClass` or `valueClass` a wider class, such as `org.apache.hadoop.io.LongWritable`"
)
_WIDEST = "no class of whole numbers is wider; write the number as a str"

#: The plain classes, by their full names.
CLASSES: dict[str, Writable] = {
    each.name: each
    for each in (
        Writable(PACKAGE + "NullWritable", _encode_null, lambda data, at: (None, at)),
        Writable(
            PACKAGE + "BooleanWritable", _encode_bool, lambda data, at: (data[at] != 0, at + 1)
        ),
        _whole("ByteWritable", ">b", _WIDER),
        _whole("ShortWritable", ">h", _WIDER),
        _whole("IntWritable", ">i", _WIDER),
        _variable("VIntWritable", 32),
        _whole("LongWritable", ">q", _WIDEST),
        _variable("VLongWritable", 64),
        _real("FloatWritable", ">f"),
        _real("DoubleWritable", ">d"),
        Writable(PACKAGE + "Text", _encode_text, wire.read_text),
        Writable(PACKAGE + "BytesWritable", _encode_bytes, _decode_bytes),
    )
}

"""Writables that hold others: maps, which say what their parts are, and arrays, which do not."""

from __future__ import annotations

import re
from typing import Any

from vonk.errors import not_supported
from vonk.hadoop import wire, writables
from vonk.hadoop.writables import CLASSES, PACKAGE, Writable

#: The classes that maps know by a number of their own; all others are listed at the map's beginning.
_NUMBERS = {
    PACKAGE + "ArrayWritable": 0x81,
    PACKAGE + "BooleanWritable": 0x82,
    PACKAGE + "BytesWritable": 0x83,
    PACKAGE + "FloatWritable": 0x84,
    PACKAGE + "IntWritable": 0x85,
    PACKAGE + "LongWritable": 0x86,
    PACKAGE + "MapWritable": 0x87,
    PACKAGE + "NullWritable": 0x89,
    PACKAGE + "SortedMapWritable": 0x8B,
    PACKAGE + "Text": 0x8C,
    PACKAGE + "VIntWritable": 0x8E,
    PACKAGE + "VLongWritable": 0x8F,
}

#: The most classes that one map can list.
_LISTED_MAX = 127

#: The name of a program's own class of arrays, which begins with that of the elements.
_ARRAY_NAME = re.compile(r"(?:.*[.$])?(\w+)ArrayWritable")

#: The names of the classes here.
NAMES = tuple(PACKAGE + short for short in ("ArrayWritable", "MapWritable", "SortedMapWritable"))


def named(name: str) -> Writable | None:
    """The class of a name, if it is one of those here.

    Hadoop's arrays are read as a class that a program derives from `ArrayWritable`, which knows what the
    elements are. By custom its name says so.

    >>> pair = named("com.example.IntArrayWritable")
    >>> pair.decode(pair.encode((1, 2)), 0)
    ((1, 2), 12)
    """
    if name == NAMES[0]:
        return Writable(name, _encode_array, _decode_array)
    if name == NAMES[1]:
        return Writable(name, lambda value: _encode_map(value, is_sorted=False), _decode_map)
    if name == NAMES[2]:
        return Writable(name, lambda value: _encode_map(value, is_sorted=True), _decode_map)
    found = _ARRAY_NAME.fullmatch(name)
    short = found[1] if found else ""
    element = CLASSES.get(f"{PACKAGE}{short}Writable") or CLASSES.get(PACKAGE + short)
    return _array_of(name, element) if element else None


def _array_of(name: str, element: Writable) -> Writable:
    def encode(value: Any) -> bytes:
        if not isinstance(value, (tuple, list)):
            raise writables.wrong_type(name.rsplit(".", 1)[-1], "tuple", value)
        return wire.int_bytes(len(value)) + b"".join(map(element.encode, value))

    def decode(data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        count, at = wire.read_int(data, at)
        values = []
        for _ in range(count):
            value, at = element.decode(data, at)
            values.append(value)
        return tuple(values), at

    return Writable(name, encode, decode)


def _encode_array(value: Any) -> bytes:
    if not isinstance(value, tuple):
        raise writables.wrong_type("ArrayWritable", "tuple", value)
    parts = (writables.inferred(part).encode(part) for part in value)
    return wire.int_bytes(len(value)) + b"".join(parts)


def _decode_array(data: bytes, at: int) -> tuple[Any, int]:
    raise not_supported(
        "reading `org.apache.hadoop.io.ArrayWritable`, which does not tell what its elements are",
        "write arrays as a class such as `org.example.IntArrayWritable`, or as texts",
    )


def _encode_map(value: Any, is_sorted: bool) -> bytes:
    """How many classes are listed, these, how many entries there are, and these."""
    if not isinstance(value, dict):
        short = "SortedMapWritable" if is_sorted else "MapWritable"
        raise writables.wrong_type(short, "dict", value)
    listed: dict[str, int] = {}
    body = []
    for key in sorted(value) if is_sorted else value:
        for part in (key, value[key]):
            writable = writables.inferred(part)
            number = _NUMBERS.get(writable.name) or listed.setdefault(
                writable.name, len(listed) + 1
            )
            body += [bytes([number]), writable.encode(part)]
    names = [bytes([number]) + _name_bytes(name) for name, number in listed.items()]
    head = [bytes([len(names)]), *names, wire.int_bytes(len(value))]
    return b"".join(head + body)


def _decode_map(data: bytes, at: int) -> tuple[dict[Any, Any], int]:
    classes = dict(_BY_NUMBER)
    count, at = data[at], at + 1
    if count > _LISTED_MAX:
        raise EOFError(f"a map cannot list {count} classes")
    for _ in range(count):
        number = data[at]
        classes[number], at = _read_name(data, at + 1)
    size, at = wire.read_int(data, at)
    entries = {}
    for _ in range(size):
        key, at = _decode_part(data, at, classes)
        value, at = _decode_part(data, at, classes)
        entries[_hashed(key)] = value
    return entries, at


def _hashed(key: Any) -> Any:
    """A key that a dict takes."""
    if isinstance(key, dict):
        raise not_supported("a map whose keys are maps", "write maps with plain keys")
    if isinstance(key, tuple):
        return tuple(_hashed(part) for part in key)
    return bytes(key) if isinstance(key, bytearray) else key


def _decode_part(data: bytes, at: int, classes: dict[int, str]) -> tuple[Any, int]:
    name = classes.get(data[at])
    if name is None:
        raise EOFError(f"a map names the class {data[at]}, which it does not list")
    return writables.named(name).decode(data, at + 1)


def _name_bytes(name: str) -> bytes:
    data = name.encode("utf-8")
    return len(data).to_bytes(2, "big") + data


def _read_name(data: bytes, at: int) -> tuple[str, int]:
    size = int.from_bytes(wire.take(data, at, 2), "big")
    return wire.take(data, at + 2, size).decode("utf-8"), at + 2 + size


_BY_NUMBER = {number: name for name, number in _NUMBERS.items()}

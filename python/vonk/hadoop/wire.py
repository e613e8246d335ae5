"""The numbers of Hadoop's files: whole numbers of fixed and of variable length, and counted bytes."""

from __future__ import annotations

import struct

_INT = struct.Struct(">i")

#: A first byte from here on up is the number itself; below it, it tells sign and length.
_SMALL_MIN = -112

#: First bytes below this one belong to negative numbers.
_NEGATIVE = -120


def int_bytes(value: int) -> bytes:
    """Four bytes, the highest first."""
    return _INT.pack(value)


def read_int(data: bytes, at: int) -> tuple[int, int]:
    """A number of four bytes, and where it ends.

    >>> read_int(int_bytes(-2), 0)
    (-2, 4)
    """
    return _INT.unpack_from(data, at)[0], at + 4


def vint_bytes(value: int) -> bytes:
    """A number in as few bytes as it needs: one up to 127, and up to nine.

    >>> vint_bytes(127).hex(), vint_bytes(-129).hex()
    ('7f', '8780')
    """
    if _SMALL_MIN <= value <= 127:
        return (value & 0xFF).to_bytes(1, "big")
    first = _SMALL_MIN
    if value < 0:
        first, value = _NEGATIVE, ~value
    size = (value.bit_length() + 7) // 8
    return ((first - size) & 0xFF).to_bytes(1, "big") + value.to_bytes(size, "big")


def vint_size(first: int) -> int:
    """How many bytes a number has, by the first of them.

    >>> vint_size(0x7F), vint_size(0x87)
    (1, 2)
    """
    signed = first - 256 if first > 127 else first
    if signed >= _SMALL_MIN:
        return 1
    return 1 + (_NEGATIVE if signed < _NEGATIVE else _SMALL_MIN) - signed


def read_vint(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends.

    >>> read_vint(bytes.fromhex("8780"), 0)
    (-129, 2)
    """
    first = data[at]
    if first < 128:
        return first, at + 1
    size = vint_size(first)
    if size == 1:
        return first - 256, at + 1
    value = int.from_bytes(take(data, at + 1, size - 1), "big")
    return (~value if first - 256 < _NEGATIVE else value), at + size


def take(data: bytes, at: int, size: int) -> bytes:
    """So many bytes; an `EOFError` if there are not as many.

    >>> take(b"abc", 1, 2)
    b'bc'
    """
    if size < 0 or at + size > len(data):
        raise EOFError(f"{size} bytes are wanted where {len(data) - at} are left")
    return data[at : at + size]


def text_bytes(value: str) -> bytes:
    """A text in UTF-8 behind its length."""
    data = value.encode("utf-8")
    return vint_bytes(len(data)) + data


def read_text(data: bytes, at: int) -> tuple[str, int]:
    """A text, and where it ends; bytes that are no UTF-8 become `\\ufffd`.

    >>> read_text(text_bytes("né"), 0)
    ('né', 4)
    """
    size, at = read_vint(data, at)
    return take(data, at, size).decode("utf-8", "replace"), at + size

"""Reading SequenceFiles: the pairs of one split, which begins at a marker wherever the file is cut."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from vonk import files
from vonk.errors import NotSupported
from vonk.hadoop import codecs, sequence, wire, writables
from vonk.hadoop.sequence import Header
from vonk.hadoop.writables import Writable

#: What decoding raises where bytes are not what they should be.
_DAMAGE = (EOFError, IndexError, OSError, ValueError, struct.error, zlib.error)

#: The number that a marker begins with, where a length would be.
_ESCAPE = -1

_SEARCH_BYTES = 1 << 16


def read(split: files.Split) -> Iterator[tuple[Any, Any]]:
    """The pairs whose marker begins in the split; those before the first marker belong to the first split.

    That is the rule of Hadoop, so that every pair is in one split however a file is cut.
    """
    with files.open_raw(split.path) as file:
        source = _Source(file, split.path)
        header = _read_header(source)
        if split.start > source.at and not source.find(header.marker, split.start):
            return
        if source.at < split.end:
            read_all = _blocks if header.compression == "BLOCK" else _records
            yield from read_all(source, header, split.end)


class _Source:
    """A file that is read onward, and knows the place of what is wrong with it."""

    def __init__(self, file: BinaryIO, path: str):
        self._file, self.path, self.at = file, path, 0
        self._size = file.seek(0, os.SEEK_END)
        file.seek(0)

    def take(self, size: int) -> bytes:
        """The next bytes."""
        if size < 0:
            raise self.damaged(self.at, f"a length is {size}")
        # Asked before reading, which would first make room for a length that is not one.
        left = self._size - self.at
        if size > left:
            what = f"the file ends after {left} of {size} bytes that belong together"
            raise self.damaged(self.at, what)
        self.at += size
        return self._file.read(size)

    def number(self) -> int:
        """A number of four bytes."""
        return wire.read_int(self.take(4), 0)[0]

    def number_or_end(self) -> int | None:
        """A number of four bytes, or None if nothing follows."""
        return None if self.at == self._size else self.number()

    def vint(self) -> int:
        """A number of variable length."""
        first = self.take(1)
        return wire.read_vint(first + self.take(wire.vint_size(first[0]) - 1), 0)[0]

    def text(self) -> str:
        """A text behind its length."""
        return self.take(self.vint()).decode("utf-8", "replace")

    def sync(self, header: Header, begin: int) -> None:
        """The marker's second half, after the first one at `begin`."""
        if self.take(len(header.sync)) != header.sync:
            raise self.damaged(begin, "a marker is not that of the file's beginning")

    def find(self, marker: bytes, at: int) -> bool:
        """Goes to the first marker that begins at a place or after it; whether there is one."""
        self._file.seek(at)
        rest = b""
        while block := self._file.read(_SEARCH_BYTES):
            rest += block
            found = rest.find(marker)
            if found >= 0:
                self.at = at + found
                self._file.seek(self.at)
                return True
            at += max(len(rest) - len(marker) + 1, 0)
            rest = rest[-len(marker) + 1 :]
        return False

    def damaged(self, at: int, what: str) -> ValueError:
        """The error for bytes that are not as they should be."""
        return ValueError(
            f"{files.url(self.path)} is damaged at byte {at}: {what}\n"
            "hint: copy or write the file again; what is before this byte can be read"
        )

    def refused(self, at: int, what: object) -> NotSupported:
        """The error for something that vonk does not read."""
        return NotSupported(f"{files.url(self.path)}, at byte {at}: {what}")


def _read_header(source: _Source) -> Header:
    begin = source.take(4)
    if begin[:3] != sequence.MAGIC:
        raise ValueError(
            f"{files.url(source.path)} is not a SequenceFile: it begins with {begin!r} at byte 0\n"
            "hint: read text with `textFile`, and files of other formats as DataFrames"
        )
    if begin[3] != sequence.VERSION:
        raise source.refused(
            3,
            f"version {begin[3]} of SequenceFiles is not supported: "
            f"write the file again with Hadoop 1 or later, which writes version {sequence.VERSION}",
        )
    names = [source.text(), source.text()]
    is_packed, is_in_blocks = source.take(1) != b"\0", source.take(1) != b"\0"
    codec = source.text() if is_packed else ""
    for _ in range(source.number()):
        source.text(), source.text()
    compression = ("BLOCK" if is_in_blocks else "RECORD") if is_packed else "NONE"
    return Header(names[0], names[1], compression, codec, source.take(sequence.SYNC_BYTES))


def _classes(source: _Source, header: Header) -> tuple[Writable, Writable, codecs.Codec | None]:
    """What the header names: the classes of keys and values, and the codec if there is one."""
    try:
        return (
            writables.named(header.key_class),
            writables.named(header.value_class),
            codecs.named(header.codec) if header.codec else None,
        )
    except NotSupported as error:
        raise source.refused(len(sequence.MAGIC) + 1, error) from error


def _records(source: _Source, header: Header, end: int) -> Iterator[tuple[Any, Any]]:
    """Records until a marker that begins at the split's end or after it."""
    key_class, value_class, codec = _classes(source, header)
    begin = source.at
    while (size := source.number_or_end()) is not None:
        if size == _ESCAPE:
            if begin >= end:
                return
            source.sync(header, begin)
            begin = source.at
            continue
        key_size = source.number()
        if not 0 <= key_size <= size:
            raise source.damaged(begin, f"a key has {key_size} of a record's {size} bytes")
        data = source.take(size)
        key = _decode(source, begin, key_class, data[:key_size])
        value = data[key_size:]
        if codec:
            value = _unpack(source, begin, codec, value)
        yield key, _decode(source, begin, value_class, value)
        begin = source.at


def _blocks(source: _Source, header: Header, end: int) -> Iterator[tuple[Any, Any]]:
    """The pairs of the blocks that begin before the split's end."""
    key_class, value_class, codec = _classes(source, header)
    begin = source.at
    while begin < end and (escape := source.number_or_end()) is not None:
        if escape != _ESCAPE:
            raise source.damaged(begin, "a block begins without a marker")
        source.sync(header, begin)
        count = source.vint()
        packed = [source.take(source.vint()) for _ in range(4)]
        parts = [_unpack(source, begin, codec, data) if codec else data for data in packed]
        keys = _cut(source, begin, count, parts[0], parts[1])
        values = _cut(source, begin, count, parts[2], parts[3])
        for key, value in zip(keys, values):
            yield (
                _decode(source, begin, key_class, key),
                _decode(source, begin, value_class, value),
            )
        begin = source.at


def _cut(source: _Source, begin: int, count: int, sizes: bytes, data: bytes) -> list[bytes]:
    """The keys or values of a block, by their lengths."""
    parts = []
    sizes_at = at = 0
    try:
        while sizes_at < len(sizes):
            size, sizes_at = wire.read_vint(sizes, sizes_at)
            parts.append(wire.take(data, at, size))
            at += size
    except _DAMAGE as error:
        raise source.damaged(begin, f"the lengths of a block are wrong, {error}") from error
    if len(parts) != count or at != len(data):
        raise source.damaged(begin, f"a block has {len(parts)} parts where {count} are promised")
    return parts


def _unpack(source: _Source, begin: int, codec: codecs.Codec, data: bytes) -> bytes:
    try:
        return codec.unpack(data)
    except NotSupported as error:
        raise source.refused(begin, error) from error
    except _DAMAGE as error:
        raise source.damaged(begin, f"compressed bytes cannot be unpacked, {error}") from error


def _decode(source: _Source, begin: int, writable: Writable, data: bytes) -> Any:
    try:
        value, end = writable.decode(data, 0)
    except NotSupported as error:
        raise source.refused(begin, error) from error
    except _DAMAGE as error:
        raise source.damaged(begin, f"a record is no `{writable.name}`, {error}") from error
    if end != len(data):
        raise source.damaged(
            begin, f"a `{writable.name}` has {end} bytes, and its record {len(data)}"
        )
    return value

"""SequenceFiles: what their beginning says, and how pairs are written to them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

from vonk.hadoop import codecs, wire
from vonk.hadoop.writables import Writable

#: The first bytes of a file: three letters and the version.
MAGIC = b"SEQ"
VERSION = 6

#: What stands where a length does, before a marker.
ESCAPE = b"\xff\xff\xff\xff"

SYNC_BYTES = 16

#: Bytes of records after which a marker follows, as of Hadoop.
SYNC_INTERVAL = 5 * 1024 * (len(ESCAPE) + SYNC_BYTES)

#: Bytes of keys and values that are packed together, as of Hadoop.
_BLOCK_BYTES = 1_000_000

#: How files are compressed: not at all, each value, or many keys and values at once.
COMPRESSIONS = ("NONE", "RECORD", "BLOCK")


class Header(NamedTuple):
    """The beginning of a file; `sync` tells parts of a file from each other."""

    key_class: str
    value_class: str
    compression: str
    codec: str
    sync: bytes

    @property
    def marker(self) -> bytes:
        """What stands between records, so that a reader can begin there."""
        return ESCAPE + self.sync

    def to_bytes(self) -> bytes:
        """The header as it is in a file.

        >>> Header("a.Key", "a.Value", "NONE", "", b"0123456789abcdef").to_bytes()
        b'SEQ\\x06\\x05a.Key\\x07a.Value\\x00\\x00\\x00\\x00\\x00\\x000123456789abcdef'
        """
        parts = [MAGIC, bytes([VERSION])]
        parts += [wire.text_bytes(self.key_class), wire.text_bytes(self.value_class)]
        parts.append(bytes([self.compression != "NONE", self.compression == "BLOCK"]))
        if self.compression != "NONE":
            parts.append(wire.text_bytes(self.codec))
        no_metadata = wire.int_bytes(0)
        return b"".join([*parts, no_metadata, self.sync])


class Layout(NamedTuple):
    """How a file is to be written."""

    key: Writable
    value: Writable
    compression: str = "NONE"
    codec: str = codecs.DEFAULT


def write(file: BinaryIO, rows: Iterable[Any], layout: Layout, sync: bytes | None = None) -> None:
    """Writes pairs as a file; `sync` is random, so that no record has it by chance or on purpose.

    >>> import io
    >>> from vonk.hadoop import writables
    >>> file = io.BytesIO()
    >>> layout = Layout(writables.inferred(1), writables.inferred("a"))
    >>> write(file, [(1, "a")], layout, sync=b"0123456789abcdef")
    >>> file.getvalue()[-14:].hex()
    '0000000600000004000000010161'
    """
    header = Header(
        layout.key.name,
        layout.value.name,
        layout.compression,
        layout.codec,
        sync or os.urandom(SYNC_BYTES),
    )
    file.write(header.to_bytes())
    pairs = ((layout.key.encode(key), layout.value.encode(value)) for key, value in checked(rows))
    if layout.compression == "BLOCK":
        _write_blocks(file, pairs, header)
    else:
        _write_records(file, pairs, header)


def checked(rows: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """The rows, which have to be pairs.

    >>> list(checked([(1, 2), 3]))
    Traceback (most recent call last):
        ...
    TypeError: a row is no pair of a key and a value: 3
    hint: make pairs first, as `rdd.map(lambda row: (row, None))` does
    """
    for row in rows:
        if not isinstance(row, tuple) or len(row) != 2:
            raise TypeError(
                f"a row is no pair of a key and a value: {row!r:.60}\n"
                "hint: make pairs first, as `rdd.map(lambda row: (row, None))` does"
            )
        yield row


def _write_records(file: BinaryIO, pairs: Iterable[tuple[bytes, bytes]], header: Header) -> None:
    """A record is its length, the key's, the key, and the value."""
    pack = codecs.named(header.codec).pack if header.compression == "RECORD" else None
    at, last_sync = len(header.to_bytes()), 0
    for key, value in pairs:
        if at >= last_sync + SYNC_INTERVAL:
            file.write(header.marker)
            at += len(header.marker)
            last_sync = at
        if pack:
            value = pack(value)
        size = len(key) + len(value)
        file.write(wire.int_bytes(size) + wire.int_bytes(len(key)) + key + value)
        at += 8 + size


def _write_blocks(file: BinaryIO, pairs: Iterable[tuple[bytes, bytes]], header: Header) -> None:
    keys: list[bytes] = []
    values: list[bytes] = []
    size = 0
    for key, value in pairs:
        keys.append(key)
        values.append(value)
        size += len(key) + len(value)
        if size >= _BLOCK_BYTES:
            _write_block(file, keys, values, header)
            keys, values, size = [], [], 0
    if keys:
        _write_block(file, keys, values, header)


def _write_block(file: BinaryIO, keys: list[bytes], values: list[bytes], header: Header) -> None:
    """A marker, how many pairs there are, and packed: lengths of keys, keys, lengths of values, values."""
    pack = codecs.named(header.codec).pack
    file.write(header.marker + wire.vint_bytes(len(keys)))
    for parts in (keys, values):
        lengths = b"".join(wire.vint_bytes(len(part)) for part in parts)
        for data in (pack(lengths), pack(b"".join(parts))):
            file.write(wire.vint_bytes(len(data)) + data)

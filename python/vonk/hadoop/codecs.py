"""Hadoop's compression of parts of a SequenceFile: each part is packed as a whole."""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

from vonk.errors import not_supported
from vonk.hadoop import wire

#: Hadoop's package of codecs, and the codec where none is named.
PACKAGE = "org.apache.hadoop.io.compress."
DEFAULT = PACKAGE + "DefaultCodec"

#: Bytes that one piece of Snappy and LZ4 holds at most; Hadoop's buffers have 256 KiB.
_PIECE_BYTES = 128 << 10


class Codec(NamedTuple):
    """Packs and unpacks bytes."""

    pack: Callable[[bytes], bytes]
    unpack: Callable[[bytes], bytes]


def named(name: str) -> Codec:
    """The codec of a class's full or short name.

    >>> codec = named("org.apache.hadoop.io.compress.DefaultCodec")
    >>> codec.unpack(codec.pack(b"abc" * 100)) == b"abc" * 100
    True
    """
    codec = _CODECS.get(name.removeprefix(PACKAGE))
    if codec is None:
        raise not_supported(f"the codec `{name}`", f"take one of {', '.join(_CODECS)}")
    return codec


def full_name(name: str) -> str:
    """The full name of a codec's class, as files have it.

    >>> full_name("GzipCodec")
    'org.apache.hadoop.io.compress.GzipCodec'
    """
    named(name)
    # Hadoop's class of this name is another one's.
    short = name.removeprefix(PACKAGE)
    return DEFAULT if short == "DeflateCodec" else PACKAGE + short


def _arrow(name: str) -> Any:
    try:
        import pyarrow
    except ImportError as error:
        raise not_supported(
            f"the compression `{name}` without pyarrow", "run `pip install pyarrow`"
        ) from error
    return pyarrow.Codec(name)


def _pieces(name: str) -> Codec:
    """Hadoop's frame around codecs of pieces: how long it was, and then pieces behind their length."""

    def pack(data: bytes) -> bytes:
        codec = _arrow(name)
        packed = []
        for at in range(0, len(data), _PIECE_BYTES):
            piece = data[at : at + _PIECE_BYTES]
            small = codec.compress(piece, asbytes=True)
            packed += [wire.int_bytes(len(piece)), wire.int_bytes(len(small)), small]
        return b"".join(packed) or wire.int_bytes(0)

    def unpack(data: bytes) -> bytes:
        codec = _arrow(name)
        unpacked, at = [], 0
        while at < len(data):
            left, at = wire.read_int(data, at)
            while left > 0:
                size, at = wire.read_int(data, at)
                piece = _unpack_piece(codec, wire.take(data, at, size), left)
                unpacked.append(piece)
                left, at = left - len(piece), at + size
        return b"".join(unpacked)

    return Codec(pack, unpack)


def _unpack_piece(codec: Any, data: bytes, left: int) -> bytes:
    size = _snappy_size(data) if codec.name == "snappy" else _lz4_size(data)
    if size > left:
        raise ValueError(f"a piece has {size} bytes where {left} are left")
    return codec.decompress(data, decompressed_size=size, asbytes=True)


def _snappy_size(data: bytes) -> int:
    """How long a piece of Snappy is unpacked, which it begins with, seven bits a byte."""
    size = at = 0
    while data[at] >= 0x80:
        size |= (data[at] & 0x7F) << 7 * at
        at += 1
    return size | data[at] << 7 * at


def _lz4_size(data: bytes) -> int:
    """How long a piece of LZ4 is unpacked: the sum of its literals and of what they are followed by."""
    size = at = 0
    while at < len(data):
        token, at = data[at], at + 1
        literals, at = _lz4_length(data, at, token >> 4)
        at += literals
        size += literals
        # The last sequence has literals only.
        if at < len(data):
            copied, at = _lz4_length(data, at + 2, token & 15)
            size += copied + 4
    return size


def _lz4_length(data: bytes, at: int, length: int) -> tuple[int, int]:
    """A length that goes on in further bytes as long as these are full."""
    if length == 15:
        while data[at] == 255:
            length, at = length + 255, at + 1
        length, at = length + data[at], at + 1
    return length, at


def _pack_zstd(data: bytes) -> bytes:
    return _arrow("zstd").compress(data, asbytes=True)


def _unpack_zstd(data: bytes) -> bytes:
    _arrow("zstd")
    import pyarrow

    with pyarrow.CompressedInputStream(pyarrow.BufferReader(data), "zstd") as stream:
        return stream.read()


_ZLIB = Codec(zlib.compress, zlib.decompress)

#: The codecs by the short names of their classes.
_CODECS: dict[str, Codec] = {
    "DefaultCodec": _ZLIB,
    "DeflateCodec": _ZLIB,
    "GzipCodec": Codec(lambda data: gzip.compress(data, mtime=0), gzip.decompress),
    "BZip2Codec": Codec(bz2.compress, bz2.decompress),
    "SnappyCodec": _pieces("snappy"),
    "Lz4Codec": _pieces("lz4_raw"),
    "ZStandardCodec": Codec(_pack_zstd, _unpack_zstd),
}

"""Files as Hadoop's input formats see them: which there are, how they are cut, and their lines."""

from __future__ import annotations

import bz2
import glob
import gzip
import os
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

from vonk import stores

#: The most bytes of one split, as of Spark for local files.
SPLIT_BYTES_MAX = 32 << 20

#: The last split of a file may be this much larger, so that no tiny one follows.
_SLOP = 1.1

_BLOCK_BYTES = 1 << 20

#: The mark by which some editors begin UTF-8 files; it is no part of the text.
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

#: How packed files are opened, by the ending of their name.
_OPENERS: dict[str, Callable[[Any], Any]] = {".gz": gzip.open, ".bz2": bz2.open}


class Split(NamedTuple):
    """A part of a file: the lines that begin after `start` (or at 0) and not after `end`."""

    path: str
    start: int
    end: int


def local_path(path: str) -> str:
    """The path of a local file, from a path or a `file:` URL.

    >>> local_path("file:///tmp/a%20b")
    '/tmp/a b'
    """
    parts = urllib.parse.urlsplit(path)
    if parts.scheme == "file":
        return urllib.parse.unquote(parts.path)
    if "://" in path:
        raise ValueError(f"`{path}` is no local file\nhint: give a path on this machine")
    return path


def url(path: str) -> str:
    """The `file:` URL of a local path, as Spark words it; an address stays as it is.

    >>> url("/tmp/a"), url("hdfs://node/a")
    ('file:/tmp/a', 'hdfs://node/a')
    """
    if stores.is_remote(path):
        return path
    return "file:" + os.path.abspath(path)


def find(paths: str, recurse: bool = False) -> list[tuple[str, int]]:
    """The files at comma-separated paths, directories and globs, with their sizes, in order."""
    found: list[tuple[str, int]] = []
    for path in _split_paths(paths):
        if stores.is_remote(path):
            found.extend(stores.find(path))
            continue
        local = local_path(path)
        matches = sorted(glob.glob(local)) if glob.has_magic(local) else [local]
        matches = [m for m in matches if os.path.exists(m)]
        if glob.has_magic(local):
            matches = [m for m in matches if not os.path.basename(m).startswith(("_", "."))]
        if not matches:
            raise FileNotFoundError(f"Input path does not exist: {url(local)}")
        for match in matches:
            found.extend(_files_of(match, recurse))
    return found


def _split_paths(paths: str) -> Iterator[str]:
    """The parts between commas; those between braces belong to a glob."""
    depth, begin = 0, 0
    for at, letter in enumerate(paths + ","):
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth <= 0:
            part = paths[begin:at].strip()
            begin = at + 1
            if part:
                yield from _expand_braces(part)


def _expand_braces(path: str) -> Iterator[str]:
    """`a{b,c}` as `ab` and `ac`, which Python's glob does not know."""
    open_at = path.find("{")
    close_at = path.find("}", open_at)
    if open_at < 0 or close_at < 0:
        yield path
        return
    for choice in path[open_at + 1 : close_at].split(","):
        yield from _expand_braces(path[:open_at] + choice + path[close_at + 1 :])


def _files_of(path: str, recurse: bool) -> list[tuple[str, int]]:
    if not os.path.isdir(path):
        return [(path, os.path.getsize(path))]
    found = []
    for name in sorted(os.listdir(path)):
        inner = os.path.join(path, name)
        if name.startswith(("_", ".")):
            continue
        if not os.path.isdir(inner):
            found.append((inner, os.path.getsize(inner)))
        elif recurse:
            found.extend(_files_of(inner, recurse))
        else:
            raise IsADirectoryError(f"Not a file: {url(inner)}")
    return found


def splits(files: list[tuple[str, int]], min_partitions: int) -> list[Split]:
    """Cuts files as Hadoop's `FileInputFormat` does; empty files have no split.

    >>> [(s.start, s.end) for s in splits([("a.txt", 10)], 3)]
    [(0, 3), (3, 6), (6, 9), (9, 10)]
    """
    total = sum(size for _, size in files)
    goal = total // max(min_partitions, 1)
    return cut(files, max(1, min(goal, SPLIT_BYTES_MAX)))


def is_packed(path: str) -> bool:
    """Whether a file is compressed as a whole, which its ending tells."""
    return os.path.splitext(path)[1] in _OPENERS


def cut(
    files: list[tuple[str, int]], size_max: int, is_whole: Callable[[str], bool] = is_packed
) -> list[Split]:
    """Cuts files after so many bytes, but for those that have to be read as a whole.

    >>> [(s.start, s.end) for s in cut([("a.txt", 10), ("b.gz", 10)], 6)]
    [(0, 6), (6, 10), (0, 10)]
    """
    found = []
    for path, size in files:
        start = 0
        while not is_whole(path) and (size - start) / size_max > _SLOP:
            found.append(Split(path, start, start + size_max))
            start += size_max
        if start < size:
            found.append(Split(path, start, size))
    return found


def open_file(path: str) -> BinaryIO:
    """Opens a file for reading, unpacked."""
    opener = _OPENERS.get(os.path.splitext(path)[1])
    if opener is None:
        return open_raw(path)
    return opener(stores.open_file(path) if stores.is_remote(path) else path)


def open_raw(path: str) -> BinaryIO:
    """Opens a file for reading, as it is."""
    return stores.open_file(path) if stores.is_remote(path) else open(path, "rb")


def lines(split: Split) -> Iterator[str]:
    """The lines of a split; they end in `\\n`, `\\r\\n` or `\\r`. Bytes that are no UTF-8 become `\\ufffd`."""
    for begin, block in blocks(split):
        text = without_mark(begin, block).decode("utf-8", "replace")
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if text.endswith("\n"):
            text = text[:-1]
        yield from text.split("\n")


def without_mark(begin: int, text: bytes) -> bytes:
    r"""Text that begins at a place of its file, without the mark by which some editors begin files.

    >>> without_mark(0, b"\xef\xbb\xbfab")
    b'ab'
    """
    return text.removeprefix(_BYTE_ORDER_MARK) if begin == 0 else text


def raw_lines(split: Split) -> Iterator[str]:
    """As `lines`, but each byte of the UTF-8 text is a character, as of `use_unicode=False`."""
    for line in lines(split):
        yield line.encode("utf-8")  # type: ignore[misc]


def blocks(split: Split) -> Iterator[tuple[int, bytes]]:
    """The bytes of a split's lines, in blocks of whole lines behind the place where each begins."""
    with open_file(split.path) as file:
        begin, length = 0, None
        if not is_packed(split.path):
            begin = _line_after(file, split.start) if split.start > 0 else 0
            length = max(0, _line_after(file, split.end) - begin)
            file.seek(begin)
        for block in _whole_lines(file, length):
            yield begin, block
            begin += len(block)


def _line_after(file: BinaryIO, offset: int) -> int:
    """Where the line begins that follows the first end of a line at or after `offset`."""
    file.seek(offset)
    while block := file.read(1 << 12):
        ends = [at for at in (block.find(b"\n"), block.find(b"\r")) if at >= 0]
        if not ends:
            offset += len(block)
            continue
        end = min(ends)
        if block[end : end + 1] == b"\n":
            return offset + end + 1
        file.seek(offset + end + 1)
        return offset + end + (2 if file.read(1) == b"\n" else 1)
    return offset


def _whole_lines(file: BinaryIO, length: int | None) -> Iterator[bytes]:
    rest = b""
    while block := file.read(_BLOCK_BYTES if length is None else min(_BLOCK_BYTES, length)):
        if length is not None:
            length -= len(block)
        # A `\r` at the very end may be the first half of `\r\n`.
        end = max(block.rfind(b"\n"), block.rfind(b"\r", 0, len(block) - 1)) + 1
        if end:
            yield rest + block[:end]
            rest = block[end:]
        else:
            rest += block
    if rest:
        yield rest

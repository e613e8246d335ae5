"""Text as Hadoop's formats see it: lines with their places, records, keys before tabs, and words of Java."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, BinaryIO

from vonk import files
from vonk.errors import not_supported
from vonk.hadoop import writables

_READ_BYTES = 1 << 20


def lines(split: files.Split) -> Iterator[tuple[int, str]]:
    """The lines of a split, each behind the byte of the unpacked file where it begins."""
    for block_at, block in files.blocks(split):
        at = block_at
        for line in block.splitlines(keepends=True):
            text = files.without_mark(at, line.rstrip(b"\r\n"))
            yield at, text.decode("utf-8", "replace")
            at += len(line)


def records(split: files.Split, delimiter: bytes) -> Iterator[tuple[int, str]]:
    """As `lines`, with records that end in a text of the program's choice."""
    with files.open_file(split.path) as file:
        begin, stop = 0, None
        if not files.is_packed(split.path):
            begin = _after(file, split.start, delimiter) if split.start else 0
            stop = _after(file, split.end, delimiter)
        file.seek(begin)
        rest, at = b"", begin
        while block := file.read(_read_size(at + len(rest), stop)):
            *whole, rest = (rest + block).split(delimiter)
            for record in whole:
                yield at, _decode_record(record, at)
                at += len(record) + len(delimiter)
        if rest:
            yield at, _decode_record(rest, at)


def _decode_record(record: bytes, at: int) -> str:
    return files.without_mark(at, record).decode("utf-8", "replace")


def _read_size(at: int, stop: int | None) -> int:
    return _READ_BYTES if stop is None else max(0, min(_READ_BYTES, stop - at))


def _after(file: BinaryIO, at: int, delimiter: bytes) -> int:
    """Where the record begins that follows the first delimiter at a place or after it."""
    file.seek(at)
    rest = b""
    while block := file.read(_READ_BYTES):
        rest += block
        found = rest.find(delimiter)
        if found >= 0:
            return at + found + len(delimiter)
        dropped = max(len(rest) - len(delimiter) + 1, 0)
        at, rest = at + dropped, rest[dropped:]
    return at + len(rest)


def overlaps_itself(delimiter: bytes) -> bool:
    """Whether a delimiter may begin within another one, so that a reader must come from the beginning.

    >>> overlaps_itself(b"\\n\\n"), overlaps_itself(b"\\r\\n")
    (True, False)
    """
    return any(delimiter[:size] == delimiter[-size:] for size in range(1, len(delimiter)))


def key_and_value(line: str, separator: str) -> tuple[str, str]:
    """A line as what is before the first separator, and what is after it.

    >>> key_and_value("a\\tb\\tc", "\\t"), key_and_value("a", "\\t")
    (('a', 'b\\tc'), ('a', ''))
    """
    key, _, value = line.partition(separator)
    return key, value


def runs_of_lines(path: str, size: int, count: int) -> Iterator[files.Split]:
    """Cuts a file after every so many lines."""
    if files.is_packed(path):
        raise not_supported(
            f"`NLineInputFormat` for the packed file {files.url(path)}",
            "unpack the file, or take `TextInputFormat`",
        )
    # A split that starts at 0 has the first line: there is none that begins with the byte behind.
    begins = [at for at, _ in lines(files.Split(path, 0, size))][::count]
    begins = [at for at in begins if at != 1]
    for begin, end in zip(begins, [*begins[1:], size + 1]):
        # A split's lines begin after its start, and not after its end.
        yield files.Split(path, max(begin - 1, 0), end - 1)


def line_of(key: Any, value: Any, separator: str) -> bytes:
    """A pair as a line; what is None is left out, and so is a line of nothing else.

    >>> line_of(1, "a", "\\t"), line_of(None, 2.5, "\\t"), line_of(None, None, "\\t")
    (b'1\\ta\\n', b'2.5\\n', b'')
    """
    words = [java_text(part) for part in (key, value) if part is not None]
    return (separator.join(words) + "\n").encode("utf-8") if words else b""


def java_text(value: Any) -> str:
    """A value in the words of its Writable.

    >>> java_text(True), java_text(1e10), java_text(b"a\\xff"), java_text({"a": 1, "b": None})
    ('true', '1.0E10', '61 ff', '{a=1, b=(null)}')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int)):
        return str(value).lower()
    if value is None:
        return "(null)"
    if isinstance(value, float):
        return _java_double(value)
    if isinstance(value, (bytes, bytearray)):
        return value.hex(" ")
    if isinstance(value, dict):
        pairs = (f"{java_text(key)}={java_text(part)}" for key, part in value.items())
        return "{" + ", ".join(pairs) + "}"
    name = writables.inferred(value).name.rsplit(".", 1)[-1]
    parts = ", ".join(java_text(part) for part in value)
    return f"{name} [valueClass=interface org.apache.hadoop.io.Writable, values=[{parts}]]"


def _java_double(value: float) -> str:
    """A number as Java prints it: with an exponent below a thousandth, and from ten millions on."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return float.__repr__(value)
    mantissa, _, exponent = float.__repr__(value).partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = whole + fraction
    power = int(exponent or 0) + len(whole) - 1 - (len(digits) - len(digits.lstrip("0")))
    digits = digits.strip("0")
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{power}"

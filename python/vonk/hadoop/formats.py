"""Hadoop's input and output formats by the names of their classes, of the older interface and the newer.

The older interface is `org.apache.hadoop.mapred`, the newer `org.apache.hadoop.mapreduce`. They differ in
where files are cut and in the names of what is written.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

from vonk import files, parts
from vonk.errors import NotSupported, not_supported
from vonk.hadoop import codecs, reader, sequence, settings, text, writables
from vonk.hadoop.settings import Settings

OLD, NEW = "mapred", "mapreduce"

_OLD_PACKAGE = "org.apache.hadoop.mapred."
_NEW_INPUT = "org.apache.hadoop.mapreduce.lib.input."
_NEW_OUTPUT = "org.apache.hadoop.mapreduce.lib.output."

#: The codec of text where none is named.
_TEXT_CODEC = codecs.PACKAGE + "GzipCodec"


class Input(NamedTuple):
    """What is read how."""

    interface: str
    kind: str
    settings: Settings

    def splits(self, paths: str, min_partitions: int) -> list[files.Split]:
        """The files at some paths, cut as Hadoop does."""
        recursive = settings.is_true(self.settings, settings.INPUT_RECURSIVE)
        found = files.find(paths, recursive)
        if self.kind == "lines":
            count = max(settings.number(self.settings, settings.LINES_PER_SPLIT, 1), 1)
            return [cut for path, size in found for cut in text.runs_of_lines(path, size, count)]
        size_max = self._split_bytes(sum(size for _, size in found), min_partitions)
        if self.kind == "sequence":
            return files.cut(found, size_max, lambda path: False)
        if self._delimiter and text.overlaps_itself(self._delimiter):
            return files.cut(found, size_max, lambda path: True)
        return files.cut(found, size_max)

    def read(self, split: files.Split) -> Iterator[tuple[Any, Any]]:
        """The pairs of a split."""
        if self.kind == "sequence":
            return reader.read(split)
        if self._delimiter:
            return text.records(split, self._delimiter)
        rows = text.lines(split)
        if self.kind != "pairs":
            return rows
        separator = self.settings.get(settings.KEY_SEPARATOR, "")[:1] or "\t"
        return (text.key_and_value(line, separator) for _, line in rows)

    @property
    def _delimiter(self) -> bytes:
        """What ends records, if that is not the end of a line; Hadoop asks for it in one format only."""
        given = self.settings.get(settings.DELIMITER, "") if self.kind == "text" else ""
        return given.encode("utf-8")

    def _split_bytes(self, total: int, min_partitions: int) -> int:
        """The most bytes of a split: the older interface shares a file out, the newer has its limits."""
        low = 1 if self.kind != "sequence" else sequence.SYNC_INTERVAL
        low = max(low, settings.number(self.settings, settings.SPLIT_BYTES_MIN, 1))
        if self.interface == OLD:
            high = total // max(min_partitions, 1)
        else:
            high = settings.number(self.settings, settings.SPLIT_BYTES_MAX, files.SPLIT_BYTES_MAX)
        return max(low, min(high, files.SPLIT_BYTES_MAX))


class Output(NamedTuple):
    """What is written how; a class that is None is that of the first row."""

    interface: str
    kind: str
    key_class: str | None
    value_class: str | None
    settings: Settings

    @property
    def is_inferred(self) -> bool:
        """Whether the first row has to be known."""
        return self.kind == "sequence" and not (self.key_class and self.value_class)

    def part(self, first: tuple[Any, Any] | None) -> parts.Part:
        """How one partition is written."""
        name = "part-{:05}" if self.interface == OLD else "part-r-{:05}"
        if self.kind == "sequence":
            layout = self._layout(first or (None, None))
            return parts.Part(name, open, functools.partial(_write_sequence, layout))
        ending, opener = parts.codec(self._codec if self._compression != "NONE" else None)
        separator = self.settings.get(settings.TEXT_SEPARATOR, "\t")
        return parts.Part(name + ending, opener, functools.partial(_write_lines, separator))

    def _layout(self, first: tuple[Any, Any]) -> sequence.Layout:
        names = (self.key_class, self.value_class)
        key, value = (
            writables.named(name) if name else writables.inferred(part)
            for name, part in zip(names, first)
        )
        return sequence.Layout(key, value, self._compression, codecs.full_name(self._codec))

    @property
    def _codec(self) -> str:
        default = codecs.DEFAULT if self.kind == "sequence" else _TEXT_CODEC
        return self.settings.get(settings.CODEC, default)

    @property
    def _compression(self) -> str:
        if not settings.is_true(self.settings, settings.COMPRESS):
            return "NONE"
        kind = self.settings.get(settings.COMPRESSION, "RECORD").upper()
        if kind not in sequence.COMPRESSIONS:
            raise not_supported(
                f"`{settings.COMPRESSION}` of `{kind}`",
                f"take one of {', '.join(sequence.COMPRESSIONS)}",
            )
        # A text is packed as a whole.
        return kind if self.kind == "sequence" else "BLOCK"


def input_of(interface: str, name: str, given: Settings) -> Input:
    """The input format of a class.

    >>> input_of(OLD, "org.apache.hadoop.mapred.TextInputFormat", {}).kind
    'text'
    """
    return Input(interface, _kind(_INPUTS, interface, name), given)


def output_kind(interface: str, name: str) -> str:
    """What an output format's class writes: `sequence` or `text`.

    >>> output_kind(NEW, "org.apache.hadoop.mapreduce.lib.output.SequenceFileOutputFormat")
    'sequence'
    """
    return _kind(_OUTPUTS, interface, name)


def output_by_settings(interface: str, given: Settings) -> Output:
    """The format and the classes that settings name, or else Hadoop's defaults.

    >>> output = output_by_settings(OLD, {})
    >>> output.kind, output.key_class
    ('text', 'org.apache.hadoop.io.LongWritable')
    """
    if interface == OLD:
        name = given.get(settings.OUTPUT_FORMAT_OLD, _OLD_PACKAGE + "TextOutputFormat")
    else:
        name = given.get(settings.OUTPUT_FORMAT, _NEW_OUTPUT + "TextOutputFormat")
    return Output(
        interface,
        output_kind(interface, name),
        given.get(settings.OUTPUT_KEY, writables.PACKAGE + "LongWritable"),
        given.get(settings.OUTPUT_VALUE, writables.PACKAGE + "Text"),
        given,
    )


def refuse_converters(*names: str | None) -> None:
    """Refuses the converters of a call, which are classes of Java.

    >>> refuse_converters(None, "com.example.ToText")
    Traceback (most recent call last):
        ...
    vonk.errors.NotSupported: the converter `com.example.ToText`, a class of Java, is not supported: ...
    """
    for name in names:
        if name:
            raise not_supported(
                f"the converter `{name}`, a class of Java,",
                "convert keys and values with `map`, before they are saved or after they are read",
            )


def no_rows() -> ValueError:
    """The error for classes that no row tells."""
    return ValueError(
        "an RDD without rows does not tell the classes of its keys and values\n"
        "hint: give both `keyClass` and `valueClass` to `saveAsHadoopFile`"
    )


def _kind(table: dict[str, dict[str, str]], interface: str, name: str) -> str:
    kind = table[interface].get(name)
    if kind is None:
        raise _no_format(table, interface, name)
    return kind


def _no_format(table: dict[str, dict[str, str]], interface: str, name: str) -> NotSupported:
    other = NEW if interface == OLD else OLD
    if name in table[other]:
        return not_supported(
            f"`{name}` of `{other}` in a method of `{interface}`",
            "call the method with `NewAPI` in its name"
            if other == NEW
            else "call the method without `NewAPI` in its name",
        )
    return not_supported(f"the format `{name}`", f"take one of {', '.join(table[interface])}")


def _write_sequence(layout: sequence.Layout, file: Any, rows: Iterator[Any]) -> None:
    sequence.write(file, rows, layout)


def _write_lines(separator: str, file: Any, rows: Iterator[Any]) -> None:
    for key, value in sequence.checked(rows):
        file.write(text.line_of(key, value, separator))


_INPUTS: dict[str, dict[str, str]] = {
    OLD: {
        _OLD_PACKAGE + "TextInputFormat": "text",
        _OLD_PACKAGE + "SequenceFileInputFormat": "sequence",
        _OLD_PACKAGE + "KeyValueTextInputFormat": "pairs",
        _OLD_PACKAGE + "lib.NLineInputFormat": "lines",
    },
    NEW: {
        _NEW_INPUT + "TextInputFormat": "text",
        _NEW_INPUT + "SequenceFileInputFormat": "sequence",
        _NEW_INPUT + "KeyValueTextInputFormat": "pairs",
        _NEW_INPUT + "NLineInputFormat": "lines",
    },
}

_OUTPUTS: dict[str, dict[str, str]] = {
    OLD: {
        _OLD_PACKAGE + "TextOutputFormat": "text",
        _OLD_PACKAGE + "SequenceFileOutputFormat": "sequence",
    },
    NEW: {
        _NEW_OUTPUT + "TextOutputFormat": "text",
        _NEW_OUTPUT + "SequenceFileOutputFormat": "sequence",
    },
}

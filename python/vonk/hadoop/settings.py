"""Hadoop's settings by the names of today, from those of a program, a call, and of older Hadoops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

#: The names that this package asks for.
INPUT_PATHS = "mapreduce.input.fileinputformat.inputdir"
INPUT_RECURSIVE = "mapreduce.input.fileinputformat.input.dir.recursive"
SPLIT_BYTES_MIN = "mapreduce.input.fileinputformat.split.minsize"
SPLIT_BYTES_MAX = "mapreduce.input.fileinputformat.split.maxsize"
DELIMITER = "textinputformat.record.delimiter"
KEY_SEPARATOR = "mapreduce.input.keyvaluelinerecordreader.key.value.separator"
LINES_PER_SPLIT = "mapreduce.input.lineinputformat.linespermap"
OUTPUT_PATH = "mapreduce.output.fileoutputformat.outputdir"
OUTPUT_KEY = "mapreduce.job.output.key.class"
OUTPUT_VALUE = "mapreduce.job.output.value.class"
OUTPUT_FORMAT = "mapreduce.job.outputformat.class"
OUTPUT_FORMAT_OLD = "mapred.output.format.class"
COMPRESS = "mapreduce.output.fileoutputformat.compress"
CODEC = "mapreduce.output.fileoutputformat.compress.codec"
COMPRESSION = "mapreduce.output.fileoutputformat.compress.type"
TEXT_SEPARATOR = "mapreduce.output.textoutputformat.separator"

#: Names of before, as Hadoop still takes them.
_NAMES_NOW = {
    "mapred.input.dir": INPUT_PATHS,
    "mapred.input.dir.recursive": INPUT_RECURSIVE,
    "mapred.min.split.size": SPLIT_BYTES_MIN,
    "mapred.max.split.size": SPLIT_BYTES_MAX,
    "key.value.separator.in.input.line": KEY_SEPARATOR,
    "mapred.line.input.format.linespermap": LINES_PER_SPLIT,
    "mapred.output.dir": OUTPUT_PATH,
    "mapred.output.key.class": OUTPUT_KEY,
    "mapred.output.value.class": OUTPUT_VALUE,
    "mapreduce.outputformat.class": OUTPUT_FORMAT,
    "mapred.output.compress": COMPRESS,
    "mapred.output.compression.codec": CODEC,
    "mapred.output.compression.type": COMPRESSION,
    "mapred.textoutputformat.separator": TEXT_SEPARATOR,
}

_PROGRAM_PREFIX = "spark.hadoop."

Settings = Mapping[str, str]


def merged(of_program: Iterable[tuple[str, str]], of_call: Mapping[str, str] | None) -> Settings:
    """The settings of a program that are Hadoop's, and over them those of a call.

    >>> merged([("spark.hadoop.a", "1"), ("spark.b", "2")], {"mapred.output.dir": "/tmp/c"})
    {'a': '1', 'mapreduce.output.fileoutputformat.outputdir': '/tmp/c'}
    """
    chosen = {
        name.removeprefix(_PROGRAM_PREFIX): value
        for name, value in of_program
        if name.startswith(_PROGRAM_PREFIX)
    }
    both = [*chosen.items(), *(of_call or {}).items()]
    return {_NAMES_NOW.get(name, name): str(value) for name, value in both}


def is_true(settings: Settings, name: str) -> bool:
    """Whether a setting says yes.

    >>> is_true({"a": " TRUE"}, "a"), is_true({}, "a")
    (True, False)
    """
    return settings.get(name, "").strip().lower() == "true"


def required(settings: Settings, name: str) -> str:
    """A setting that has to be there.

    >>> required({}, "a.path")
    Traceback (most recent call last):
        ...
    ValueError: `a.path` is not set
    hint: give it in `conf`
    """
    value = settings.get(name)
    if not value:
        raise ValueError(f"`{name}` is not set\nhint: give it in `conf`")
    return value


def number(settings: Settings, name: str, default: int) -> int:
    """A setting that is a whole number.

    >>> number({"a": "7"}, "a", 1), number({}, "a", 1)
    (7, 1)
    """
    text = settings.get(name)
    if text is None:
        return default
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"`{name}` is no whole number: `{text}`\nhint: give digits only") from None

"""Where RDDs come from: values of the program, and files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from vonk import files, serial
from vonk.context.jobs import Jobs
from vonk.lineage import Node, Source, Values, union
from vonk.rdd import RDD

T = TypeVar("T")

#: Values that Spark pickles together; it decides where `parallelize` cuts.
_BATCH_VALUES_MAX = 1024


class Sources(Jobs):
    """Makers of RDDs."""

    @property
    def defaultParallelism(self) -> int:
        """How many partitions where nothing else says so."""
        return int(self._conf.get("spark.default.parallelism") or self._slots)

    @property
    def defaultMinPartitions(self) -> int:
        """How many partitions files have at least, if they are large enough."""
        return min(self.defaultParallelism, 2)

    def _rdd(self, node: Node) -> RDD[Any]:
        return RDD(node, self)  # type: ignore[arg-type]

    def parallelize(self, c: Iterable[T], numSlices: int | None = None) -> RDD[T]:
        """Values of the program, cut into partitions.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([0, 2, 3, 4, 6], 5).glom().collect()
        [[0], [2], [3], [4], [6]]
        """
        count = self.defaultParallelism if numSlices is None else int(numSlices)
        if count < 1:
            raise ValueError("the number of slices must be at least 1")
        cut = _cut_range(c, count) if isinstance(c, range) else _cut(c, count)
        return self._rdd(Values(self._storage, cut))

    def range(
        self, start: int, end: int | None = None, step: int = 1, numSlices: int | None = None
    ) -> RDD[int]:
        """Whole numbers from `start` to before `end`, or from 0 to before `start`.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().range(2, 4).collect()
        [2, 3]
        """
        bounds = (0, start) if end is None else (start, end)
        return self.parallelize(range(*bounds, step), numSlices)

    def emptyRDD(self) -> RDD[Any]:
        """An RDD without partitions.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().emptyRDD().collect()
        []
        """
        node = Values(self._storage, [])
        node.label = "EmptyRDD"
        return self._rdd(node)

    def union(self, rdds: list[RDD[T]]) -> RDD[T]:
        """The rows of all, one RDD after the other.

        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> sc.union([sc.range(2), sc.range(5, 6)]).collect()
        [0, 1, 5]
        """
        if not rdds:
            raise ValueError("give at least one RDD")
        return self._rdd(union(self._storage, [rdd._node for rdd in rdds]))

    def textFile(
        self, name: str, minPartitions: int | None = None, use_unicode: bool = True
    ) -> RDD[str]:
        """The lines of text files: a path, a directory, a glob, or several between commas."""
        count = minPartitions or self.defaultMinPartitions
        found = Lazy(self, name, lambda: files.splits(files.find(name), count))
        read = files.lines if use_unicode else files.raw_lines
        return self._rdd(TextFile(self._storage, found, read, name))

    def wholeTextFiles(
        self, path: str, minPartitions: int | None = None, use_unicode: bool = True
    ) -> RDD[tuple[str, str]]:
        """Pairs of the name and the whole text of each file."""
        whole = self._whole(path, minPartitions)
        if not use_unicode:
            return whole  # type: ignore[return-value]
        return whole.mapValues(lambda data: data.decode("utf-8", "replace"))

    def binaryFiles(self, path: str, minPartitions: int | None = None) -> RDD[tuple[str, bytes]]:
        """Pairs of the name and the bytes of each file."""
        return self._whole(path, minPartitions)

    def _whole(self, path: str, min_partitions: int | None) -> RDD[tuple[str, bytes]]:
        count = min_partitions or self.defaultMinPartitions

        def groups() -> list[list[str]]:
            names = [name for name, _ in files.find(path, recurse=True)]
            return [list(part) for part in _cut(names, min(count, len(names) or 1))]

        def read(names: list[str]) -> Iterator[tuple[str, bytes]]:
            for name in names:
                with files.open_file(name) as file:
                    yield files.url(name), file.read()

        return self._rdd(LazySource(self._storage, Lazy(self, path, groups), read, path))

    def binaryRecords(self, path: str, recordLength: int) -> RDD[bytes]:
        """Records of the same length; splits end where records do."""

        def parts() -> list[files.Split]:
            cut = []
            for name, size in files.find(path):
                if size % recordLength:
                    raise ValueError(f"{name}: {size} bytes are no multiple of {recordLength}")
                step = max(files.SPLIT_BYTES_MAX // recordLength, 1) * recordLength
                cut += [files.Split(name, at, min(at + step, size)) for at in range(0, size, step)]
            return cut

        def read(split: files.Split) -> Iterator[bytes]:
            with files.open_raw(split.path) as file:
                file.seek(split.start)
                for _ in range(split.start, split.end, recordLength):
                    yield file.read(recordLength)

        return self._rdd(LazySource(self._storage, Lazy(self, path, parts), read, path))

    def pickleFile(self, name: str, minPartitions: int | None = None) -> RDD[Any]:
        """The rows that `RDD.saveAsPickleFile` wrote."""

        def read(path: str) -> Iterator[Any]:
            with files.open_raw(path) as file:
                yield from serial.read(file)

        found = Lazy(self, name, lambda: [path for path, size in files.find(name) if size])
        return self._rdd(LazySource(self._storage, found, read, name))


class Lazy:
    """Parts that are found when somebody first asks for them, and then stay the same."""

    def __init__(self, context: Any, name: str, find: Any):
        self._find = find
        self._parts: list[Any] | None = None

    def get(self) -> list[Any]:
        """The parts."""
        if self._parts is None:
            self._parts = self._find()
        return self._parts


class LazySource(Source):
    """A source whose files are listed by the first action, not when the RDD is made."""

    def __init__(self, storage: Any, found: Lazy, read: Any, label: str):
        super().__init__(storage, (), read, label)
        self._found = found

    @property
    def num_partitions(self) -> int:
        """One for each part."""
        return len(self._found.get())

    def compute(self, index: int) -> Iterator[Any]:
        """Reads a part."""
        return self.read(self._found.get()[index])


class TextFile(LazySource):
    """Lines of text files."""

    @property
    def splits(self) -> list[files.Split]:
        """The parts of files."""
        return self._found.get()

    @property
    def is_text(self) -> bool:
        """Whether rows are texts, and not their bytes."""
        return self.read is files.lines


def _cut(values: Iterable[T], count: int) -> list[list[T]]:
    """Slices as of Spark, which first makes batches, and then deals these out evenly."""
    rows = list(values)
    size = max(1, min(len(rows) // count, _BATCH_VALUES_MAX))
    batches = -(-len(rows) // size)
    borders = [min(i * batches // count * size, len(rows)) for i in range(count + 1)]
    return [rows[a:b] for a, b in zip(borders, borders[1:])]


def _cut_range(values: range, count: int) -> list[range]:
    """Parts of a range, none of which is ever a list."""
    borders = [int(i * len(values) / count) for i in range(count + 1)]
    return [values[a:b] for a, b in zip(borders, borders[1:])]


def name_of(path: str) -> str:
    """The last part of a path or URL.

    >>> name_of("file:/tmp/a.txt")
    'a.txt'
    """
    return os.path.basename(path.rstrip("/"))

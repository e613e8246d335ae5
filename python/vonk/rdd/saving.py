"""Writing RDDs as lines of text and as pickles, and the RDD itself, which is all of this together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from vonk import parts, serial
from vonk.parts import Part
from vonk.rdd.hadoop import HadoopOutputs

T = TypeVar("T")


class RDD(HadoopOutputs[T]):
    """Rows in partitions, computed when an action asks for something.

    >>> from vonk import SparkContext
    >>> sc = SparkContext.getOrCreate()
    >>> sc.parallelize([1, 2, 3]).map(lambda x: x * x).collect()
    [1, 4, 9]
    """

    def saveAsTextFile(self, path: str, compressionCodecClass: str | None = None) -> None:
        """Writes each row as a line, each partition as a file `part-00000`, and then `_SUCCESS`."""
        ending, opener = parts.codec(compressionCodecClass)

        def write(file: Any, rows: Iterator[Any]) -> None:
            for row in rows:
                line = row if isinstance(row, bytes) else str(row).encode("utf-8")
                file.write(line + b"\n")

        self._save(path, Part("part-{:05}" + ending, opener, write))

    def saveAsPickleFile(self, path: str, batchSize: int = 10) -> None:
        """Writes the rows pickled, for `SparkContext.pickleFile`."""
        size = batchSize if batchSize > 0 else serial.BATCH_OBJECTS

        def write(file: Any, rows: Iterator[Any]) -> None:
            serial.write(rows, file, size)

        self._save(path, Part("part-{:05}", open, write))


class PipelinedRDD(RDD[T]):
    """An RDD that is a function of the partitions of another; steps in a row run as one."""


class RDDBarrier(Generic[T]):
    """An RDD whose tasks would all run at once. Here they run as others do."""

    def __init__(self, rdd: RDD[T]):
        self.rdd = rdd

    def mapPartitions(
        self, f: Callable[[Iterator[T]], Iterable[Any]], preservesPartitioning: bool = False
    ) -> RDD[Any]:
        """As of an RDD."""
        return self.rdd.mapPartitions(f, preservesPartitioning)

    def mapPartitionsWithIndex(
        self, f: Callable[[int, Iterator[T]], Iterable[Any]], preservesPartitioning: bool = False
    ) -> RDD[Any]:
        """As of an RDD."""
        return self.rdd.mapPartitionsWithIndex(f, preservesPartitioning)

"""Steps that need no other partition: each partition of the result comes from one of the parent."""

from __future__ import annotations

import itertools
import os
import shlex
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from vonk.errors import not_supported
from vonk.lineage import Cartesian, Grouped, Shuffled, Step, Zipped, union
from vonk.rdd.base import Base

if TYPE_CHECKING:
    from vonk.rdd import RDD

T = TypeVar("T")
U = TypeVar("U")

#: Rows that `repartition` moves together, as Spark does.
_ROWS_TOGETHER = 10


class Narrow(Base[T]):
    """Maps, filters, and other ways to cut and join partitions."""

    def map(self, f: Callable[[T], U], preservesPartitioning: bool = False) -> RDD[U]:
        """Each row through a function.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize(["b", "a"]).map(lambda x: (x, 1)).collect()
        [('b', 1), ('a', 1)]
        """

        def run(_: int, rows: Iterator[T]) -> Iterator[U]:
            # A generator, and not `map`: it turns a stray StopIteration into an error.
            return (f(row) for row in rows)

        return self._narrow(run, Step("map", f), preservesPartitioning)

    def flatMap(self, f: Callable[[T], Iterable[U]], preservesPartitioning: bool = False) -> RDD[U]:
        """Each row through a function that gives several rows.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([2, 3]).flatMap(range).collect()
        [0, 1, 0, 1, 2]
        """

        def run(_: int, rows: Iterator[T]) -> Iterator[U]:
            return (item for row in rows for item in f(row))

        return self._narrow(run, Step("flatMap", f), preservesPartitioning)

    def filter(self, f: Callable[[T], Any]) -> RDD[T]:
        """The rows for which a function is true.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().range(5).filter(lambda x: x % 2 == 0).collect()
        [0, 2, 4]
        """

        def run(_: int, rows: Iterator[T]) -> Iterator[T]:
            return (row for row in rows if f(row))

        return self._narrow(run, Step("filter", f), keeps_partitioning=True)

    def mapPartitions(
        self, f: Callable[[Iterator[T]], Iterable[U]], preservesPartitioning: bool = False
    ) -> RDD[U]:
        """Each partition, as an iterator, through a function.

        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> sc.parallelize([1, 2, 3, 4], 2).mapPartitions(lambda rows: [sum(rows)]).collect()
        [3, 7]
        """
        return self._narrow(lambda _, rows: f(rows), None, preservesPartitioning)

    def mapPartitionsWithIndex(
        self, f: Callable[[int, Iterator[T]], Iterable[U]], preservesPartitioning: bool = False
    ) -> RDD[U]:
        """As `mapPartitions`, with the number of the partition before it.

        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> sc.parallelize("abc", 3).mapPartitionsWithIndex(lambda i, rows: [i]).sum()
        3
        """
        return self._narrow(f, None, preservesPartitioning)

    def mapPartitionsWithSplit(
        self, f: Callable[[int, Iterator[T]], Iterable[U]], preservesPartitioning: bool = False
    ) -> RDD[U]:
        """The old name of `mapPartitionsWithIndex`."""
        return self.mapPartitionsWithIndex(f, preservesPartitioning)

    def glom(self) -> RDD[list[T]]:
        """Each partition as one row: the list of its rows.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([1, 2, 3], 2).glom().collect()
        [[1], [2, 3]]
        """
        return self._narrow(lambda _, rows: [list(rows)])

    def keyBy(self, f: Callable[[T], U]) -> RDD[tuple[U, T]]:
        """Pairs of what a function makes of the row, and the row.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize(["ab", "c"]).keyBy(len).collect()
        [(2, 'ab'), (1, 'c')]
        """

        def run(_: int, rows: Iterator[T]) -> Iterator[tuple[U, T]]:
            return ((f(row), row) for row in rows)

        return self._narrow(run, Step("keyBy", f))

    def union(self, other: RDD[U]) -> RDD[T | U]:
        """The rows of this and then those of the other.

        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> sc.parallelize([1, 1]).union(sc.parallelize([1, 2])).collect()
        [1, 1, 1, 2]
        """
        return self._new(union(self._node.storage, [self._node, other._node]))

    def __add__(self, other: RDD[Any]) -> RDD[Any]:
        if not isinstance(other, Base):
            raise TypeError("only another RDD can be added to an RDD")
        return self.union(other)

    def cartesian(self, other: RDD[U]) -> RDD[tuple[T, U]]:
        """Every pair of a row of this and a row of the other.

        >>> from vonk import SparkContext
        >>> rdd = SparkContext.getOrCreate().parallelize([1, 2])
        >>> sorted(rdd.cartesian(rdd).collect())
        [(1, 1), (1, 2), (2, 1), (2, 2)]
        """
        return self._new(Cartesian(self._node.storage, [self._node, other._node]))

    def zip(self, other: RDD[U]) -> RDD[tuple[T, U]]:
        """Pairs of the rows at the same place; both need the same partitions.

        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> sc.range(3).zip(sc.range(10, 13)).collect()
        [(0, 10), (1, 11), (2, 12)]
        """
        if self.getNumPartitions() != other.getNumPartitions():
            raise ValueError("Can only zip with RDD which has the same number of partitions")
        return self._new(Zipped(self._node.storage, [self._node, other._node]))

    def zipWithUniqueId(self) -> RDD[tuple[T, int]]:
        """Each row with a number of its own; no job is needed to know it.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize("abcd", 2).zipWithUniqueId().collect()
        [('a', 0), ('b', 2), ('c', 1), ('d', 3)]
        """
        step = self.getNumPartitions()

        def run(index: int, rows: Iterator[T]) -> Iterator[tuple[T, int]]:
            return zip(rows, itertools.count(index, step))

        return self._narrow(run)

    def coalesce(self, numPartitions: int, shuffle: bool = False) -> RDD[T]:
        """Fewer partitions, without moving rows; with `shuffle` as `repartition`.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([1, 2, 3], 3).coalesce(2).glom().collect()
        [[1], [2, 3]]
        """
        if numPartitions < 1:
            raise ValueError("the number of partitions must be at least 1")
        if shuffle:
            return self.repartition(numPartitions)
        return self._new(Grouped(self._node, numPartitions))

    def repartition(self, numPartitions: int) -> RDD[T]:
        """Exactly this many partitions of about the same size.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().range(100, numSlices=2).repartition(5).getNumPartitions()
        5
        """
        if numPartitions < 1:
            raise ValueError("the number of partitions must be at least 1")

        def deal(index: int, rows: Iterator[T]) -> Iterator[tuple[int, T]]:
            place = _java_random(_scramble(index), numPartitions)
            for number, row in enumerate(rows):
                yield (place + 1 + number // _ROWS_TOGETHER) % numPartitions, row

        return self._new(Shuffled(self._node, numPartitions, deal))

    def pipe(
        self, command: str, env: dict[str, str] | None = None, checkCode: bool = False
    ) -> RDD[str]:
        """The lines that a program prints when it is given the rows as lines.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize(["b", "a"], 1).pipe("sort").collect()
        ['a', 'b']
        """
        arguments = shlex.split(command)
        return self._narrow(lambda _, rows: _piped(arguments, env, checkCode, rows))

    def barrier(self) -> Any:
        """As a stage whose tasks all run at once; see `RDDBarrier`."""
        from vonk.rdd import RDDBarrier

        return RDDBarrier(self)  # type: ignore[arg-type]

    def toDF(self, schema: Any = None, sampleRatio: float | None = None) -> Any:
        """The rows as a DataFrame of the program's `SparkSession`."""
        from vonk import session

        return session.to_df(self, schema, sampleRatio)  # type: ignore[arg-type]

    def _to_java_object_rdd(self) -> Any:
        raise not_supported("the JVM behind an RDD", "there is none: use the RDD itself")


def _piped(
    arguments: list[str], env: dict[str, str] | None, check: bool, rows: Iterator[Any]
) -> Iterator[str]:
    process = subprocess.Popen(
        arguments,
        env={**os.environ, **env} if env else None,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    failure: list[BaseException] = []
    ended = threading.Event()

    def feed(out: Any) -> None:
        try:
            with out:
                for row in rows:
                    if ended.is_set():
                        return
                    out.write((str(row).rstrip("\n") + "\n").encode())
        except BrokenPipeError:
            pass  # the program has read all that it wanted
        except BaseException as error:  # noqa: BLE001 - told by the thread that reads
            failure.append(error)

    feeder = threading.Thread(target=feed, args=(process.stdin,), daemon=True)
    feeder.start()
    try:
        for line in process.stdout:
            yield line.decode().rstrip("\n")
        feeder.join()
        if failure:
            raise failure[0]
        code = process.wait()
    finally:
        ended.set()
        process.stdout.close()
        # Whoever took the rows may want no more of them.
        if process.poll() is None:
            process.kill()
            process.wait()
    if check and code:
        raise RuntimeError(f"the program of `pipe` ended with code {code}: {shlex.join(arguments)}")


def _scramble(index: int) -> int:
    """Scala's `byteswap32`, which spreads the small numbers of partitions."""
    factor = 0x9E3775CD
    mixed = (index * factor) & 0xFFFFFFFF
    mixed = int.from_bytes(mixed.to_bytes(4, "little"), "big")
    mixed = (mixed * factor) & 0xFFFFFFFF
    return mixed - (1 << 32) if mixed >> 31 else mixed


def _java_random(seed: int, bound: int) -> int:
    """The first number below `bound` of Java's generator, with which Spark deals out rows."""
    state = (seed ^ 0x5DEECE66D) & ((1 << 48) - 1)
    while True:
        state = (state * 0x5DEECE66D + 0xB) & ((1 << 48) - 1)
        bits = state >> 17
        if bound & (bound - 1) == 0:
            return (bound * bits) >> 31
        if bits - bits % bound + (bound - 1) < 1 << 31:
            return bits % bound

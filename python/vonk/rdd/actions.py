"""What makes a job run and brings something of it to the program."""

from __future__ import annotations

import copy
import functools
import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from vonk import scheduler, trace
from vonk.approximate import BoundedFloat, DistinctSketch
from vonk.lineage import Step
from vonk.rdd.narrow import Narrow

if TYPE_CHECKING:
    from vonk.rdd import RDD

T = TypeVar("T")
U = TypeVar("U")


class Actions(Narrow[T]):
    """Collecting, counting, folding, and looking at the first rows."""

    def _run(self, function: Callable[[Iterator[T]], U]) -> list[U]:
        """What a function makes of each partition."""
        return scheduler.run(self.ctx, self._node, lambda _, rows: function(rows))

    def collect(self) -> list[T]:
        """All rows, in the order of the partitions.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().range(5).collect()
        [0, 1, 2, 3, 4]
        """
        partitions = trace.partitions(self.ctx, self._node)
        if partitions is None:
            partitions = self._run(list)
        return list(itertools.chain.from_iterable(partitions))

    def collectWithJobGroup(
        self, groupId: str, description: str, interruptOnCancel: bool = False
    ) -> list[T]:
        """`collect` in a job group."""
        before = self.ctx.getLocalProperty("spark.jobGroup.id")
        self.ctx.setJobGroup(groupId, description, interruptOnCancel)
        try:
            return self.collect()
        finally:
            self.ctx.setLocalProperty("spark.jobGroup.id", before)

    def toLocalIterator(self, prefetchPartitions: bool = False) -> Iterator[T]:
        """The rows one after the other; only one partition is brought over at a time.

        >>> from vonk import SparkContext
        >>> next(SparkContext.getOrCreate().range(7, 9).toLocalIterator())
        7
        """
        for index in range(self.getNumPartitions()):
            yield from self._some(index, None)

    def _some(self, index: int, most: int | None) -> list[T]:
        """The first rows of a partition."""
        partitions = trace.partitions(self.ctx, self._node, [index], most)
        if partitions is None:
            first = lambda _, rows: list(itertools.islice(rows, most))  # noqa: E731
            partitions = scheduler.run(self.ctx, self._node, first, [index])
        return partitions[0]

    def count(self) -> int:
        """How many rows there are.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize("abc").count()
        3
        """
        counted = trace.count(self.ctx, self._node)
        return sum(self._run(_count_of)) if counted is None else counted

    def take(self, num: int) -> list[T]:
        """The first rows; no more partitions are computed than are needed.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().range(100, numSlices=50).take(3)
        [0, 1, 2]
        """
        rows: list[T] = []
        total, scanned = self.getNumPartitions(), 0
        while len(rows) < num and scanned < total:
            wanted = num - len(rows)
            indices = range(
                scanned, min(total, scanned + self._next_to_scan(num, len(rows), scanned))
            )
            if len(indices) == 1:
                rows += self._some(indices[0], wanted)
            else:
                first = lambda _, values: list(itertools.islice(values, wanted))  # noqa: B023, E731
                for some in scheduler.run(self.ctx, self._node, first, indices):
                    rows += some[: num - len(rows)]
            scanned += len(indices)
        return rows

    @staticmethod
    def _next_to_scan(num: int, found: int, scanned: int) -> int:
        """How many partitions to try next: four times as many as gave nothing, or as many as seem
        to hold what is wanted, and half as many more."""
        if scanned == 0:
            return 1
        if found == 0:
            return scanned * 4
        return min(max(int(1.5 * num * scanned / found) - scanned, 1), scanned * 4)

    def first(self) -> T:
        """The first row.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([2, 3]).first()
        2
        """
        rows = self.take(1)
        if not rows:
            raise ValueError("RDD is empty")
        return rows[0]

    def isEmpty(self) -> bool:
        """Whether there is no row.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([]).isEmpty()
        True
        """
        return self.getNumPartitions() == 0 or not self.take(1)

    def reduce(self, f: Callable[[T, T], T]) -> T:
        """All rows as one, two at a time.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().range(5).reduce(lambda a, b: a + b)
        10
        """
        parts = trace.reduce(self.ctx, self._node, f)
        if parts is None:
            parts = self._run(lambda rows: _reduced(f, rows))
        values = list(itertools.chain.from_iterable(parts))
        if not values:
            raise ValueError("Can not reduce() empty RDD")
        return functools.reduce(f, values)

    def fold(self, zeroValue: T, op: Callable[[T, T], T]) -> T:
        """As `reduce`, beginning each partition and the whole with a value.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().range(5).fold(0, lambda a, b: a + b)
        10
        """
        return self.aggregate(zeroValue, op, op)

    def aggregate(self, zeroValue: U, seqOp: Callable[[U, T], U], combOp: Callable[[U, U], U]) -> U:
        """Folds each partition by one function, and what they give by another.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize("abc").aggregate(
        ...     0, lambda n, letter: n + 1, lambda a, b: a + b)
        3
        """
        parts = self._run(lambda rows: functools.reduce(seqOp, rows, copy.deepcopy(zeroValue)))
        return functools.reduce(combOp, parts, copy.deepcopy(zeroValue))

    def foreach(self, f: Callable[[T], None]) -> None:
        """Calls a function with every row, in the workers."""

        def each(rows: Iterator[T]) -> None:
            for row in rows:
                f(row)

        self._run(each)

    def foreachPartition(self, f: Callable[[Iterator[T]], Any]) -> None:
        """Calls a function with every partition, in the workers."""

        def each(rows: Iterator[T]) -> None:
            made = f(rows)
            if isinstance(made, Iterator):
                for _ in made:
                    pass

        self._run(each)

    def top(self, num: int, key: Callable[[T], Any] | None = None) -> list[T]:
        """The greatest rows, the greatest first.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([10, 4, 2, 12, 3]).top(2)
        [12, 10]
        """
        order: Any = key
        parts = self._run(lambda rows: heapq.nlargest(num, rows, order))
        return heapq.nlargest(num, itertools.chain.from_iterable(parts), order)

    def takeOrdered(self, num: int, key: Callable[[T], Any] | None = None) -> list[T]:
        """The least rows, the least first.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([10, 4, 2, 12, 3]).takeOrdered(2)
        [2, 3]
        """
        if num < 0:
            raise ValueError("top N cannot be negative.")
        order: Any = key
        parts = self._run(lambda rows: heapq.nsmallest(num, rows, order))
        return heapq.nsmallest(num, itertools.chain.from_iterable(parts), order)

    def countByValue(self) -> dict[T, int]:
        """How often each row is there.

        >>> from vonk import SparkContext
        >>> sorted(SparkContext.getOrCreate().parallelize("aba").countByValue().items())
        [('a', 2), ('b', 1)]
        """
        total: dict[T, int] = defaultdict(int)
        for counts in self._run(Counter):
            for row, n in counts.items():
                total[row] += n
        return total

    def countApprox(self, timeout: int, confidence: float = 0.95) -> int:
        """How many rows: exact, since nothing is given up for time yet."""
        return self.count()

    def sumApprox(self, timeout: int, confidence: float = 0.95) -> BoundedFloat:
        """The sum: exact, since nothing is given up for time yet."""
        total = float(sum(self._run(sum)))  # type: ignore[arg-type]
        return BoundedFloat(total, 1.0, total, total)

    def meanApprox(self, timeout: int, confidence: float = 0.95) -> BoundedFloat:
        """The mean: exact, since nothing is given up for time yet."""
        with_count: Any = _with_count
        parts = self._run(lambda rows: functools.reduce(with_count, rows, (0.0, 0)))
        total, count = (sum(column) for column in zip(*parts))
        mean = total / count if count else float("nan")
        return BoundedFloat(mean, 1.0, mean, mean)

    def countApproxDistinct(self, relativeSD: float = 0.05) -> int:
        """About how many different rows there are, in little memory.

        >>> from vonk import SparkContext
        >>> 16 < SparkContext.getOrCreate().range(1000).map(lambda x: x % 20).countApproxDistinct() < 24
        True
        """
        empty = DistinctSketch(relativeSD)

        def sketch(rows: Iterator[T]) -> DistinctSketch:
            noted = copy.deepcopy(empty)
            noted.add_all(rows)
            return noted

        return functools.reduce(DistinctSketch.merge, self._run(sketch), empty).estimate()

    def zipWithIndex(self) -> RDD[tuple[T, int]]:
        """Each row with its place; the partitions before it are counted first.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize("abc", 3).zipWithIndex().collect()
        [('a', 0), ('b', 1), ('c', 2)]
        """
        counts = self._run(_count_of) if self.getNumPartitions() > 1 else []
        starts = list(itertools.accumulate([0, *counts]))

        def run(index: int, rows: Iterator[T]) -> Iterator[tuple[T, int]]:
            return zip(rows, itertools.count(starts[index]))

        return self._narrow(run, Step("zipWithIndex", run))


def _count_of(rows: Iterator[Any]) -> int:
    return sum(1 for _ in rows)


def _reduced(f: Callable[[T, T], T], rows: Iterator[T]) -> list[T]:
    """The rows as one, in a list that is empty if there are none."""
    for first in rows:
        return [functools.reduce(f, rows, first)]
    return []


def _with_count(so_far: tuple[float, int], row: float) -> tuple[float, int]:
    return so_far[0] + row, so_far[1] + 1

"""Rows that are pairs of a key and a value: combining the values of a key, and moving pairs to it."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from vonk import scheduler
from vonk.lineage import Shuffled, Step
from vonk.partitioner import Partitioner, portable_hash
from vonk.rdd.statistics import Statistics
from vonk.resultiterable import ResultIterable

if TYPE_CHECKING:
    from vonk.rdd import RDD

T = TypeVar("T")
U = TypeVar("U")
K = TypeVar("K")
V = TypeVar("V")
Hash = Callable[[Any], int]


def _merged(
    merge: Callable[[Any, Any], Any], pairs: Iterable[Any], into: dict[Any, Any]
) -> dict[Any, Any]:
    """A dictionary to which pairs have been added, those of a key merged with what is there."""
    for key, value in pairs:
        into[key] = merge(into[key], value) if key in into else value
    return into


def _key_of(pair: Any) -> Any:
    return pair[0]


def _value_of(pair: Any) -> Any:
    return pair[1]


class Keyed(Statistics[T]):
    """Keys, values, and everything `…ByKey` except joins."""

    def keys(self: Keyed[tuple[K, V]]) -> RDD[K]:
        """The keys of the pairs.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([(1, 2), (3, 4)]).keys().collect()
        [1, 3]
        """
        return self.map(_key_of)

    def values(self: Keyed[tuple[K, V]]) -> RDD[V]:
        """The values of the pairs.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([(1, 2), (3, 4)]).values().collect()
        [2, 4]
        """
        return self.map(_value_of)

    def mapValues(self: Keyed[tuple[K, V]], f: Callable[[V], U]) -> RDD[tuple[K, U]]:
        """Each value through a function; keys and partitions stay.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([("a", "xyz")]).mapValues(len).collect()
        [('a', 3)]
        """

        def run(_: int, pairs: Iterator[Any]) -> Iterator[tuple[Any, U]]:
            return ((pair[0], f(pair[1])) for pair in pairs)

        return self._narrow(run, Step("mapValues", f), keeps_partitioning=True)

    def flatMapValues(self: Keyed[tuple[K, V]], f: Callable[[V], Iterable[U]]) -> RDD[tuple[K, U]]:
        """Each value through a function that gives several; the key goes with each.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([("a", [1, 2])]).flatMapValues(lambda v: v).collect()
        [('a', 1), ('a', 2)]
        """

        def run(_: int, pairs: Iterator[Any]) -> Iterator[tuple[Any, U]]:
            return ((pair[0], value) for pair in pairs for value in f(pair[1]))

        return self._narrow(run, Step("flatMapValues", f), keeps_partitioning=True)

    def partitionBy(
        self, numPartitions: int | None = None, partitionFunc: Hash = portable_hash
    ) -> RDD[T]:
        """The pairs in the partitions that a function of the key gives them.

        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> sc.parallelize([1, 2, 3, 4]).map(lambda x: (x, x)).partitionBy(2).glom().collect()
        [[(2, 2), (4, 4)], [(1, 1), (3, 3)]]
        """
        count = self._default_reduce_partitions() if numPartitions is None else numPartitions
        partitioner = Partitioner(count, partitionFunc)
        if self.partitioner == partitioner:
            return self  # type: ignore[return-value]

        def route(_: int, pairs: Iterator[Any]) -> Iterator[tuple[int, Any]]:
            return ((partitionFunc(pair[0]) % count, pair) for pair in pairs)

        return self._new(Shuffled(self._node, count, route, partitioner))

    def combineByKey(
        self: Keyed[tuple[K, V]],
        createCombiner: Callable[[V], U],
        mergeValue: Callable[[U, V], U],
        mergeCombiners: Callable[[U, U], U],
        numPartitions: int | None = None,
        partitionFunc: Hash = portable_hash,
    ) -> RDD[tuple[K, U]]:
        """The values of each key as one: made from the first, given the others, and merged.

        >>> from vonk import SparkContext
        >>> pairs = SparkContext.getOrCreate().parallelize([("a", 1), ("b", 1), ("a", 2)])
        >>> combined = pairs.combineByKey(
        ...     lambda v: [v], lambda all, v: all + [v], lambda a, b: a + b)
        >>> sorted(combined.collect())
        [('a', [1, 2]), ('b', [1])]
        """

        def locally(_: int, pairs: Iterator[Any]) -> Iterable[tuple[Any, U]]:
            combined: dict[Any, U] = {}
            for key, value in pairs:
                if key in combined:
                    combined[key] = mergeValue(combined[key], value)
                else:
                    combined[key] = createCombiner(value)
            return combined.items()

        def merged(_: int, pairs: Iterator[Any]) -> Iterable[tuple[Any, U]]:
            return _merged(mergeCombiners, pairs, {}).items()

        moved = self._narrow(locally, None, True).partitionBy(numPartitions, partitionFunc)
        return moved._narrow(merged, None, True)

    def reduceByKey(
        self: Keyed[tuple[K, V]],
        func: Callable[[V, V], V],
        numPartitions: int | None = None,
        partitionFunc: Hash = portable_hash,
    ) -> RDD[tuple[K, V]]:
        """The values of each key as one, two at a time.

        >>> from vonk import SparkContext
        >>> pairs = SparkContext.getOrCreate().parallelize([("a", 1), ("b", 1), ("a", 1)])
        >>> sorted(pairs.reduceByKey(lambda a, b: a + b).collect())
        [('a', 2), ('b', 1)]
        """
        combined = self.combineByKey(lambda v: v, func, func, numPartitions, partitionFunc)
        if partitionFunc is portable_hash:
            combined._node.step = Step("reduceByKey", func, base=self._node)
        return combined

    def reduceByKeyLocally(self: Keyed[tuple[K, V]], func: Callable[[V, V], V]) -> dict[K, V]:
        """As `reduceByKey`, into a dictionary of the program.

        >>> from vonk import SparkContext
        >>> pairs = SparkContext.getOrCreate().parallelize([("a", 1), ("a", 1)])
        >>> pairs.reduceByKeyLocally(lambda a, b: a + b)
        {'a': 2}
        """

        total: dict[Any, Any] = {}
        for part in self._run(lambda pairs: _merged(func, pairs, {})):
            _merged(func, part.items(), total)
        return total

    def foldByKey(
        self: Keyed[tuple[K, V]],
        zeroValue: V,
        func: Callable[[V, V], V],
        numPartitions: int | None = None,
        partitionFunc: Hash = portable_hash,
    ) -> RDD[tuple[K, V]]:
        """As `reduceByKey`, beginning with a value for each key of each partition.

        >>> from vonk import SparkContext
        >>> pairs = SparkContext.getOrCreate().parallelize([("a", 1), ("a", 1)])
        >>> pairs.foldByKey(0, lambda a, b: a + b).collect()
        [('a', 2)]
        """
        return self.aggregateByKey(zeroValue, func, func, numPartitions, partitionFunc)

    def aggregateByKey(
        self: Keyed[tuple[K, V]],
        zeroValue: U,
        seqFunc: Callable[[U, V], U],
        combFunc: Callable[[U, U], U],
        numPartitions: int | None = None,
        partitionFunc: Hash = portable_hash,
    ) -> RDD[tuple[K, U]]:
        """As `foldByKey`, with one function for values and one for what they give.

        >>> from vonk import SparkContext
        >>> pairs = SparkContext.getOrCreate().parallelize([("a", "x"), ("a", "y")])
        >>> pairs.aggregateByKey(0, lambda n, v: n + 1, lambda a, b: a + b).collect()
        [('a', 2)]
        """

        def create(value: Any) -> U:
            return seqFunc(copy.deepcopy(zeroValue), value)

        return self.combineByKey(create, seqFunc, combFunc, numPartitions, partitionFunc)

    def groupByKey(
        self: Keyed[tuple[K, V]],
        numPartitions: int | None = None,
        partitionFunc: Hash = portable_hash,
    ) -> RDD[tuple[K, ResultIterable[V]]]:
        """The values of each key together.

        >>> from vonk import SparkContext
        >>> pairs = SparkContext.getOrCreate().parallelize([("a", 1), ("b", 1), ("a", 2)])
        >>> sorted(pairs.groupByKey().mapValues(list).collect())
        [('a', [1, 2]), ('b', [1])]
        """
        groups = self.combineByKey(_one, _appended, _extended, numPartitions, partitionFunc)
        return groups.mapValues(ResultIterable)

    def groupBy(
        self,
        f: Callable[[T], Any],
        numPartitions: int | None = None,
        partitionFunc: Hash = portable_hash,
    ) -> RDD[tuple[Any, ResultIterable[T]]]:
        """The rows together for which a function gives the same.

        >>> from vonk import SparkContext
        >>> groups = SparkContext.getOrCreate().parallelize([1, 1, 2, 3]).groupBy(lambda x: x % 2)
        >>> sorted((key, sorted(rows)) for key, rows in groups.collect())
        [(0, [2]), (1, [1, 1, 3])]
        """
        pairs: RDD[Any] = self.keyBy(f)
        return pairs.groupByKey(numPartitions, partitionFunc)

    def distinct(self, numPartitions: int | None = None) -> RDD[T]:
        """Each different row once.

        >>> from vonk import SparkContext
        >>> sorted(SparkContext.getOrCreate().parallelize([1, 1, 2, 3]).distinct().collect())
        [1, 2, 3]
        """
        pairs: RDD[Any] = self.map(lambda row: (row, None))
        return pairs.reduceByKey(lambda none, _: none, numPartitions).keys()

    def countByKey(self: Keyed[tuple[K, V]]) -> dict[K, int]:
        """How many values each key has.

        >>> from vonk import SparkContext
        >>> pairs = SparkContext.getOrCreate().parallelize([("a", 1), ("b", 1), ("a", 1)])
        >>> sorted(pairs.countByKey().items())
        [('a', 2), ('b', 1)]
        """
        return self.keys().countByValue()

    def collectAsMap(self: Keyed[tuple[K, V]]) -> dict[K, V]:
        """The pairs as a dictionary; of equal keys the last stays.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([(1, 2), (3, 4)]).collectAsMap()
        {1: 2, 3: 4}
        """
        return dict(self.collect())  # type: ignore[arg-type]

    def lookup(self: Keyed[tuple[K, V]], key: K) -> list[V]:
        """The values of a key; only its partition is computed if that is known.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([("a", 1), ("b", 2)]).lookup("b")
        [2]
        """

        def found(_: int, pairs: Iterator[Any]) -> list[Any]:
            return [value for k, value in pairs if k == key]

        indices = None if self.partitioner is None else [self.partitioner(key)]
        parts = scheduler.run(self.ctx, self._node, found, indices)
        return [value for part in parts for value in part]

    def treeAggregate(
        self,
        zeroValue: U,
        seqOp: Callable[[U, T], U],
        combOp: Callable[[U, U], U],
        depth: int = 2,
    ) -> U:
        """As `aggregate`, merging in rounds so that the program does not merge all by itself.

        >>> from vonk import SparkContext
        >>> add = lambda a, b: a + b
        >>> SparkContext.getOrCreate().range(10, numSlices=10).treeAggregate(0, add, add)
        45
        """
        if depth < 1:
            raise ValueError(f"Depth cannot be smaller than 1 but got {depth}.")
        if self.getNumPartitions() == 0:
            return zeroValue

        def folded(rows: Iterator[T]) -> Iterator[U]:
            yield functools.reduce(seqOp, rows, copy.deepcopy(zeroValue))

        parts: RDD[Any] = self.mapPartitions(folded)
        count = float(parts.getNumPartitions())
        scale = max(math.ceil(count ** (1.0 / depth)), 2)
        while count > scale + count / scale:
            count /= scale
            groups = int(count)

            def numbered(index: int, rows: Iterator[U], groups: int = groups) -> Iterator[Any]:
                return ((index % groups, row) for row in rows)

            pairs = parts.mapPartitionsWithIndex(numbered)
            parts = pairs.reduceByKey(combOp, groups).values()
        return parts.reduce(combOp)

    def treeReduce(self, f: Callable[[T, T], T], depth: int = 2) -> T:
        """As `reduce`, merging in rounds.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([-5, 1, 4], 3).treeReduce(lambda a, b: a + b)
        0
        """

        def added(a: list[T], b: list[T]) -> list[T]:
            return [f(a[0], b[0])] if a and b else a or b

        lists = self.map(lambda row: [row])
        reduced: list[T] = lists.treeAggregate([], added, added, depth)
        if not reduced:
            raise ValueError("Cannot reduce empty RDD.")
        return reduced[0]


def _one(value: Any) -> list[Any]:
    return [value]


def _appended(values: list[Any], value: Any) -> list[Any]:
    values.append(value)
    return values


def _extended(values: list[Any], others: list[Any]) -> list[Any]:
    values.extend(others)
    return values

"""Pairs of two and more RDDs brought together by their keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from vonk.rdd.keyed import Keyed
from vonk.resultiterable import ResultIterable

if TYPE_CHECKING:
    from vonk.rdd import RDD

T = TypeVar("T")
U = TypeVar("U")
K = TypeVar("K")
V = TypeVar("V")
Sides = tuple[list[Any], list[Any]]


class Joins(Keyed[T]):
    """Joins, cogroups, and the operations of sets."""

    def _joined(
        self: Joins[tuple[K, V]],
        other: RDD[Any],
        numPartitions: int | None,
        match: Callable[[list[Any], list[Any]], Iterable[Any]],
    ) -> RDD[Any]:
        """The pairs that a function makes of the values of both sides of each key."""
        tagged: RDD[Any] = self.mapValues(_tag(0)).union(other.mapValues(_tag(1)))

        def matched(values: Iterable[tuple[int, Any]]) -> Iterable[Any]:
            sides: Sides = ([], [])
            for side, value in values:
                sides[side].append(value)
            return match(*sides)

        return tagged.groupByKey(numPartitions).flatMapValues(matched)

    def join(
        self: Joins[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[V, U]]]:
        """For each key that both have, every pair of a value of this and one of the other.

        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> left, right = sc.parallelize([("a", 1), ("b", 4)]), sc.parallelize([("a", 2), ("a", 3)])
        >>> sorted(left.join(right).collect())
        [('a', (1, 2)), ('a', (1, 3))]
        """
        return self._joined(other, numPartitions, _pairs)

    def leftOuterJoin(
        self: Joins[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[V, U | None]]]:
        """As `join`, also with the keys that only this has.

        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> left, right = sc.parallelize([("a", 1), ("b", 4)]), sc.parallelize([("a", 2)])
        >>> sorted(left.leftOuterJoin(right).collect())
        [('a', (1, 2)), ('b', (4, None))]
        """
        return self._joined(other, numPartitions, lambda ls, rs: _pairs(ls, rs or [None]))

    def rightOuterJoin(
        self: Joins[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[V | None, U]]]:
        """As `join`, also with the keys that only the other has.

        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> left, right = sc.parallelize([("a", 1)]), sc.parallelize([("a", 2), ("c", 5)])
        >>> sorted(left.rightOuterJoin(right).collect())
        [('a', (1, 2)), ('c', (None, 5))]
        """
        return self._joined(other, numPartitions, lambda ls, rs: _pairs(ls or [None], rs))

    def fullOuterJoin(
        self: Joins[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[V | None, U | None]]]:
        """As `join`, also with the keys that only one of them has.

        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> left, right = sc.parallelize([("b", 1)]), sc.parallelize([("c", 5)])
        >>> sorted(left.fullOuterJoin(right).collect())
        [('b', (1, None)), ('c', (None, 5))]
        """
        return self._joined(other, numPartitions, lambda ls, rs: _pairs(ls or [None], rs or [None]))

    def cogroup(
        self: Joins[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[ResultIterable[V], ResultIterable[U]]]]:
        """For each key, the values of this and the values of the other.

        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> both = sc.parallelize([("a", 1)]).cogroup(sc.parallelize([("a", 2)]))
        >>> [(key, [list(values) for values in sides]) for key, sides in both.collect()]
        [('a', [[1], [2]])]
        """
        return _cogrouped([self, other], numPartitions)  # type: ignore[list-item]

    def groupWith(self, other: RDD[Any], *others: RDD[Any]) -> RDD[Any]:
        """`cogroup` of any number."""
        return _cogrouped([self, other, *others], None)  # type: ignore[list-item]

    def intersection(self, other: RDD[Any]) -> RDD[T]:
        """Each different row that both have, once.

        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> sorted(sc.parallelize([1, 2, 2, 3]).intersection(sc.parallelize([2, 3, 4])).collect())
        [2, 3]
        """
        pairs: RDD[Any] = self.map(lambda v: (v, None))
        both: RDD[Any] = pairs.cogroup(other.map(lambda v: (v, None)))
        return both.filter(lambda pair: all(pair[1])).keys()

    def subtractByKey(
        self: Joins[tuple[K, V]], other: RDD[Any], numPartitions: int | None = None
    ) -> RDD[tuple[K, V]]:
        """The pairs whose key the other does not have.

        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> sc.parallelize([("a", 1), ("b", 4)]).subtractByKey(sc.parallelize([("a", 3)])).collect()
        [('b', 4)]
        """
        both = self.cogroup(other, numPartitions)
        alone: RDD[Any] = both.filter(lambda pair: pair[1][0] and not pair[1][1])
        left: RDD[Any] = alone.flatMapValues(lambda v: v[0])
        return left

    def subtract(self, other: RDD[T], numPartitions: int | None = None) -> RDD[T]:
        """The rows that the other does not have.

        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> sorted(sc.parallelize([1, 2, 3, 3]).subtract(sc.parallelize([2])).collect())
        [1, 3, 3]
        """
        others = other.map(lambda row: (row, True))
        rows: RDD[Any] = self.map(lambda row: (row, True))
        return rows.subtractByKey(others, numPartitions).keys()


def _pairs(lefts: list[Any], rights: list[Any]) -> Iterable[tuple[Any, Any]]:
    return ((left, right) for left in lefts for right in rights)


def _tag(side: int) -> Callable[[Any], tuple[int, Any]]:
    return lambda value: (side, value)


def _cogrouped(rdds: list[RDD[Any]], numPartitions: int | None) -> RDD[Any]:
    count = len(rdds)
    tagged = [rdd.mapValues(_tag(side)) for side, rdd in enumerate(rdds)]
    together = tagged[0]
    for more in tagged[1:]:
        together = together.union(more)

    def sides_of(values: Iterable[tuple[int, Any]]) -> tuple[ResultIterable[Any], ...]:
        sides: list[list[Any]] = [[] for _ in range(count)]
        for side, value in values:
            sides[side].append(value)
        return tuple(ResultIterable(side) for side in sides)

    return together.groupByKey(numPartitions).mapValues(sides_of)

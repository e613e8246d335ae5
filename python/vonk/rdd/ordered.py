"""Samples, and rows sorted across partitions, which needs a sample first."""

from __future__ import annotations

import bisect
import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from vonk import sampling
from vonk.partitioner import portable_hash
from vonk.rdd.joins import Joins

if TYPE_CHECKING:
    from vonk.rdd import RDD

T = TypeVar("T")

#: Rows that are looked at for each partition, to find borders that divide the keys evenly.
_SAMPLES_PER_PARTITION = 20.0


def _identity(value: Any) -> Any:
    return value


def _sorter(keyfunc: Callable[[Any], Any], ascending: bool) -> Callable[[Iterator[Any]], list[Any]]:
    """Sorts the pairs of a partition by their keys."""
    return lambda pairs: sorted(pairs, key=lambda pair: keyfunc(pair[0]), reverse=not ascending)


class Ordered(Joins[T]):
    """Sampling and sorting."""

    def sample(self, withReplacement: bool, fraction: float, seed: int | None = None) -> RDD[T]:
        """About this fraction of the rows, by chance; the same for the same seed.

        >>> from vonk import SparkContext
        >>> 5 <= SparkContext.getOrCreate().range(100).sample(False, 0.1, 81).count() <= 15
        True
        """
        if fraction < 0:
            raise ValueError(f"Negative fraction value: {fraction}")
        return self.mapPartitionsWithIndex(
            sampling.Sampler(withReplacement, fraction, seed), preservesPartitioning=True
        )

    def sampleByKey(
        self, withReplacement: bool, fractions: dict[Any, float], seed: int | None = None
    ) -> RDD[T]:
        """About a fraction of the pairs of each key."""
        for fraction in fractions.values():
            if fraction < 0:
                raise ValueError(f"Negative fraction value: {fraction}")
        return self.mapPartitionsWithIndex(
            sampling.KeySampler(withReplacement, fractions, seed), preservesPartitioning=True
        )

    def randomSplit(self, weights: Sequence[float], seed: int | None = None) -> list[RDD[T]]:
        """Divides the rows by chance into parts of about these weights.

        >>> from vonk import SparkContext
        >>> rdd = SparkContext.getOrCreate().range(500)
        >>> some, others = rdd.randomSplit([2, 3], 17)
        >>> some.count() + others.count()
        500
        """
        total = float(sum(weights))
        borders = [0.0]
        for weight in weights:
            borders.append(borders[-1] + weight / total)
        seed = random.randint(0, 2**32 - 1) if seed is None else seed
        samplers = [sampling.RangeSampler(a, b, seed) for a, b in zip(borders, borders[1:])]
        return [self.mapPartitionsWithIndex(sampler, True) for sampler in samplers]

    def takeSample(self, withReplacement: bool, num: int, seed: int | None = None) -> list[T]:
        """This many rows by chance.

        >>> from vonk import SparkContext
        >>> len(SparkContext.getOrCreate().range(10).takeSample(False, 5, 2))
        5
        """
        if num < 0:
            raise ValueError("Sample size cannot be negative.")
        most = sys.maxsize - int(10.0 * math.sqrt(sys.maxsize))
        if num > most:
            raise ValueError(f"Sample size cannot be greater than {most}.")
        total = self.count() if num else 0
        if num == 0 or total == 0:
            return []
        chance = random.Random(seed)
        if not withReplacement and num >= total:
            rows = self.collect()
            chance.shuffle(rows)
            return rows
        fraction = sampling.fraction_for(num, total, withReplacement)
        rows = self.sample(withReplacement, fraction, seed).collect()
        while len(rows) < num:
            rows = self.sample(withReplacement, fraction, chance.randint(0, sys.maxsize)).collect()
        chance.shuffle(rows)
        return rows[:num]

    def sortByKey(
        self,
        ascending: bool = True,
        numPartitions: int | None = None,
        keyfunc: Callable[[Any], Any] = _identity,
    ) -> RDD[T]:
        """The pairs in the order of their keys, across partitions and in them.

        As on Spark, a sample of the keys is taken at once, to find the borders of the partitions.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([("b", 1), ("a", 2)]).sortByKey().collect()
        [('a', 2), ('b', 1)]
        """
        count = self._default_reduce_partitions() if numPartitions is None else numPartitions
        if count == 1:
            whole = self.coalesce(1) if self.getNumPartitions() > 1 else self
            return whole.mapPartitions(_sorter(keyfunc, ascending), preservesPartitioning=True)
        total = self.count()
        if not total:
            return self  # type: ignore[return-value]
        fraction = min(count * _SAMPLES_PER_PARTITION / total, 1.0)
        some: RDD[Any] = self.sample(False, fraction, 1)
        samples = sorted(some.keys().collect(), key=keyfunc)
        places = range(count - 1) if samples else ()
        borders = [keyfunc(samples[int(len(samples) * (i + 1) / count)]) for i in places]

        def place(key: Any) -> int:
            position = bisect.bisect_left(borders, keyfunc(key))
            return position if ascending else count - 1 - position

        return self.repartitionAndSortWithinPartitions(count, place, ascending, keyfunc)

    def sortBy(
        self,
        keyfunc: Callable[[T], Any],
        ascending: bool = True,
        numPartitions: int | None = None,
    ) -> RDD[T]:
        """The rows in the order of what a function makes of them.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize(["bb", "a", "ccc"]).sortBy(len, False).collect()
        ['ccc', 'bb', 'a']
        """
        return self.keyBy(keyfunc).sortByKey(ascending, numPartitions).values()

    def repartitionAndSortWithinPartitions(
        self,
        numPartitions: int | None = None,
        partitionFunc: Callable[[Any], int] = portable_hash,
        ascending: bool = True,
        keyfunc: Callable[[Any], Any] = _identity,
    ) -> RDD[T]:
        """`partitionBy`, with the pairs of each partition in the order of their keys.

        >>> from vonk import SparkContext
        >>> rdd = SparkContext.getOrCreate().parallelize([(0, 5), (3, 8), (2, 6), (1, 3)])
        >>> rdd.repartitionAndSortWithinPartitions(2, lambda x: x % 2).glom().collect()
        [[(0, 5), (2, 6)], [(1, 3), (3, 8)]]
        """
        moved = self.partitionBy(numPartitions, partitionFunc)
        return moved.mapPartitions(_sorter(keyfunc, ascending), preservesPartitioning=True)

"""Statistics of rows that are numbers, and the ends of rows that can be compared."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from vonk import trace
from vonk.rdd.actions import Actions
from vonk.statcounter import StatCounter

T = TypeVar("T")


class Statistics(Actions[T]):
    """Sums, means, variances and histograms."""

    def max(self, key: Callable[[T], Any] | None = None) -> T:
        """The greatest row.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([1.0, 5.0, 43.0, 10.0]).max()
        43.0
        """
        choose: Any = max if key is None else lambda a, b: max(a, b, key=key)
        return self.reduce(choose)

    def min(self, key: Callable[[T], Any] | None = None) -> T:
        """The least row.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([2.0, 5.0, 43.0, 10.0]).min()
        2.0
        """
        choose: Any = min if key is None else lambda a, b: min(a, b, key=key)
        return self.reduce(choose)

    def sum(self) -> Any:
        """The sum of the rows.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([1.0, 2.0, 3.0]).sum()
        6.0
        """
        parts = trace.total(self.ctx, self._node)
        return sum(self._run(sum) if parts is None else parts)  # type: ignore[arg-type]

    def stats(self) -> StatCounter:
        """Count, mean, variance and ends in one pass.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().range(10).stats().mean()
        4.5
        """
        total = StatCounter()
        for part in self._run(StatCounter):  # type: ignore[arg-type]
            total.mergeStats(part)
        return total

    def mean(self) -> float:
        """The mean of the rows."""
        return self.stats().mean()

    def variance(self) -> float:
        """The variance of the rows as a whole population."""
        return self.stats().variance()

    def stdev(self) -> float:
        """The standard deviation of the rows as a whole population."""
        return self.stats().stdev()

    def sampleVariance(self) -> float:
        """The variance of what the rows are a sample of."""
        return self.stats().sampleVariance()

    def sampleStdev(self) -> float:
        """The standard deviation of what the rows are a sample of."""
        return self.stats().sampleStdev()

    def histogram(self, buckets: int | Sequence[Any]) -> tuple[Sequence[Any], list[int]]:
        """How many rows lie in each of some ranges; `None` and NaN lie in none.

        A number of ranges divides the rows evenly between the least and the greatest. Borders that
        are given are sorted and different; a range holds its lower border, the last also its upper.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().range(51).histogram(2)
        ([0, 25, 50], [25, 26])
        """
        borders: Sequence[Any]
        if isinstance(buckets, int):
            borders, even = self._even_borders(buckets), True
            if len(borders) == 2:
                return borders, [self.filter(_is_comparable).count()]
        elif isinstance(buckets, (list, tuple)):
            borders, even = _check_borders(buckets)
        else:
            raise TypeError("buckets should be a list or tuple or number(int or long)")
        low, high, last = borders[0], borders[-1], len(borders) - 2
        width = (borders[1] - borders[0]) if even else None

        def tally(rows: Iterator[Any]) -> list[int]:
            counts = [0] * (last + 1)
            for row in rows:
                if not _is_comparable(row) or row > high or row < low:
                    continue
                place = int((row - low) / width) if width else bisect.bisect_right(borders, row) - 1
                counts[min(place, last)] += 1
            return counts

        parts = self._run(tally)
        return borders, [sum(column) for column in zip(*parts)] if parts else [0] * (last + 1)

    def _even_borders(self, number: int) -> list[Any]:
        if number < 1:
            raise ValueError("number of buckets must be >= 1")
        comparable: Any = self.filter(_is_comparable)
        ends = comparable.map(lambda row: (row, row))
        try:
            low, high = ends.reduce(lambda a, b: (min(a[0], b[0]), max(a[1], b[1])))
        except ValueError:
            raise ValueError("can not generate buckets from empty RDD") from None
        if low == high or number == 1:
            return [low, high]
        try:
            width = (high - low) / number
        except TypeError:
            raise TypeError("Can not generate buckets with non-number in RDD") from None
        if math.isinf(width):
            raise ValueError("Can not generate buckets with infinite value")
        if int(width) == width:
            width = int(width)
        return [low + i * width for i in range(number)] + [high]


def _is_comparable(row: Any) -> bool:
    return row is not None and not (isinstance(row, float) and math.isnan(row))


def _check_borders(borders: Sequence[Any]) -> tuple[Sequence[Any], bool]:
    """The borders, and whether all ranges are numbers of the same width."""
    if len(borders) < 2:
        raise ValueError("buckets should have more than one value")
    if any(not _is_comparable(border) for border in borders):
        raise ValueError("can not have None or NaN in buckets")
    if sorted(borders) != list(borders):
        raise ValueError("buckets should be sorted")
    if len(set(borders)) != len(borders):
        raise ValueError("buckets should not contain duplicated values")
    try:
        widths = [b - a for a, b in zip(borders, borders[1:])]
    except TypeError:
        return borders, False
    return borders, all(width == widths[0] for width in widths)

"""Count, mean, variance and the ends of numbers, gathered in one pass and merged."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable


class StatCounter:
    """Statistics of numbers, by Welford's method, which loses no digits.

    >>> StatCounter([1, 2, 3]).mean()
    2.0
    """

    def __init__(self, values: Iterable[float] | None = None):
        self.n = 0
        self.mu = 0.0
        self.m2 = 0.0
        self.maxValue = float("-inf")
        self.minValue = float("inf")
        for value in values or ():
            self.merge(value)

    def merge(self, value: float) -> StatCounter:
        """Adds a number."""
        delta = value - self.mu
        self.n += 1
        self.mu += delta / self.n
        self.m2 += delta * (value - self.mu)
        self.maxValue = max(self.maxValue, value)
        self.minValue = min(self.minValue, value)
        return self

    def mergeStats(self, other: StatCounter) -> StatCounter:
        """Adds all that another has counted."""
        if not isinstance(other, StatCounter):
            raise TypeError(f"give a StatCounter, not a {type(other).__name__}")
        if other is self:
            return self.mergeStats(other.copy())
        if self.n == 0:
            self.__dict__.update(other.__dict__)
        elif other.n != 0:
            delta = other.mu - self.mu
            total = self.n + other.n
            if other.n * 10 < self.n:
                self.mu += delta * other.n / total
            elif self.n * 10 < other.n:
                self.mu = other.mu - delta * self.n / total
            else:
                self.mu = (self.mu * self.n + other.mu * other.n) / total
            self.m2 += other.m2 + delta * delta * self.n * other.n / total
            self.n = total
            self.maxValue = max(self.maxValue, other.maxValue)
            self.minValue = min(self.minValue, other.minValue)
        return self

    def copy(self) -> StatCounter:
        """The same statistics, to be changed alone."""
        return copy.copy(self)

    def count(self) -> int:
        """How many numbers."""
        return self.n

    def mean(self) -> float:
        """Their mean."""
        return self.mu

    def sum(self) -> float:
        """Their sum."""
        return self.n * self.mu

    def min(self) -> float:
        """The least."""
        return self.minValue

    def max(self) -> float:
        """The greatest."""
        return self.maxValue

    def variance(self) -> float:
        """The variance of the numbers as a whole population."""
        return self.m2 / self.n if self.n else float("nan")

    def sampleVariance(self) -> float:
        """The variance of what the numbers are a sample of."""
        return self.m2 / (self.n - 1) if self.n > 1 else float("nan")

    def stdev(self) -> float:
        """The square root of the variance."""
        return math.sqrt(self.variance())

    def sampleStdev(self) -> float:
        """The square root of the sample's variance."""
        return math.sqrt(self.sampleVariance())

    def asDict(self, sample: bool = False) -> dict[str, float]:
        """All of them by name; those of a sample if asked."""
        return {
            "count": self.count(),
            "mean": self.mean(),
            "sum": self.sum(),
            "min": self.min(),
            "max": self.max(),
            "stdev": self.sampleStdev() if sample else self.stdev(),
            "variance": self.sampleVariance() if sample else self.variance(),
        }

    def __repr__(self) -> str:
        return (
            f"(count: {self.count()}, mean: {self.mean()}, stdev: {self.stdev()}, "
            f"max: {self.max()}, min: {self.min()})"
        )

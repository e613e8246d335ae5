"""Estimates: numbers with bounds, and how many different values there are."""

from __future__ import annotations

import hashlib
import math
import pickle
from collections.abc import Iterable
from typing import Any


class BoundedFloat(float):
    """A number that was estimated, with its confidence and bounds.

    >>> estimate = BoundedFloat(100.0, 0.95, 95.0, 105.0)
    >>> estimate, estimate.low, estimate.high
    (100.0, 95.0, 105.0)
    """

    confidence: float
    low: float
    high: float

    def __new__(cls, mean: float, confidence: float, low: float, high: float) -> BoundedFloat:
        """Makes the number."""
        number = float.__new__(cls, mean)
        number.confidence = confidence
        number.low = low
        number.high = high
        return number


class DistinctSketch:
    """A HyperLogLog sketch (Flajolet et al., 2007): how many different values, in little memory.

    >>> sketch = DistinctSketch(0.05)
    >>> sketch.add_all(range(1000))
    >>> 900 < sketch.estimate() < 1100
    True
    """

    def __init__(self, relative_deviation: float):
        if relative_deviation < 0.000017:
            raise ValueError("`relativeSD` must be at least 0.000017")
        # The standard deviation of the estimate is 1.04 / sqrt(registers).
        self.bits = max(4, min(24, math.ceil(2 * math.log2(1.04 / relative_deviation))))
        self.registers = bytearray(1 << self.bits)

    def add_all(self, values: Iterable[Any]) -> None:
        """Notes values."""
        for value in values:
            number = _number(value)
            register = number & ((1 << self.bits) - 1)
            rank = 65 - self.bits - (number >> self.bits).bit_length()
            if rank > self.registers[register]:
                self.registers[register] = rank

    def merge(self, other: DistinctSketch) -> DistinctSketch:
        """Notes all that another has noted."""
        self.registers = bytearray(map(max, self.registers, other.registers))
        return self

    def estimate(self) -> int:
        """About how many different values were noted."""
        count = len(self.registers)
        alpha = 0.7213 / (1 + 1.079 / count)
        raw = alpha * count * count / sum(2.0**-rank for rank in self.registers)
        empty = self.registers.count(0)
        if raw <= 2.5 * count and empty:
            return round(count * math.log(count / empty))
        return round(raw)


def _number(value: Any) -> int:
    """64 bits that are equal for equal values and look random for others."""
    if isinstance(value, (bool, int, float)):
        # Equal numbers of different types hash alike.
        data = hash(value).to_bytes(8, "little", signed=True)
    else:
        data = value.encode() if isinstance(value, str) else pickle.dumps(value)
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")

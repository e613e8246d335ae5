"""Random samples that are the same as Spark's for the same seed."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterable, Iterator
from typing import Any

#: Above this mean, products of random numbers would become too small for a float.
_POISSON_MEAN_MAX = 20.0


def generator(seed: int, partition: int) -> random.Random:
    """Python's generator for one partition.

    >>> generator(7, 0).random() == generator(7, 0).random()
    True
    """
    chance = random.Random(seed ^ partition)
    # Seeds of neighbouring partitions are alike, and so would be the first numbers.
    for _ in range(10):
        chance.randint(0, 1)
    return chance


def any_seed() -> int:
    """A seed where the user gave none."""
    return random.randint(0, sys.maxsize)


def poisson(chance: random.Random, mean: float) -> int:
    """A random number of a Poisson distribution, by Knuth's method."""
    count = 0
    if mean < _POISSON_MEAN_MAX:
        limit, product = math.exp(-mean), chance.random()
        while product > limit:
            count += 1
            product *= chance.random()
        return count
    time = chance.expovariate(mean)
    while time < 1.0:
        count += 1
        time += chance.expovariate(mean)
    return count


class Sampler:
    """Takes each value with the same probability, or a number of times with the same mean."""

    def __init__(self, with_replacement: bool, fraction: float, seed: int | None):
        self.with_replacement = with_replacement
        self.fraction = fraction
        self.seed = any_seed() if seed is None else seed

    def __call__(self, partition: int, values: Iterable[Any]) -> Iterator[Any]:
        chance = generator(self.seed, partition)
        for value in values:
            if self.with_replacement:
                for _ in range(poisson(chance, self.fraction)):
                    yield value
            elif chance.random() < self.fraction:
                yield value


class RangeSampler:
    """Takes the values whose random number lies in a range: ranges side by side divide the values."""

    def __init__(self, lower: float, upper: float, seed: int):
        self.lower, self.upper, self.seed = lower, upper, seed

    def __call__(self, partition: int, values: Iterable[Any]) -> Iterator[Any]:
        chance = generator(self.seed, partition)
        for value in values:
            if self.lower <= chance.random() < self.upper:
                yield value


class KeySampler:
    """Takes pairs with a probability that depends on their key."""

    def __init__(self, with_replacement: bool, fractions: dict[Any, float], seed: int | None):
        self.with_replacement = with_replacement
        self.fractions = fractions
        self.seed = any_seed() if seed is None else seed

    def __call__(self, partition: int, pairs: Iterable[Any]) -> Iterator[Any]:
        chance = generator(self.seed, partition)
        for key, value in pairs:
            if self.with_replacement:
                for _ in range(poisson(chance, self.fractions[key])):
                    yield key, value
            elif chance.random() < self.fractions[key]:
                yield key, value


def fraction_for(size: int, total: int, with_replacement: bool) -> float:
    """The fraction that gives at least `size` of `total` values in nearly every sample.

    >>> fraction_for(5, 5, False)
    1.0
    """
    fraction = size / total
    if with_replacement:
        deviations = 9 if size < 12 else 5
        return fraction + deviations * math.sqrt(fraction / total)
    failure = 0.00005
    gamma = -math.log(failure) / total
    return min(1.0, fraction + gamma + math.sqrt(gamma * gamma + 2 * gamma * fraction))

"""To which partition a key belongs: the same one as on Spark."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

try:
    from vonk._vonk import stable_hash as _stable_hash
except ImportError:  # the package without its compiled part
    _stable_hash = hash

#: Whether Python's own hash of texts is the one that Spark's workers use (PYTHONHASHSEED=0).
_HASHES_AS_SPARK = not sys.flags.hash_randomization and sys.hash_info.algorithm == "siphash13"

_text_hash: Callable[[Any], int] = hash if _HASHES_AS_SPARK else _stable_hash


def portable_hash(x: Any) -> int:
    """A hash that is the same in every process, also for `None`, texts, and tuples of them.

    Texts hash as Python does under `PYTHONHASHSEED=0`, whatever the seed of this process is.

    >>> portable_hash(None), portable_hash(7)
    (0, 7)
    >>> portable_hash((1, 2)) == portable_hash((1, 2))
    True
    """
    kind = type(x)
    if kind is int:
        return hash(x)
    if kind is str or kind is bytes:
        return _text_hash(x)
    if x is None:
        return 0
    if isinstance(x, tuple):
        # Python 2's hash of tuples, which Spark keeps; `&` keeps it in the size of a word.
        mixed = 0x345678
        for item in x:
            mixed = ((mixed ^ portable_hash(item)) * 1000003) & sys.maxsize
        return mixed ^ len(x)
    return hash(x)


class Partitioner:
    """A number of partitions, and a function from a key to a whole number.

    >>> Partitioner(4, lambda key: key)(7)
    3
    """

    def __init__(self, numPartitions: int, partitionFunc: Callable[[Any], int]):
        self.numPartitions = numPartitions
        self.partitionFunc = partitionFunc

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Partitioner)
            and self.numPartitions == other.numPartitions
            and self.partitionFunc == other.partitionFunc
        )

    def __hash__(self) -> int:
        return hash((self.numPartitions, self.partitionFunc))

    def __call__(self, key: Any) -> int:
        return self.partitionFunc(key) % self.numPartitions

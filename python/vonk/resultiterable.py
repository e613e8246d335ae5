"""The values of a group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import Generic, TypeVar

T = TypeVar("T")


class ResultIterable(Iterable[T], Generic[T]):
    """Values that can be iterated over again and again, and counted.

    >>> group = ResultIterable([3, 1])
    >>> len(group), sorted(group)
    (2, [1, 3])
    """

    def __init__(self, data: Iterable[T]):
        self.data = data
        self.index = 0
        self.maxindex = len(data) if isinstance(data, Sized) else 0

    def __iter__(self) -> Iterator[T]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)  # type: ignore[arg-type]

"""Values that all tasks read."""

from __future__ import annotations

import itertools
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_ids = itertools.count()


class Broadcast(Generic[T]):
    """A value for the tasks. They are forked from the program, so they have it without a copy.

    >>> from vonk import SparkContext
    >>> sc = SparkContext.getOrCreate()
    >>> names = sc.broadcast({1: "one", 2: "two"})
    >>> sc.parallelize([2, 1]).map(lambda n: names.value[n]).collect()
    ['two', 'one']
    """

    def __init__(self, value: T):
        self._id = next(_ids)
        self._value: T | None = value
        self._is_destroyed = False

    @property
    def value(self) -> T:
        """The value."""
        if self._is_destroyed:
            raise RuntimeError("the broadcast value was destroyed")
        return self._value  # type: ignore[return-value]

    def unpersist(self, blocking: bool = False) -> None:
        """Is accepted; there are no copies to drop."""

    def destroy(self, blocking: bool = False) -> None:
        """Drops the value for good."""
        self._value = None
        self._is_destroyed = True

    def __repr__(self) -> str:
        return f"<Broadcast {self._id}>"

    def __reduce__(self) -> Any:
        return (_restore, (self._id, self.value))


def _restore(number: int, value: Any) -> Broadcast[Any]:
    broadcast = Broadcast(value)
    broadcast._id = number
    return broadcast

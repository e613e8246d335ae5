"""Sums that tasks add to and the program reads."""

from __future__ import annotations

import itertools
import threading
import weakref
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_ids = itertools.count()
_known: weakref.WeakValueDictionary[int, Accumulator[Any]] = weakref.WeakValueDictionary()
_apply_lock = threading.Lock()

#: What the running task added, by the id of the accumulator; None while no task runs.
_updates: dict[int, Any] | None = None


class AccumulatorParam(Generic[T]):
    """How values of a kind are added: what is zero, and the sum of two."""

    def zero(self, value: T) -> T:
        """The value that changes nothing, of the kind of `value`."""
        raise NotImplementedError

    def addInPlace(self, value1: T, value2: T) -> T:
        """The sum; `value1` may be changed and given back."""
        raise NotImplementedError


class AddingAccumulatorParam(AccumulatorParam[Any]):
    """Adds with `+=`, from a given zero."""

    def __init__(self, zero_value: Any):
        self.zero_value = zero_value

    def zero(self, value: Any) -> Any:
        """The zero that was given."""
        return self.zero_value

    def addInPlace(self, value1: Any, value2: Any) -> Any:
        """`value1 += value2`."""
        value1 += value2
        return value1


INT_ACCUMULATOR_PARAM = AddingAccumulatorParam(0)
FLOAT_ACCUMULATOR_PARAM = AddingAccumulatorParam(0.0)
COMPLEX_ACCUMULATOR_PARAM = AddingAccumulatorParam(0.0j)


class Accumulator(Generic[T]):
    """A value that tasks add to; the sums of each task arrive once, when the task has succeeded.

    >>> from vonk import SparkContext
    >>> sc = SparkContext.getOrCreate()
    >>> total = sc.accumulator(10)
    >>> sc.parallelize([1, 2, 3]).foreach(lambda x: total.add(x))
    >>> total.value
    16
    """

    def __init__(self, aid: int, value: T, accum_param: AccumulatorParam[T]):
        self.aid = aid
        self.accum_param = accum_param
        self._value = value
        _known[aid] = self

    @property
    def value(self) -> T:
        """The sum so far; only the program may read it."""
        if _updates is not None:
            raise RuntimeError("`Accumulator.value` cannot be read inside of a task")
        return self._value

    @value.setter
    def value(self, value: T) -> None:
        if _updates is not None:
            raise RuntimeError("`Accumulator.value` cannot be set inside of a task")
        self._value = value

    def add(self, term: T) -> None:
        """Adds a term."""
        if _updates is None:
            self._value = self.accum_param.addInPlace(self._value, term)
            return
        if self.aid not in _updates:
            _updates[self.aid] = self.accum_param.zero(self._value)
        _updates[self.aid] = self.accum_param.addInPlace(_updates[self.aid], term)

    def __iadd__(self, term: T) -> Accumulator[T]:
        self.add(term)
        return self

    def __str__(self) -> str:
        return str(self._value)

    def __repr__(self) -> str:
        return f"Accumulator<id={self.aid}, value={self._value}>"


def create(value: Any, param: AccumulatorParam[Any] | None) -> Accumulator[Any]:
    """A new accumulator; numbers know how they are added.

    >>> create(1, None)._value
    1
    """
    if param is None:
        params = {
            int: INT_ACCUMULATOR_PARAM,
            float: FLOAT_ACCUMULATOR_PARAM,
            complex: COMPLEX_ACCUMULATOR_PARAM,
        }
        param = next((params[kind] for kind in params if isinstance(value, kind)), None)
    if param is None:
        raise TypeError(f"give an `AccumulatorParam` that adds values of {type(value).__name__}")
    return Accumulator(next(_ids), value, param)


def begin_task() -> None:
    """Begins to note what is added."""
    global _updates
    _updates = {}


def end_task() -> dict[int, Any]:
    """Ends the notes of a task, and gives them."""
    global _updates
    updates, _updates = _updates, None
    return updates or {}


def apply(updates: dict[int, Any]) -> None:
    """Adds what a task noted to the program's values."""
    with _apply_lock:
        for aid, update in updates.items():
            accumulator = _known.get(aid)
            if accumulator is not None:
                accumulator._value = accumulator.accum_param.addInPlace(accumulator._value, update)

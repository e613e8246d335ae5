"""Objects as pickled batches: one pickle holds many of them, which is what makes it fast."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

PROTOCOL = 5

#: Objects of one pickle. Large enough that the pickle's frame costs nothing per object.
BATCH_OBJECTS = 4096


def dumps(value: Any) -> bytes:
    """Pickles a value; with `cloudpickle`, if it is installed, also functions and local classes.

    >>> pickle.loads(dumps([1, "a"]))
    [1, 'a']
    """
    try:
        return pickle.dumps(value, PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        try:
            import cloudpickle
        except ImportError:
            raise error from None
        return cloudpickle.dumps(value, PROTOCOL)


def batches(values: Iterable[Any], size: int = BATCH_OBJECTS) -> Iterator[list[Any]]:
    """Cuts values into lists of at most `size`.

    >>> list(batches("abc", 2))
    [['a', 'b'], ['c']]
    """
    iterator = iter(values)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def write(values: Iterable[Any], file: BinaryIO, size: int = BATCH_OBJECTS) -> None:
    """Writes values as a row of pickles, `size` of them in each."""
    for batch in batches(values, size):
        file.write(dumps(batch))


def read(file: BinaryIO) -> Iterator[Any]:
    """Reads what `write` wrote, one value after the other."""
    while True:
        try:
            batch = pickle.load(file)
        except EOFError:
            return
        yield from batch

"""Moving rows between partitions: files of pickled batches, and merging what they bring together."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vonk import serial
from vonk.lineage import Shuffled

#: Rows that a task gathers before it writes them out.
_ROWS_HELD = 1 << 16


@dataclass
class Output:
    """What one task of the parent wrote: a file, and for each partition where its batches begin."""

    path: str
    places: dict[int, list[int]]


def write(node: Shuffled, index: int) -> Output:
    """Computes a partition of the parent and writes each row to the batch of its new partition."""
    path = os.path.join(node.folder, f"part-{index}")
    places: dict[int, list[int]] = {}
    with open(path, "xb") as file:
        buckets: dict[int, list[Any]] = {}
        held = 0
        for target, row in node.route(index, node.parents[0].iterate(index)):
            bucket = buckets.get(target)
            if bucket is None:
                buckets[target] = [row]
            else:
                bucket.append(row)
            held += 1
            if held >= _ROWS_HELD:
                _write_buckets(buckets, file, places)
                held = 0
        _write_buckets(buckets, file, places)
    return Output(path, places)


def _write_buckets(buckets: dict[int, list[Any]], file: Any, places: dict[int, list[int]]) -> None:
    for target, rows in buckets.items():
        places.setdefault(target, []).append(file.tell())
        file.write(serial.dumps(rows))
    buckets.clear()


def read(outputs: list[Output], index: int) -> Iterator[Any]:
    """The rows of a partition, in the order of the tasks that wrote them."""
    for output in outputs:
        begins = output.places.get(index)
        if begins:
            with open(output.path, "rb") as file:
                for begin in begins:
                    file.seek(begin)
                    yield from pickle.load(file)

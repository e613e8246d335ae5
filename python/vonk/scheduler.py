"""Running a job: first the moves of rows that it needs, then its own tasks."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vonk import shuffle, taskcontext, trace, workers
from vonk.lineage import Node, Shuffled
from vonk.workers import Task

if TYPE_CHECKING:
    from vonk.context import SparkContext

_stages = itertools.count()
_attempts = itertools.count()


@dataclass(eq=False)
class Job:
    """A running action: who may cancel it, and by what."""

    group: str | None
    tags: frozenset[str]
    cancelled: threading.Event = field(default_factory=threading.Event)


def run(
    context: SparkContext,
    node: Node,
    function: Callable[[int, Iterator[Any]], Any],
    partitions: Sequence[int] | None = None,
) -> list[Any]:
    """Calls a function on partitions of a node, in workers, and gives the results in their order."""
    indices = range(node.num_partitions) if partitions is None else partitions
    if workers.in_worker():
        raise RuntimeError("an RDD can be used by the program only, not inside of a task")
    with context._running_job() as job:
        _prepare(context, node, job)
        results = run_stage(context, node, function, indices, job)
        _make_checkpoints(context, node, job)
        return results


def _prepare(context: SparkContext, node: Node, job: Job) -> None:
    for pending in _pending(node, context):
        if pending.outputs is None:
            run_one = lambda index, _values, pending=pending: shuffle.write(pending, index)  # noqa: E731
            parent = pending.parents[0]
            indices = range(parent.num_partitions)
            pending.outputs = run_stage(context, parent, run_one, indices, job)


def _pending(node: Node, context: SparkContext) -> list[Shuffled]:
    """The moves that have not run, those first that others need. What can be compiled is run."""
    ordered: list[Shuffled] = []
    seen: set[int] = set()
    stack: list[tuple[Node, bool]] = [(node, False)]
    while stack:
        current, is_done = stack.pop()
        if is_done:
            assert isinstance(current, Shuffled)
            ordered.append(current)
            continue
        if current.id in seen or current.is_ready() or trace.hold(context, current):
            continue
        seen.add(current.id)
        if isinstance(current, Shuffled):
            if current.outputs is not None:
                continue
            stack.append((current, True))
        stack.extend((parent, False) for parent in reversed(current.parents))
    return ordered


def run_stage(
    context: SparkContext,
    node: Node,
    function: Callable[[int, Iterator[Any]], Any],
    indices: Sequence[int],
    job: Job,
) -> list[Any]:
    """Runs one task for each partition, and gives the results in the order of the partitions."""
    stage = next(_stages)

    def task(index: int) -> Task:
        attempt = next(_attempts)

        def call() -> Any:
            with taskcontext.running(context, stage, index, node.num_partitions, attempt):
                return function(index, _lazily(node, index))

        name = node.name or f"{node.label}[{node.id}]"
        return Task(call, f"the task of partition {index} of {name}")

    tasks = [task(index) for index in indices]
    done = dict(workers.run(tasks, context._slots, job.cancelled, context._rules))
    return [done[position] for position in range(len(tasks))]


def _lazily(node: Node, index: int) -> Iterator[Any]:
    """The values of a partition, which is computed only if somebody asks for the first of them."""
    yield from node.iterate(index)


def _make_checkpoints(context: SparkContext, node: Node, job: Job) -> None:
    """Writes the partitions of nodes that a checkpoint was asked of, and cuts their lineage."""
    if not context._checkpoints:
        return
    seen: set[int] = set()
    stack = [node]
    while stack:
        current = stack.pop()
        if current.id in seen or current.checkpoint is not None:
            continue
        seen.add(current.id)
        folder = context._checkpoints.pop(current.id, None)
        if folder is not None:
            context._write_checkpoint(current, folder, job)
        stack.extend(current.parents)

"""What a task may know about itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from vonk.context import SparkContext


class TaskContext:
    """The running task: its partition, stage and attempt.

    >>> from vonk import SparkContext
    >>> sc = SparkContext.getOrCreate()
    >>> sc.parallelize("ab", 2).map(lambda x: (x, TaskContext.get().partitionId())).collect()
    [('a', 0), ('b', 1)]
    """

    _current: ClassVar[TaskContext | None] = None

    def __init__(
        self, context: SparkContext, stage: int, partition: int, partitions: int, attempt: int
    ):
        self._context = context
        self._stage = stage
        self._partition = partition
        self._partitions = partitions
        self._attempt = attempt

    @classmethod
    def get(cls) -> TaskContext | None:
        """The running task; None in the program itself."""
        return TaskContext._current

    def stageId(self) -> int:
        """The number of the stage."""
        return self._stage

    def partitionId(self) -> int:
        """The number of the partition."""
        return self._partition

    def attemptNumber(self) -> int:
        """How many times the task was tried before: tasks are tried once."""
        return 0

    def numPartitions(self) -> int:
        """How many partitions the stage has."""
        return self._partitions

    def taskAttemptId(self) -> int:
        """A number that no other task has."""
        return self._attempt

    def cpus(self) -> int:
        """How many processors the task was given."""
        return 1

    def getLocalProperty(self, key: str) -> str | None:
        """A property that the program's thread had set."""
        return self._context.getLocalProperty(key)

    def resources(self) -> dict[str, Any]:
        """The special resources of the task: none."""
        return {}


class BarrierTaskInfo:
    """Where a task of a barrier stage runs."""

    def __init__(self, address: str):
        self.address = address


class BarrierTaskContext(TaskContext):
    """The running task of a barrier stage. Tasks cannot wait for each other yet."""

    @classmethod
    def get(cls) -> BarrierTaskContext:  # type: ignore[override]
        """The running task."""
        task = TaskContext._current
        if task is None:
            raise RuntimeError("there is no running task")
        copy = cls.__new__(cls)
        copy.__dict__.update(task.__dict__)
        return copy

    def getTaskInfos(self) -> list[BarrierTaskInfo]:
        """One address for each task."""
        return [BarrierTaskInfo("localhost") for _ in range(self._partitions)]

    def barrier(self) -> None:
        """Is not supported."""
        from vonk.errors import not_supported

        raise not_supported("`BarrierTaskContext.barrier`", "do without waiting for other tasks")


@contextlib.contextmanager
def running(
    context: SparkContext, stage: int, partition: int, partitions: int, attempt: int
) -> Iterator[None]:
    """Says that a task runs while the block does."""
    TaskContext._current = TaskContext(context, stage, partition, partitions, attempt)
    try:
        yield
    finally:
        TaskContext._current = None

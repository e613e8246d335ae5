"""What the program may ask about its jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vonk.context import SparkContext


class SparkJobInfo(NamedTuple):
    """A job."""

    jobId: int
    stageIds: list[int]
    status: str


class SparkStageInfo(NamedTuple):
    """A stage of a job."""

    stageId: int
    currentAttemptId: int
    name: str
    numTasks: int
    numActiveTasks: int
    numCompletedTasks: int
    numFailedTasks: int


class SparkExecutorInfo(NamedTuple):
    """A machine that runs tasks."""

    host: str
    port: int
    cacheSize: int
    numRunningTasks: int


class StatusTracker:
    """Looks at the jobs that run now.

    >>> from vonk import SparkContext
    >>> SparkContext.getOrCreate().statusTracker().getActiveJobsIds()
    []
    """

    def __init__(self, context: SparkContext):
        self._context = context

    def getJobIdsForGroup(self, jobGroup: str | None = None) -> list[int]:
        """The running jobs of a group."""
        return sorted(id(job) for job in self._context._jobs if job.group == jobGroup)

    def getActiveJobsIds(self) -> list[int]:
        """The running jobs."""
        return sorted(id(job) for job in self._context._jobs)

    def getActiveStageIds(self) -> list[int]:
        """Stages are not told apart yet."""
        return []

    def getJobInfo(self, jobId: int) -> SparkJobInfo | None:
        """A running job."""
        running = jobId in self.getActiveJobsIds()
        return SparkJobInfo(jobId, [], "RUNNING") if running else None

    def getStageInfo(self, stageId: int) -> SparkStageInfo | None:
        """Stages are not told apart yet."""
        return None

"""The jobs of a context: their groups and tags, cancelling them, and checkpoints."""

from __future__ import annotations

import contextlib
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from vonk import files, scheduler
from vonk.errors import JobError
from vonk.lineage import Node
from vonk.scheduler import Job
from vonk.status import StatusTracker
from vonk.storage import Storage

if TYPE_CHECKING:
    from vonk.conf import SparkConf
    from vonk.rdd import RDD
    from vonk.rules import Rules

_GROUP = "spark.jobGroup.id"
_DESCRIPTION = "spark.job.description"


class Jobs:
    """What runs, by whom it may be ended, and what it leaves."""

    _conf: SparkConf
    _slots: int
    _rules: Rules

    def _begin_jobs(self) -> None:
        self._storage = Storage()
        self._jobs: set[Job] = set()
        self._jobs_lock = threading.Lock()
        self._local = threading.local()
        self._is_stopped = False
        #: Nodes that wait for their checkpoint, with the folder that it goes to.
        self._checkpoints: dict[int, str] = {}
        self._checkpoint_folders: dict[int, str] = {}
        self._local_checkpoints: set[int] = set()
        self._checkpoint_dir: str | None = None

    @contextlib.contextmanager
    def _running_job(self) -> Iterator[Job]:
        if self._is_stopped:
            raise RuntimeError("the SparkContext is stopped")
        job = Job(self.getLocalProperty(_GROUP), frozenset(self.getJobTags()))
        with self._jobs_lock:
            self._jobs.add(job)
        try:
            yield job
        finally:
            with self._jobs_lock:
                self._jobs.discard(job)

    def _cancel(self, is_meant: Callable[[Job], bool]) -> None:
        with self._jobs_lock:
            for job in self._jobs:
                if is_meant(job):
                    job.cancelled.set()

    def cancelAllJobs(self) -> None:
        """Cancels every running job."""
        self._cancel(lambda job: True)

    def cancelJobGroup(self, groupId: str) -> None:
        """Cancels the running jobs of a group."""
        self._cancel(lambda job: job.group == groupId)

    def cancelJobsWithTag(self, tag: str) -> None:
        """Cancels the running jobs with a tag."""
        self._cancel(lambda job: tag in job.tags)

    def _properties(self) -> dict[str, str]:
        if not hasattr(self._local, "properties"):
            self._local.properties = {}
        properties: dict[str, str] = self._local.properties
        return properties

    def setLocalProperty(self, key: str, value: str | None) -> None:
        """Sets a property of the jobs of this thread; `None` removes it."""
        if value is None:
            self._properties().pop(key, None)
        else:
            self._properties()[key] = value

    def getLocalProperty(self, key: str) -> str | None:
        """A property that this thread has set."""
        return self._properties().get(key)

    def setJobGroup(self, groupId: str, description: str, interruptOnCancel: bool = False) -> None:
        """Puts the jobs of this thread into a group, by which they can be cancelled."""
        self.setLocalProperty(_GROUP, groupId)
        self.setLocalProperty(_DESCRIPTION, description)

    def setJobDescription(self, value: str) -> None:
        """Describes the jobs of this thread."""
        self.setLocalProperty(_DESCRIPTION, value)

    def setInterruptOnCancel(self, interruptOnCancel: bool) -> None:
        """Is accepted: what is cancelled always ends at once."""

    def _tags(self) -> set[str]:
        if not hasattr(self._local, "tags"):
            self._local.tags = set()
        tags: set[str] = self._local.tags
        return tags

    def addJobTag(self, tag: str) -> None:
        """Gives the jobs of this thread a tag, by which they can be cancelled."""
        if not tag or "," in tag:
            raise ValueError("a job tag is not empty and has no comma")
        self._tags().add(tag)

    def removeJobTag(self, tag: str) -> None:
        """Takes a tag away."""
        self._tags().discard(tag)

    def getJobTags(self) -> set[str]:
        """The tags of this thread."""
        return set(self._tags())

    def clearJobTags(self) -> None:
        """Takes all tags away."""
        self._tags().clear()

    def statusTracker(self) -> StatusTracker:
        """Looks at the jobs that run now."""
        return StatusTracker(self)  # type: ignore[arg-type]

    def runJob(
        self,
        rdd: RDD[Any],
        partitionFunc: Callable[[Iterable[Any]], Iterable[Any]],
        partitions: list[int] | None = None,
        allowLocal: bool = False,
    ) -> list[Any]:
        """All that a function makes of some partitions, in a list.

        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> sc.runJob(sc.parallelize(range(6), 3), lambda rows: [x * x for x in rows], [0, 2])
        [0, 1, 16, 25]
        """
        run = lambda _, rows: list(partitionFunc(rows))  # noqa: E731
        parts = scheduler.run(self, rdd._node, run, partitions)  # type: ignore[arg-type]
        return [row for part in parts for row in part]

    def setCheckpointDir(self, dirName: str) -> None:
        """Names the folder below which checkpoints are written."""
        folder = os.path.join(files.local_path(dirName), uuid.uuid4().hex)
        os.makedirs(folder)
        self._checkpoint_dir = folder

    def getCheckpointDir(self) -> str | None:
        """The folder below which checkpoints are written."""
        return None if self._checkpoint_dir is None else files.url(self._checkpoint_dir)

    def _ask_checkpoint(self, node: Node, is_local: bool) -> None:
        if node.checkpoint is not None:
            return
        if is_local:
            self._local_checkpoints.add(node.id)
            self._checkpoints[node.id] = self._storage.new_folder(f"checkpoint-{node.id}")
            return
        if self._checkpoint_dir is None:
            raise JobError("Checkpoint directory has not been set in the SparkContext")
        self._checkpoints[node.id] = os.path.join(self._checkpoint_dir, f"rdd-{node.id}")

    def _write_checkpoint(self, node: Node, folder: str, job: Job) -> None:
        write = lambda i, rows: self._storage.write(os.path.join(folder, f"part-{i:05}"), rows)  # noqa: E731
        indices = range(node.num_partitions)
        node.checkpoint = scheduler.run_stage(self, node, write, indices, job)  # type: ignore[arg-type]
        self._checkpoint_folders[node.id] = folder

    def _checkpoint_folder(self, node: Node) -> str | None:
        folder = self._checkpoint_folders.get(node.id)
        return None if folder is None or node.id in self._local_checkpoints else files.url(folder)

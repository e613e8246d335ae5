"""What every RDD has: its context, lineage, name, and how it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from vonk import trace
from vonk.lineage import Narrow, Node, PartitionFunction, Shuffled, Source, Step, Values
from vonk.partitioner import Partitioner
from vonk.storagelevel import StorageLevel

if TYPE_CHECKING:
    from typing_extensions import Self

    from vonk.context import SparkContext
    from vonk.rdd import RDD

T = TypeVar("T")


class Base(Generic[T]):
    """An RDD as such: a handle of a node of the lineage."""

    def __init__(self, node: Node, ctx: SparkContext):
        self._node = node
        self.ctx = ctx

    def _new(self, node: Node) -> RDD[Any]:
        from vonk.rdd import RDD, PipelinedRDD

        return (PipelinedRDD if isinstance(node, Narrow) else RDD)(node, self.ctx)

    def _narrow(
        self,
        function: PartitionFunction,
        step: Step | None = None,
        keeps_partitioning: bool = False,
    ) -> RDD[Any]:
        node = Narrow(self._node, function, keeps_partitioning)
        node.step = step
        return self._new(node)

    def __getnewargs__(self) -> Any:
        raise RuntimeError(
            "an RDD can be used by the program only: it cannot be part of a value or a result"
        )

    def __repr__(self) -> str:
        return self._node.name or f"{self._node.label}[{self._node.id}]"

    def id(self) -> int:
        """A number that no other RDD of the program has."""
        return self._node.id

    @property
    def context(self) -> SparkContext:
        """The context that made it.

        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> sc.range(5).context is sc
        True
        """
        return self.ctx

    @property
    def partitioner(self) -> Partitioner | None:
        """How its pairs lie in partitions, if that is known."""
        return self._node.partitioner

    @property
    def is_cached(self) -> bool:
        """Whether its partitions are kept."""
        return self._node.is_kept

    @property
    def is_checkpointed(self) -> bool:
        """Whether a checkpoint was asked for."""
        return self._node.checkpoint is not None or self._node.id in self.ctx._checkpoints

    def getNumPartitions(self) -> int:
        """How many partitions there are.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().parallelize([1, 2, 3], 2).getNumPartitions()
        2
        """
        return self._node.num_partitions

    def name(self) -> str | None:
        """The name that was given."""
        return self._node.name

    def setName(self, name: str) -> Self:
        """Gives a name."""
        self._node.name = name
        return self

    def cache(self) -> Self:
        """Keeps the partitions from the first time that they are computed."""
        return self.persist(StorageLevel.MEMORY_ONLY)

    def persist(self, storageLevel: StorageLevel = StorageLevel.MEMORY_ONLY) -> Self:
        """As `cache`, with a level.

        >>> from vonk import SparkContext
        >>> SparkContext.getOrCreate().range(3).persist().is_cached
        True
        """
        before = self._node.level
        if before not in (StorageLevel.NONE, storageLevel):
            from vonk.errors import JobError

            raise JobError(
                "Cannot change storage level of an RDD after it was already assigned a level"
            )
        self._node.level = storageLevel
        return self

    def unpersist(self, blocking: bool = False) -> Self:
        """Drops the kept partitions and keeps no more."""
        self._node.level = StorageLevel.NONE
        self._node.storage.forget(self._node)
        if self._node.step is not None or isinstance(self._node, Source):
            self._node.held = None
        return self

    def getStorageLevel(self) -> StorageLevel:
        """How its partitions are kept."""
        return self._node.level

    def checkpoint(self) -> None:
        """Writes the partitions to the checkpoint folder at the end of the next job."""
        self.ctx._ask_checkpoint(self._node, is_local=False)

    def localCheckpoint(self) -> None:
        """As `checkpoint`, in the private folder of the program."""
        self.ctx._ask_checkpoint(self._node, is_local=True)

    def isCheckpointed(self) -> bool:
        """Whether a checkpoint was made."""
        return self._node.checkpoint is not None

    def isLocallyCheckpointed(self) -> bool:
        """Whether `localCheckpoint` was asked for."""
        return self._node.id in self.ctx._local_checkpoints

    def getCheckpointFile(self) -> str | None:
        """The folder of the checkpoint, if one was made."""
        return self.ctx._checkpoint_folder(self._node)

    def toDebugString(self) -> bytes:
        """The lineage: what it is computed from, each with its number of partitions.

        >>> from vonk import SparkContext
        >>> text = SparkContext.getOrCreate().parallelize([1], 1).map(str).toDebugString()
        >>> "ParallelCollectionRDD" in text.decode()
        True
        """
        lines: list[str] = []
        _describe(self._node, 0, lines)
        return "\n".join(lines).encode()

    def explain(self) -> None:
        """Prints the lineage, and for each step whether it runs compiled or in Python, and why."""
        print(trace.explain(self.ctx, self._node))

    def cleanShuffleDependencies(self, blocking: bool = False) -> None:
        """Drops the moved rows that this was computed from; they are computed again if need be."""
        stack = list(self._node.parents)
        while stack:
            node = stack.pop()
            if isinstance(node, Shuffled):
                node.forget()
            stack.extend(node.parents)

    def _default_reduce_partitions(self) -> int:
        if self.ctx._conf.contains("spark.default.parallelism"):
            return self.ctx.defaultParallelism
        return self.getNumPartitions()

    def withResources(self, profile: Any) -> Self:
        """Is not supported."""
        from vonk.errors import not_supported

        raise not_supported("`RDD.withResources`", "all workers share the machine as it is")

    def getResourceProfile(self) -> None:
        """There is none."""
        return None


def _describe(node: Node, depth: int, lines: list[str]) -> None:
    while True:
        margin = " |  " * depth
        words = f"{node.label}[{node.id}]"
        if isinstance(node, Values):
            words = f"PythonRDD[{node.id}] of a {words}"
        if node.name:
            words = f"{node.name} {words}"
        kept = f" [{node.level}]" if node.is_kept else ""
        lines.append(f"{margin}({node.num_partitions}) {words}{kept}")
        if node.checkpoint is not None or not node.parents:
            return
        for parent in node.parents[1:]:
            _describe(parent, depth + 1, lines)
        node = node.parents[0]
        depth += 1

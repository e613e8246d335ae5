"""The steps from which an RDD is computed: sources, narrow steps, and steps that move rows.

A node says how many partitions it has and computes one of them, in a worker, from partitions of its
parents. Nothing is computed when a node is made.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vonk import watch
from vonk.partitioner import Partitioner
from vonk.storagelevel import StorageLevel

if TYPE_CHECKING:
    from vonk.storage import Storage

PartitionFunction = Callable[[int, Iterator[Any]], Iterable[Any]]

_ids = itertools.count()


@dataclass
class Step:
    """What a node does in words that tracing understands: `map`, `filter`, `flatMap`, …

    `base` is the node that the step as a whole starts from, where it is made of several nodes.
    """

    kind: str
    function: Callable[..., Any]
    base: Node | None = None


class Node:
    """One RDD's part of the lineage."""

    #: What `toDebugString` calls it.
    label = "PythonRDD"

    def __init__(self, storage: Storage, parents: Sequence[Node]):
        self.id = next(_ids)
        self.storage = storage
        self.parents: tuple[Node, ...] = tuple(parents)
        self.name: str | None = None
        self.partitioner: Partitioner | None = None
        self.level = StorageLevel.NONE
        self.step: Step | None = None
        #: Files of a checkpoint, one for each partition, once it is made.
        self.checkpoint: list[str] | None = None
        #: Partitions that compiled code has made and holds, once it has.
        self.held: Any = None
        #: Why the node ran in Python, if tracing was tried.
        self.remark: str | None = None

    @property
    def num_partitions(self) -> int:
        """How many partitions there are."""
        return self.parents[0].num_partitions

    @property
    def is_kept(self) -> bool:
        """Whether partitions are kept once they are computed."""
        return self.level != StorageLevel.NONE

    def compute(self, index: int) -> Iterator[Any]:
        """Computes a partition, whether it is kept or not."""
        raise NotImplementedError

    def iterate(self, index: int) -> Iterator[Any]:
        """A partition: from where it is kept, or else computed."""
        return watch.counted(self._found_partition(index))

    def _found_partition(self, index: int) -> Iterator[Any]:
        if self.checkpoint is not None:
            return self.storage.read(self.checkpoint[index])
        if self.held is not None:
            return iter(self.held.partition(index))
        if self.is_kept:
            return self.storage.get_or_compute(self, index)
        return self.compute(index)

    def is_ready(self) -> bool:
        """Whether every partition is at hand, so that nothing above it has to run."""
        if self.checkpoint is not None or self.held is not None:
            return True
        return self.is_kept and self.storage.has_all(self)


class Values(Node):
    """Values of the program, cut into partitions."""

    label = "ParallelCollectionRDD"

    def __init__(self, storage: Storage, slices: Sequence[Sequence[Any]]):
        super().__init__(storage, ())
        self.slices = slices

    @property
    def num_partitions(self) -> int:
        """One for each slice."""
        return len(self.slices)

    def compute(self, index: int) -> Iterator[Any]:
        """The values of a slice."""
        return iter(self.slices[index])


class Source(Node):
    """Something outside that is read in parts: files, or parts of files."""

    def __init__(
        self,
        storage: Storage,
        parts: Sequence[Any],
        read: Callable[[Any], Iterator[Any]],
        label: str,
    ):
        super().__init__(storage, ())
        self.parts = parts
        self.read = read
        self.label = label

    @property
    def num_partitions(self) -> int:
        """One for each part."""
        return len(self.parts)

    def compute(self, index: int) -> Iterator[Any]:
        """Reads a part."""
        return self.read(self.parts[index])


class Narrow(Node):
    """A function of one partition of one parent."""

    def __init__(self, parent: Node, function: PartitionFunction, keeps_partitioning: bool = False):
        super().__init__(parent.storage, (parent,))
        self.function = function
        if keeps_partitioning:
            self.partitioner = parent.partitioner

    def compute(self, index: int) -> Iterator[Any]:
        """Runs the functions of a whole chain of narrow steps, each over what the last one gives."""
        functions = []
        node: Node = self
        while True:
            functions.append(node.function)  # type: ignore[attr-defined]
            node = node.parents[0]
            if not isinstance(node, Narrow) or node.is_kept or node.is_ready():
                break
        values = node.iterate(index)
        for function in reversed(functions):
            values = iter(function(index, values))
        return values


class Union(Node):
    """The partitions of all parents, one parent after the other."""

    label = "UnionRDD"

    def __init__(self, storage: Storage, parents: Sequence[Node]):
        super().__init__(storage, parents)
        self.places = [(p, i) for p in parents for i in range(p.num_partitions)]

    @property
    def num_partitions(self) -> int:
        """The sum of the parents'."""
        return len(self.places)

    def compute(self, index: int) -> Iterator[Any]:
        """A partition of one parent."""
        parent, inner = self.places[index]
        return parent.iterate(inner)


class AlignedUnion(Node):
    """Parents with the same partitioner: partition by partition, so that it stays true."""

    label = "PartitionerAwareUnionRDD"

    def __init__(self, storage: Storage, parents: Sequence[Node]):
        super().__init__(storage, parents)
        self.partitioner = parents[0].partitioner

    def compute(self, index: int) -> Iterator[Any]:
        """The same partition of every parent."""
        return itertools.chain.from_iterable(p.iterate(index) for p in self.parents)


def union(storage: Storage, parents: Sequence[Node]) -> Node:
    """The union of nodes, aligned if they share a partitioner."""
    first = parents[0].partitioner
    if first is not None and all(parent.partitioner == first for parent in parents):
        return AlignedUnion(storage, parents)
    return Union(storage, parents)


class Grouped(Node):
    """Fewer partitions without moving rows: each is a run of the parent's."""

    label = "CoalescedRDD"

    def __init__(self, parent: Node, num_partitions: int):
        super().__init__(parent.storage, (parent,))
        before = parent.num_partitions
        count = min(num_partitions, before)
        self.runs = [range(i * before // count, (i + 1) * before // count) for i in range(count)]

    @property
    def num_partitions(self) -> int:
        """One for each run."""
        return len(self.runs)

    def compute(self, index: int) -> Iterator[Any]:
        """The partitions of a run, one after the other."""
        parent = self.parents[0]
        return itertools.chain.from_iterable(parent.iterate(i) for i in self.runs[index])


class Cartesian(Node):
    """Every pair of a row of one parent and a row of the other."""

    label = "CartesianRDD"

    @property
    def num_partitions(self) -> int:
        """One for each pair of partitions."""
        return self.parents[0].num_partitions * self.parents[1].num_partitions

    def compute(self, index: int) -> Iterator[Any]:
        """The pairs of two partitions."""
        left, right = self.parents
        outer, inner = divmod(index, right.num_partitions)
        others = list(right.iterate(inner))
        return ((a, b) for a in left.iterate(outer) for b in others)


class Zipped(Node):
    """Rows of the same place in two parents."""

    label = "ZippedPartitionsRDD2"

    def compute(self, index: int) -> Iterator[Any]:
        """The pairs of the same partition of both."""
        left, right = (parent.iterate(index) for parent in self.parents)
        end = object()
        for a, b in itertools.zip_longest(left, right, fillvalue=end):
            if a is end or b is end:
                raise ValueError(
                    "Can only zip RDDs with the same number of elements in each partition"
                )
            yield a, b


class Shuffled(Node):
    """Rows moved to the partition that a function gives them.

    `route(index, values)` yields pairs of a partition and a row. The parent is computed once; what it
    gave lies in files until the node is no more.
    """

    label = "ShuffledRDD"

    def __init__(
        self,
        parent: Node,
        num_partitions: int,
        route: Callable[[int, Iterator[Any]], Iterator[tuple[int, Any]]],
        partitioner: Partitioner | None = None,
    ):
        super().__init__(parent.storage, (parent,))
        self.count = num_partitions
        self.route = route
        self.partitioner = partitioner
        #: For each partition of the parent, the places of its rows; None until it has run.
        self.outputs: list[Any] | None = None
        self.folder = parent.storage.new_folder(f"shuffle-{self.id}")
        weakref.finalize(self, parent.storage.drop, self.folder)

    def forget(self) -> None:
        """Drops what was moved; it is moved again when somebody asks for it."""
        self.outputs = None
        self.storage.drop(self.folder)
        self.storage.new_folder(f"shuffle-{self.id}")

    @property
    def num_partitions(self) -> int:
        """As many as was asked for."""
        return self.count

    def compute(self, index: int) -> Iterator[Any]:
        """The rows of a partition, in the order of the parent's partitions."""
        from vonk import shuffle

        return shuffle.read(self.outputs or [], index)

"""From a lineage to compiled steps: the chain of traced steps from an RDD up to where its rows are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vonk.lineage import Narrow, Node, Values
from vonk.trace.record import Tree, trace
from vonk.trace.safety import Untraceable

#: Values of the program beyond this number are not copied for compiled steps.
_VALUES_MAX = 1 << 22

_KEY: Tree = ("index", ("arg", 0), ("const", 0))
_VALUE: Tree = ("index", ("arg", 0), ("const", 1))


@dataclass
class Slices:
    """Values of the program, which are copied for compiled steps."""

    slices: Any


@dataclass
class Plan:
    """Where rows come from, and the steps that each goes through."""

    source: Any
    partitions: int
    steps: list[tuple[str, Tree]] = field(default_factory=list)


def chain(node: Node, keeping: bool = False) -> Plan:
    """The plan of a node's rows; raises `Untraceable` with the reason if it has none.

    With `keeping`, the node itself is one whose rows are about to be kept.
    """
    steps: list[tuple[str, Tree]] = []
    current = node
    while True:
        if current.checkpoint is not None:
            raise Untraceable("its rows come from a checkpoint")
        if current.held is not None:
            return Plan(current.held, current.num_partitions, steps[::-1])
        if current.is_kept and not (keeping and current is node):
            raise Untraceable("its rows are kept by Python")
        source = _source(current)
        if source is not None:
            return Plan(source, current.num_partitions, steps[::-1])
        if not isinstance(current, Narrow) or current.step is None or current.step.base is not None:
            raise Untraceable(current.remark or f"`{current.label}` is not compiled")
        steps.append(step_of(current.step.kind, current.step.function))
        current = current.parents[0]


def _source(node: Node) -> Any:
    from vonk.context.sources import TextFile

    if isinstance(node, TextFile) and node.is_text:
        return [tuple(split) for split in node.splits]
    if isinstance(node, Values):
        if sum(map(len, node.slices)) > _VALUES_MAX:
            raise Untraceable("its values would have to be copied")
        return Slices(node.slices)
    return None


def step_of(kind: str, function: Any) -> tuple[str, Tree]:
    if kind in ("map", "filter", "flatMap"):
        return kind, trace(function)
    if kind == "keyBy":
        return "map", ("tuple", trace(function), ("arg", 0))
    if kind == "mapValues":
        return "map", ("tuple", _KEY, substituted(trace(function), _VALUE))
    raise Untraceable(f"`{kind}` is not compiled")


def substituted(tree: Any, value: Tree) -> Any:
    """A tree of one argument, with another tree in its place.

    >>> substituted(("neg", ("arg", 0)), ("const", 1))
    ('neg', ('const', 1))
    """
    if tree == ("arg", 0):
        return value
    if isinstance(tree, tuple) and tree and tree[0] != "const":
        return tuple(substituted(part, value) for part in tree)
    return tree

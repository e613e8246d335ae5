"""Traced steps: lambdas that only compute run compiled, on all threads and without Python.

Each function here answers with what compiled steps give, or None where Python has to do it: because a
function cannot be traced, because compiled code met a value whose meaning only Python keeps (a whole
number beyond 64 bits, an exception, …), or because tracing is off (`vonk.rdd.trace=false`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from vonk.lineage import Narrow, Node, Shuffled, Values
from vonk.trace import plan
from vonk.trace.record import trace
from vonk.trace.safety import Untraceable

if TYPE_CHECKING:
    from vonk.context import SparkContext

try:
    from vonk import _vonk
except ImportError:  # the package without its compiled part
    _vonk = None  # type: ignore[assignment]

#: The setting that turns tracing off.
SETTING = "vonk.rdd.trace"


def is_on(context: SparkContext) -> bool:
    """Whether steps are traced at all.

    >>> from vonk import SparkContext
    >>> isinstance(is_on(SparkContext.getOrCreate()), bool)
    True
    """
    return _vonk is not None and (context._conf.get(SETTING) or "true").lower() != "false"


def hold(context: SparkContext, node: Node) -> bool:
    """Computes a traced `reduceByKey`, or a traced RDD that is kept, and holds its rows at the node."""
    step = node.step
    is_reduce = step is not None and step.base is not None
    if not is_on(context) or not (is_reduce or node.is_kept) or node.remark is not None:
        return False
    if any(isinstance(parent, Shuffled) and parent.outputs for parent in node.parents):
        return False
    try:
        if is_reduce:
            assert step is not None and step.base is not None
            _settle(context, step.base)
            goal = ("byKey", trace(step.function, 2), node.num_partitions)
            held = _run(context, plan.chain(step.base), goal)
        else:
            if isinstance(node, Values):
                return False
            _settle(context, node.parents[0] if node.parents else None)
            held = _run(context, plan.chain(node, keeping=True), ("keep", None))
    except Untraceable as reason:
        node.remark = str(reason)
        return False
    node.held = held
    return True


def _settle(context: SparkContext, node: Node | None) -> None:
    """Computes the nearest traced step, on the way up from a node, whose rows are to be held."""
    while isinstance(node, Narrow) and node.held is None:
        if node.is_kept or (node.step is not None and node.step.base is not None):
            hold(context, node)
            return
        node = node.parents[0]
    if node is not None and node.held is None and node.is_kept:
        hold(context, node)


def partitions(
    context: SparkContext, node: Node, indices: Sequence[int] | None = None, most: int | None = None
) -> list[list[Any]] | None:
    """The rows of partitions, at most so many of each."""
    return _goal(context, node, ("keep", most), indices)


def count(context: SparkContext, node: Node) -> int | None:
    """How many rows there are."""
    parts = _goal(context, node, ("count",))
    return None if parts is None else sum(part[0] for part in parts)


def total(context: SparkContext, node: Node) -> list[Any] | None:
    """The sums of partitions of whole numbers."""
    parts = _goal(context, node, ("sum",))
    return None if parts is None else [part[0] for part in parts]


def reduce(
    context: SparkContext, node: Node, function: Callable[[Any, Any], Any]
) -> list[list[Any]] | None:
    """Each partition folded into one row, or none if it is empty."""
    try:
        goal = ("reduce", trace(function, 2))
    except Untraceable:
        return None
    return _goal(context, node, goal)


def _goal(
    context: SparkContext, node: Node, goal: tuple[Any, ...], indices: Sequence[int] | None = None
) -> list[list[Any]] | None:
    """What compiled steps make of each partition of a node; None if they cannot."""
    if not is_on(context) or context._checkpoints or context._is_stopped:
        return None
    try:
        _settle(context, node)
        steps = plan.chain(node)
        if isinstance(node, Values):
            return None
        held = _run(context, steps, goal, indices)
        return [held.partition(i) for i in range(len(held))]
    except Untraceable as reason:
        node.remark = node.remark or str(reason)
        return None


def _run(
    context: SparkContext,
    steps: plan.Plan,
    goal: tuple[Any, ...],
    indices: Sequence[int] | None = None,
) -> Any:
    wanted = list(range(steps.partitions) if indices is None else indices)
    try:
        source = steps.source
        if isinstance(source, plan.Slices):
            # Values that nobody asks for are not copied.
            source = _vonk.Held([source.slices[index] for index in wanted])
            wanted = list(range(len(wanted)))
        return _vonk.run((source, steps.steps, goal), wanted, context._slots)
    except _vonk.RedoInPython as reason:
        raise Untraceable(f"redone in Python: {reason}") from None


def explain(context: SparkContext, node: Node) -> str:
    """The lineage, and for each step whether it is compiled."""
    lines = []
    seen: set[int] = set()
    stack = [(node, 0)]
    while stack:
        current, depth = stack.pop()
        if current.id in seen:
            continue
        seen.add(current.id)
        kind = current.step.kind if current.step else current.label
        lines.append(f"{'  ' * depth}{kind}[{current.id}]: {_how(context, current)}")
        above = current.parents
        if current.step is not None and current.step.base is not None:
            above = (current.step.base,)
        stack.extend((parent, depth + 1) for parent in reversed(above))
    return "\n".join(lines)


def _how(context: SparkContext, node: Node) -> str:
    if not is_on(context):
        return "Python, since tracing is off" if _vonk else "Python, without the compiled part"
    if node.held is not None:
        return "compiled"
    if node.remark is not None:
        return f"Python: {node.remark}"
    if not node.parents:
        return "source"
    try:
        if node.step is None:
            raise Untraceable(f"`{node.label}` is not compiled")
        if node.step.base is not None:
            trace(node.step.function, 2)
        else:
            plan.step_of(node.step.kind, node.step.function)
    except Untraceable as reason:
        return f"Python: {reason}"
    return "compiled, if all steps from its source are"

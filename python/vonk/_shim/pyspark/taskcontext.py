"""PySpark's name for a module of vonk."""

from vonk import compat
from vonk.taskcontext import BarrierTaskContext, BarrierTaskInfo, TaskContext

__all__ = ["BarrierTaskContext", "BarrierTaskInfo", "TaskContext"]

__getattr__ = compat.fallback(__name__)

"""PySpark's name for vonk, for programs that are run by `vonk run`."""

import py4j.protocol  # noqa: F401 - gives the error of jobs its name

from vonk import (
    RDD,
    Accumulator,
    AccumulatorParam,
    BarrierTaskContext,
    Broadcast,
    SparkConf,
    SparkContext,
    SparkFiles,
    StorageLevel,
    TaskContext,
    compat,
)
from vonk.rdd import RDDBarrier
from vonk.status import SparkJobInfo, SparkStageInfo, StatusTracker
from vonk.taskcontext import BarrierTaskInfo
from vonk.threads import InheritableThread, inheritable_thread_target

_real = compat.real_package("pyspark")
if _real is not None:
    __path__.append(_real)

__version__ = "4.3.0"

__all__ = [
    "RDD",
    "Accumulator",
    "AccumulatorParam",
    "BarrierTaskContext",
    "BarrierTaskInfo",
    "Broadcast",
    "InheritableThread",
    "RDDBarrier",
    "SparkConf",
    "SparkContext",
    "SparkFiles",
    "SparkJobInfo",
    "SparkStageInfo",
    "StatusTracker",
    "StorageLevel",
    "TaskContext",
    "inheritable_thread_target",
]

__getattr__ = compat.fallback(__name__)

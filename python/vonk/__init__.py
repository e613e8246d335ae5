"""vonk: Spark's RDDs, DataFrames and SQL without the JVM.

>>> from vonk import SparkContext
>>> SparkContext.getOrCreate().parallelize([1, 2, 3]).sum()
6
"""

from typing import TYPE_CHECKING

from vonk.accumulators import Accumulator, AccumulatorParam
from vonk.broadcast import Broadcast
from vonk.conf import SparkConf
from vonk.context import SparkContext
from vonk.errors import JobError, NotSupported
from vonk.query import register, sql
from vonk.rdd import RDD
from vonk.sparkfiles import SparkFiles
from vonk.statcounter import StatCounter
from vonk.storagelevel import StorageLevel
from vonk.taskcontext import BarrierTaskContext, TaskContext

__version__ = "0.1.0"


if TYPE_CHECKING:
    from vonk.session import SparkSession
else:

    def __getattr__(name: str) -> object:
        # The session needs the PySpark client, which RDDs and SQL do without.
        if name == "SparkSession":
            from vonk.session import SparkSession

            return SparkSession
        raise AttributeError(f"module `vonk` has no attribute `{name}`")


__all__ = [
    "RDD",
    "Accumulator",
    "AccumulatorParam",
    "BarrierTaskContext",
    "Broadcast",
    "JobError",
    "NotSupported",
    "SparkConf",
    "SparkContext",
    "SparkFiles",
    "SparkSession",
    "StatCounter",
    "StorageLevel",
    "TaskContext",
    "register",
    "sql",
]

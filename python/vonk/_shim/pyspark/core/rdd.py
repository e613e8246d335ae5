"""PySpark's name for vonk's RDDs."""

from vonk import compat
from vonk.approximate import BoundedFloat
from vonk.partitioner import Partitioner, portable_hash
from vonk.rdd import RDD, PipelinedRDD, RDDBarrier

RDDBarrier.__module__ = __name__

__all__ = ["RDD", "BoundedFloat", "Partitioner", "PipelinedRDD", "RDDBarrier", "portable_hash"]

__getattr__ = compat.fallback(__name__)

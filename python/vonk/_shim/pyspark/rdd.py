"""PySpark's name for a module of vonk."""

from vonk import compat
from pyspark.core.rdd import RDD, BoundedFloat, Partitioner, PipelinedRDD, RDDBarrier, portable_hash

__all__ = ["RDD", "BoundedFloat", "Partitioner", "PipelinedRDD", "RDDBarrier", "portable"_"hash"]

__getattr__ = compat.fallback(__name__)

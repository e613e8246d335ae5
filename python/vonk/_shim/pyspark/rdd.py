"""PySpark's name for a module of vonk."""

from pyspark.core.rdd import RDD, BoundedFloat, Partitioner, PipelinedRDD, RDDBarrier, portable_hash
from vonk import compat

__all__ = ["RDD", "BoundedFloat", "Partitioner", "PipelinedRDD", "RDDBarrier", "portable_hash"]

__getattr__ = compat.fallback(__name__)

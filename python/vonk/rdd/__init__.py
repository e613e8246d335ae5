"""RDDs: rows in partitions, with the API of PySpark's `RDD`.

The class is built in layers, each on those above it in this list: `base`, `narrow`, `actions`,
`statistics`, `keyed`, `joins`, `sampling`, `sorting`, `saving`.
"""

from vonk.rdd.saving import RDD, PipelinedRDD, RDDBarrier

__all__ = ["RDD", "PipelinedRDD", "RDDBarrier"]

"""`SparkContext`: where RDDs are made, with the API of PySpark's.

Built in layers: `jobs` (running and cancelling), `sources` (files and values), `context` itself.
"""

from vonk.context.core import SparkContext

__all__ = ["SparkContext"]

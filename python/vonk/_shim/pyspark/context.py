"""PySpark's name for a module of vonk."""

from vonk import compat
from pyspark.core.context import SparkContext

__all__ = ["SparkContext"]

__getattr__ = compat.fallback(__name__)

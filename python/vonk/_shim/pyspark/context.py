"""PySpark's name for a module of vonk."""

from pyspark.core.context import SparkContext
from vonk import compat

__all__ = ["SparkContext"]

__getattr__ = compat.fallback(__name__)

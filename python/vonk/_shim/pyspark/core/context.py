"""PySpark's name for vonk's context."""

from vonk import compat
from vonk.context import SparkContext

__all__ = ["SparkContext"]

__getattr__ = compat.fallback(__name__)

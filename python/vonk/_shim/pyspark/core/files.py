"""PySpark's name for a module of vonk."""

from vonk import compat
from vonk.sparkfiles import SparkFiles

__all__ = ["SparkFiles"]

__getattr__ = compat.fallback(__name__)

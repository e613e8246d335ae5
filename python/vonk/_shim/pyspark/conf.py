"""PySpark's name for a module of vonk."""

from vonk import compat
from vonk.conf import SparkConf

__all__ = ["SparkConf"]

__getattr__ = compat.fallback(__name__)

"""PySpark's name for a module of vonk."""

from vonk import compat
from vonk.statcounter import StatCounter

__all__ = ["StatCounter"]

__getattr__ = compat.fallback(__name__)

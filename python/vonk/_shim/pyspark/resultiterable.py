"""PySpark's name for a module of vonk."""

from vonk import compat
from vonk.resultiterable import ResultIterable

__all__ = ["ResultIterable"]

__getattr__ = compat.fallback(__name__)

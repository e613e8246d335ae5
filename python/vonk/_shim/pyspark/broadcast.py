"""PySpark's name for a module of vonk."""

from vonk import compat
from vonk.broadcast import Broadcast

__all__ = ["Broadcast"]

__getattr__ = compat.fallback(__name__)

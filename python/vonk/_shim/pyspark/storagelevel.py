"""PySpark's name for a module of vonk."""

from vonk import compat
from vonk.storagelevel import StorageLevel

__all__ = ["StorageLevel"]

__getattr__ = compat.fallback(__name__)

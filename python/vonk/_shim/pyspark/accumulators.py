"""PySpark's name for a module of vonk."""

from vonk import compat
from vonk.accumulators import Accumulator, AccumulatorParam

__all__ = ["Accumulator", "AccumulatorParam"]

__getattr__ = compat.fallback(__name__)

"""PySpark's name for a module of vonk."""

from vonk import compat
from vonk.status import SparkExecutorInfo, SparkJobInfo, SparkStageInfo, StatusTracker

__all__ = ["SparkExecutorInfo", "SparkJobInfo", "SparkStageInfo", "StatusTracker"]

__getattr__ = compat.fallback(__name__)

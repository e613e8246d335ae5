"""PySpark's name for a module of vonk."""

from pyspark.sql.udf import UDFRegistration
from pyspark.sql.udtf import UDTFRegistration
from vonk import compat
from vonk.sqlcontext import HiveContext, SQLContext

__all__ = ["HiveContext", "SQLContext", "UDFRegistration", "UDTFRegistration"]

__getattr__ = compat.fallback(__name__)

"""PySpark's DataFrames: the installed client's own modules, with vonk's session in their session's place."""

import os
import sys

import pyspark.util
from vonk import compat

_real = compat.real_package("pyspark")
if _real is None:
    raise ImportError('`pyspark.sql` needs the PySpark client: pip install "vonk[spark]"')
__path__.append(os.path.join(_real, "sql"))

# The client without a JVM: what it would ask the JVM for is asked of the server.
os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
pyspark.util._is_remote_only = True

_init = os.path.join(_real, "sql", "__init__.py")
with open(_init, encoding="utf-8") as _file:
    exec(compile(_file.read(), _init, "exec"))

from vonk.session import SparkSession  # noqa: E402

sys.modules["pyspark.sql.session"].SparkSession = SparkSession

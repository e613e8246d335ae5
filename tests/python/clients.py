"""Many clients at once, and one that is killed in the midst of its query."""

import concurrent.futures
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

ADDRESS = sys.argv[1]


def program(number):
    """A client with a session of its own: what it makes, nobody else sees."""
    spark = SparkSession.builder.remote(ADDRESS).create()
    spark.range(number + 1).createOrReplaceTempView("mine")
    frame = spark.sql("SELECT count(*) AS n, sum(id) AS s FROM mine")
    row = frame.first()
    grouped = spark.table("mine").groupBy((F.col("id") % 7).alias("k")).count().count()
    spark.stop()
    return row.n, row.s or 0, grouped


with concurrent.futures.ThreadPoolExecutor(64) as pool:
    results = list(pool.map(program, range(64)))
assert results == [(n + 1, n * (n + 1) // 2, min(n + 1, 7)) for n in range(64)], results

KILLED = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
print("begun", flush=True)
spark.sql("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.id < b.id").collect()
"""
with tempfile.TemporaryDirectory() as folder:
    # PySpark's client takes `python -c` for one of its own doctests.
    path = Path(folder) / "killed.py"
    path.write_text(KILLED)
    killed = subprocess.Popen([sys.executable, path, ADDRESS], stdout=subprocess.PIPE, text=True)
    assert killed.stdout.readline() == "begun\n"
    time.sleep(1)
    killed.kill()
    killed.wait()
assert program(10) == (11, 55, 7)

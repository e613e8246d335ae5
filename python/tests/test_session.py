"""Programs with a `SparkSession`: PySpark's own client over a server of the program's."""

import importlib.util
import os
import subprocess
import sys
import unittest

from support import ContextTest

VONK = os.environ.get("VONK_BINARY") or ""

PROGRAM = """
from pyspark import SparkConf
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

spark = (
    SparkSession.builder.master("local[2]").appName("frames").config("spark.executor.memory", "1g")
    .config(conf=SparkConf().set("spark.sql.shuffle.partitions", "4")).enableHiveSupport().getOrCreate()
)
frame = spark.createDataFrame([(1, "a"), (2, "b"), (3, "a")], ["x", "y"])
print(frame.groupBy("y").agg(F.sum("x").alias("s")).orderBy("y").collect())
print(frame.rdd.map(lambda row: row.x * 10).collect())
sc = spark.sparkContext
print(sc.parallelize([(1, "p"), (2, "q")]).toDF(["n", "s"]).filter("n > 1").collect())
print(spark.createDataFrame(sc.parallelize([Row(a=1, b=2.5)])).columns, sc.master)
print(isinstance(spark, SparkSession), SparkSession.builder.getOrCreate() is spark)
print(spark.read.json(sc.parallelize(['{"k": 1}', '{"k": 2}'])).groupBy().sum("k").first()[0])
spark.stop()
"""

#: Begins as programs did before sessions had builders; its function needs a module that comes with it.
WITH_MODULES = """
import sys

from pyspark import SparkContext, SparkFiles
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

sc = SparkContext(appName="modules")
spark = SparkSession(sc)
sc.addPyFile(sys.argv[1])
sc.addFile(sys.argv[2])


@F.udf("string")
def told(_):
    import of_command_line
    import of_program

    with open(SparkFiles.get("words.txt")) as file:
        return of_command_line.TEXT + of_program.TEXT + file.read()


print(spark.range(1).select(told("id")).first()[0])
sc.stop()
"""

EXPECTED = """[Row(y='a', s=4), Row(y='b', s=2)]
[10, 20, 30]
[Row(n=2, s='q')]
['a', 'b'] local[2]
True True
3
"""


def has_server():
    """Whether there is a server, and a client that asks it."""
    has_client = all(importlib.util.find_spec(name) for name in ("pyspark", "grpc", "pandas"))
    if not has_client:
        return False
    if not VONK:
        return False
    answer = subprocess.run([VONK, "server", "--help"], capture_output=True, text=True, check=False)
    return "--listen" in answer.stdout


@unittest.skipUnless(has_server(), "there is no PySpark client or no server")
class SessionTest(ContextTest):
    def test_frames_and_rdds_of_one_program(self):
        path = self.file("frames.py", PROGRAM.encode())
        for command in (
            [sys.executable, "-W", "ignore", "-m", "vonk"],
            [VONK, "run", "--python", sys.executable],
        ):
            result = subprocess.run(
                [*command, path], capture_output=True, text=True, timeout=60, check=False
            )
            self.assertEqual(result.stdout, EXPECTED, result.stderr)

    def test_functions_have_the_modules_and_files_of_the_program(self):
        path = self.file("modules.py", WITH_MODULES.encode())
        given = self.file("of_command_line.py", b"TEXT = 'a'\n")
        added = self.file("of_program.py", b"TEXT = 'b'\n")
        words = self.file("words.txt", b"c")
        result = subprocess.run(
            [VONK, "run", "--python", sys.executable, "--py-files", given, path, added, words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(result.stdout, "abc\n", result.stderr)

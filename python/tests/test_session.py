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

#: What Spark 4.3 prints for it stands below.
LEGACY = """
import warnings

from pyspark import SparkContext
from pyspark.sql import HiveContext, SQLContext
from pyspark.sql.types import IntegerType

told = []
warnings.showwarning = lambda message, category, *_: told.append((category.__name__, str(message)))
warnings.simplefilter("always")
sc = SparkContext("local[2]", "legacy")
first = SQLContext(sc)
print(SQLContext.getOrCreate(sc) is first, first.tableNames(), first.tables().columns)
frame = first.createDataFrame([(1, "a"), (2, "b")], ["x", "y"])
first.registerDataFrameAsTable(frame, "t")
print(first.tableNames(), first.tableNames("default"), first.tables().collect())
first.registerFunction("twice", lambda text: text * 2)
first.udf.register("plus", lambda x: x + 1, IntegerType())
print(first.sql("select twice(y) a, plus(x) b from t").collect(), first.table("t").count())
other = first.newSession()
print(type(other).__name__, other.tableNames())
first.cacheTable("t")
print(first.sparkSession.catalog.isCached("t"))
first.uncacheTable("t")
first.cacheTable("t")
first.clearCache()
print(first.sparkSession.catalog.isCached("t"))
first.dropTempTable("t")
first.dropTempTable("t")
print(first.tableNames(), first.range(3).collect(), first.range(1, 7, 2).count())
first.setConf("spark.sql.shuffle.partitions", "50")
values = [first.getConf("spark.sql.shuffle.partitions", "10"), first.getConf("spark.none", "10")]
print(values, other.getConf("spark.sql.shuffle.partitions"), first.streams.active)
hive = HiveContext(sc)
print(isinstance(hive, SQLContext), type(HiveContext.getOrCreate(sc)).__name__)
for line in told:
    print(*line)
sc.stop()
"""

LEGACY_EXPECTED = """True [] ['namespace', 'tableName', 'isTemporary']
['t'] ['t'] [Row(namespace='', tableName='t', isTemporary=True)]
[Row(a='aa', b=2), Row(a='bb', b=3)] 2
SQLContext []
True
False
[] [Row(id=0), Row(id=1), Row(id=2)] 3
['50', '10'] 200 []
True SQLContext
FutureWarning Deprecated in 3.0.0. Use SparkSession.builder.getOrCreate() instead.
FutureWarning Deprecated in 3.0.0. Use SparkSession.builder.getOrCreate() instead.
FutureWarning Deprecated in 2.3.0. Use spark.udf.register instead.
FutureWarning HiveContext is deprecated in Spark 2.0.0. Please use SparkSession.builder.enableHiveSupport().getOrCreate() instead.
FutureWarning Deprecated in 3.0.0. Use SparkSession.builder.getOrCreate() instead.
FutureWarning Deprecated in 3.0.0. Use SparkSession.builder.getOrCreate() instead.
"""

#: Which rows decide about types; what Spark 4.3 prints for it stands below.
TYPES = """
from pyspark.sql import Row, SparkSession

spark = SparkSession.builder.master("local[2]").getOrCreate()
sc = spark.sparkContext


def rdd(*rows):
    return sc.parallelize(rows, 1)


print(rdd((None,), (2,)).toDF(["a"]).dtypes)
print(rdd(*[(None,)] * 100, (2,)).toDF(["a"], 1.0).dtypes)
print(rdd({"a": 1}, {"a": 2, "b": "x"}).toDF().collect())
print(rdd({"a": 1}, {"a": 2, "b": "x"}).toDF(sampleRatio=1.0).collect())
print(spark.createDataFrame(rdd((1, 2.0)), ["a", "b"], samplingRatio=1.0).collect())
print(rdd(Row(a=1, b=2), Row(b=3, a=4)).toDF().collect())
print(rdd((1, 2, 3)).toDF(["a"]).columns, rdd(1, 2).toDF("int").collect())
print(rdd((Row(p=1), {"k": (1, "z")}, [Row(q=2)])).toDF(["a", "b", "c"]).collect())
print(rdd(("a",), (1,)).toDF(["a"]).collect())
print(rdd(*[(x, str(x)) for x in range(100)]).toDF(["n", "s"], 0.1).count())
for rows, ratio in [
    ([(None,)] * 100 + [(2,)], None),
    ([1, 2], None),
    ([], None),
    ([(1,), (2.5,)], 1.0),
]:
    try:
        print(rdd(*rows).toDF(["a"], ratio).collect())
    except Exception as error:
        text = str(error)
        print(next((name for name in NAMES if name in text), text))
""".replace(
    "NAMES", "('CANNOT_DETERMINE_TYPE', 'CANNOT_INFER_SCHEMA_FOR_TYPE', 'CANNOT_MERGE_TYPE')"
)

TYPES_EXPECTED = """[('a', 'bigint')]
[('a', 'bigint')]
[Row(a=1), Row(a=2)]
[Row(a=1, b=None), Row(a=2, b='x')]
[Row(a=1, b=2.0)]
[Row(a=1, b=2), Row(a=3, b=4)]
['a', '_2', '_3'] [Row(value=1), Row(value=2)]
[Row(a=Row(p=1), b={'k': Row(_1=1, _2='z')}, c=[Row(q=2)])]
[Row(a='a'), Row(a='1')]
100
CANNOT_DETERMINE_TYPE
CANNOT_INFER_SCHEMA_FOR_TYPE
RDD is empty
CANNOT_MERGE_TYPE
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

    def run_by_package(self, program):
        path = self.file("program.py", program.encode())
        command = [sys.executable, "-W", "ignore", "-m", "vonk", path]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def test_contexts_of_sql_are_as_they_were(self):
        result = self.run_by_package(LEGACY)
        self.assertEqual(result.stdout, LEGACY_EXPECTED, result.stderr)

    def test_types_of_rows_are_found_as_on_spark(self):
        result = self.run_by_package(TYPES)
        self.assertEqual(result.stdout, TYPES_EXPECTED, result.stderr)

    def test_values_that_do_not_fit_are_null_as_on_spark(self):
        program = """
from pyspark.sql import Row, SparkSession
sc = SparkSession.builder.getOrCreate().sparkContext
print(sc.parallelize([(1, "a"), (2.5, "b"), ("c", 3)], 1).toDF(["n", "t"]).collect())
print(sc.parallelize([Row(n=1, t="a"), Row(n=None, t="b")], 1).toDF().collect())
sc.parallelize([(1,), (2, 3)], 1).toDF(["n"]).collect()
"""
        result = self.run_by_package(program)
        expected = """\
[Row(n=1, t='a'), Row(n=None, t='b'), Row(n=None, t='3')]
[Row(n=1, t='a'), Row(n=None, t='b')]
"""
        self.assertEqual(result.stdout, expected, result.stderr)
        self.assertIn("FIELD_STRUCT_LENGTH_MISMATCH", result.stderr)

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

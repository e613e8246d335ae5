"""Functions of Python: in expressions, over groups, windows and partitions, as tables; their failures."""

import datetime
import decimal
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
from pyspark.errors.exceptions.base import PythonException
from pyspark.sql import Row, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import LongType

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
spark.conf.set("spark.pyspark.python", sys.executable)


def values(frame):
    return [row[0] for row in frame.collect()]


# A function of rows: NULL is None, types within types, names of columns, within other expressions.
words = spark.createDataFrame([(1, "ab"), (2, None), (3, "c")], "id INT, word STRING")
shout = F.udf(lambda word: None if word is None else word.upper() + "!")
assert values(words.select(shout("word"))) == ["AB!", None, "C!"]
length = F.udf(lambda word: len(word or ""), "int")
assert words.select(length("word"), (length("word") + F.col("id")).alias("x")).columns == [
    "<lambda>(word)",
    "x",
]
assert values(words.select(length(shout("word")) * 10 + length("word"))) == [32, 0, 21]
assert values(words.filter(length("word") == 2).select("id")) == [1]
assert words.groupBy(length("word").alias("n")).count().orderBy("n").collect() == [
    Row(n=0, count=1),
    Row(n=1, count=1),
    Row(n=2, count=1),
]
pair = F.udf(lambda id, word: (word, [id, id + 1]), "first STRING, second ARRAY<INT>")
assert words.select(pair("id", "word").alias("p")).select("p.*").first() == Row(
    first="ab", second=[1, 2]
)
named = F.udf(lambda a, b: a - b, "int")
differences = words.select(named(b=F.lit(1), a=F.col("id")))
assert values(differences) == [0, 1, 2] and differences.columns == ["<lambda>(b => 1, a => id)"]
assert values(spark.range(2).select(F.udf(lambda: 7, "int")())) == [7, 7]
same = F.udf(lambda d, t, n, m: (d, t, n, m), "d DATE, t TIMESTAMP, n DECIMAL(10,2), m MAP<STRING,INT>")
row = spark.sql("SELECT DATE'2024-02-29' d, TIMESTAMP'2024-02-29 12:00:00' t, 1.50BD n, map('k', 1) m")
assert row.select(same("d", "t", "n", "m").alias("s")).first().s == Row(
    d=datetime.date(2024, 2, 29),
    t=datetime.datetime(2024, 2, 29, 12),
    n=decimal.Decimal("1.50"),
    m={"k": 1},
)

# Without Arrow, a value of a wrong type is NULL, and any is a text.
pickled = F.udf(lambda id: id, "double", useArrow=False)
assert values(words.select(pickled("id"))) == [None, None, None]
assert values(words.select(F.udf(lambda id: id > 1, "string", useArrow=False)("id"))) == [
    "false",
    "true",
    "true",
]

# By name, in SQL.
spark.udf.register("Twice", lambda n: n * 2, LongType())
doubled = spark.sql("SELECT twice(id) FROM range(3) WHERE TWICE(id) > 0")
assert values(doubled) == [2, 4] and doubled.columns == ["Twice(id)"]


def total(v: pd.Series) -> float:
    return float(v.sum())


spark.udf.register("total_of", F.pandas_udf(total, "double"))
assert values(spark.sql("SELECT total_of(id) FROM range(4) GROUP BY id % 2 ORDER BY 1")) == [2.0, 4.0]


# Functions of series and of arrays.
@F.pandas_udf("long")
def plus(a: pd.Series, b: pd.Series) -> pd.Series:
    return a + b


@F.pandas_udf("long")
def next_of(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
    for batch in batches:
        yield batch + 1


@F.pandas_udf("double")
def mean(v: pd.Series) -> float:
    return v.mean()


@F.pandas_udf("struct<low: long, high: long>")
def around(v: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"high": v + 1, "low": v - 1})


@F.arrow_udf("long")
def negative(v: pa.Array) -> pa.Array:
    return pa.compute.negate(v)


numbers = spark.range(6).withColumn("odd", F.col("id") % 2)
assert values(numbers.select(plus("id", "odd"))) == [0, 2, 2, 4, 4, 6]
assert values(numbers.select(next_of("id"))) == [1, 2, 3, 4, 5, 6]
assert values(numbers.select(negative("id"))) == [0, -1, -2, -3, -4, -5]
assert numbers.select(around("id").alias("a")).first().a == Row(low=-1, high=1)
means = numbers.groupBy("odd").agg(mean("id"), F.count("*").alias("n")).orderBy("odd")
assert means.collect() == [(0, 2.0, 3), (1, 3.0, 3)] and means.columns == ["odd", "mean(id)", "n"]
rolling = Window.partitionBy("odd").orderBy("id").rowsBetween(-1, 0)
assert values(numbers.select(mean("id").over(rolling), "id").orderBy("id")) == [0, 1, 1, 2, 3, 4]


# Partitions and groups.
def halves(frames):
    for frame in frames:
        yield frame[frame.id % 2 == 0][["id"]].assign(half=frame.id / 2)


assert numbers.mapInPandas(halves, "id LONG, half DOUBLE").collect() == [(0, 0.0), (2, 1.0), (4, 2.0)]
assert numbers.mapInArrow(lambda batches: batches, "id LONG, odd LONG").count() == 6


def centred(frame):
    return frame.assign(id=frame.id - frame.id.mean())


by = numbers.groupBy("odd")
assert values(by.applyInPandas(centred, "id DOUBLE, odd LONG").orderBy("odd", "id")) == [-2, 0, 2] * 2
sizes = by.applyInPandas(lambda key, frame: pd.DataFrame({"k": [key[0]], "n": [len(frame)]}), "k LONG, n LONG")
assert sizes.collect() == [(0, 3), (1, 3)]
firsts = by.applyInArrow(lambda table: table.slice(0, 1), "id LONG, odd LONG")
assert firsts.count() == 2
left = spark.createDataFrame([(1, "a"), (1, "b"), (2, "c")], "k INT, l STRING")
right = spark.createDataFrame([(1, 10), (3, 30)], "k INT, r INT")
counts = left.groupBy("k").cogroup(right.groupBy("k")).applyInPandas(
    lambda key, l, r: pd.DataFrame({"k": [key[0]], "l": [len(l)], "r": [len(r)]}), "k INT, l INT, r INT"
)
assert counts.collect() == [(1, 2, 1), (2, 1, 0), (3, 0, 1)]


# Tables.
@F.udtf(returnType="n INT, square INT")
class Squares:
    def eval(self, start: int, end: int):
        for n in range(start, end + 1):
            yield n, n * n


assert Squares(F.lit(1), F.lit(3)).collect() == [Row(n=1, square=1), Row(n=2, square=4), Row(n=3, square=9)]
spark.udtf.register("squares", Squares)
assert spark.sql("SELECT sum(square) FROM squares(1, 3)").first()[0] == 14


class Sums:
    """Rows of a table argument: one handler for each key."""

    def __init__(self):
        self.key, self.total = None, 0

    def eval(self, row, factor=1):
        self.key, self.total = row["k"], self.total + row["v"] * factor

    def terminate(self):
        yield self.key, self.total


sums = F.udtf(Sums, returnType="k STRING, total LONG")
table = spark.createDataFrame([("a", 1), ("b", 10), ("a", 2), ("b", 20)], "k STRING, v INT")
assert sorted(sums(table.asTable().partitionBy("k")).collect()) == [("a", 3), ("b", 30)]
doubled = sums(table.asTable().partitionBy("k").orderBy("v"), factor=F.lit(2))
assert sorted(doubled.collect()) == [("a", 6), ("b", 60)]
assert [row.total for row in sums(table.asTable().withSinglePartition()).collect()] == [33]


@F.udtf
class Ordered:
    """A handler that says how it wants the rows of its table, and stops at the second of each key."""

    @staticmethod
    def analyze(rows):
        from pyspark.sql.udtf import AnalyzeResult, OrderingColumn, PartitioningColumn, SelectedColumn

        assert rows.isTable and rows.value is None
        columns = rows.dataType.add("place", "integer")
        return AnalyzeResult(
            schema=type(columns)([columns["k"], columns["v"], columns["place"]]),
            partitionBy=[PartitioningColumn("k")],
            orderBy=[OrderingColumn("v", ascending=False)],
            select=[SelectedColumn("k"), SelectedColumn("v")],
        )

    def __init__(self):
        self.place = 0

    def eval(self, row):
        from pyspark.sql.udtf import SkipRestOfInputTableException

        self.place += 1
        yield row["k"], row["v"], self.place
        if self.place == 2:
            raise SkipRestOfInputTableException


more = table.unionAll(spark.createDataFrame([("a", 7)], "k STRING, v INT"))
assert Ordered(more.asTable()).collect() == [("a", 7, 1), ("a", 2, 2), ("b", 20, 1), ("b", 10, 2)]


@F.udtf
class Nothing:
    """A handler of no arguments that says its columns by itself."""

    @staticmethod
    def analyze():
        from pyspark.sql.types import StructType
        from pyspark.sql.udtf import AnalyzeResult

        return AnalyzeResult(StructType().add("n", "integer"))

    def eval(self):
        yield (7,)


assert Nothing().collect() == [Row(n=7)]

# A function for each row or partition, which gives nothing.
with tempfile.TemporaryDirectory() as folder:
    spark.range(3).foreach(lambda row: open(f"{folder}/{row.id}", "w").close())
    assert sorted(os.listdir(folder)) == ["0", "1", "2"]
    spark.range(3).foreachPartition(lambda rows: open(f"{folder}/{len(list(rows))}", "w").close())
    assert "3" in os.listdir(folder)


# Failures: an exception with its traceback, a process that dies, a query that is interrupted.
def fails(frame, *words):
    try:
        frame.collect()
    except Exception as error:
        missing = [word for word in words if word not in str(error)]
        assert not missing, (missing, str(error))
        return error
    raise AssertionError("it did not fail")


def divide(n):
    return 1 // n


error = fails(spark.range(1).select(F.udf(divide, "long")("id")), "ZeroDivisionError", "in divide")
assert isinstance(error, PythonException), type(error)
fails(spark.range(1).select(F.udf(lambda n: os._exit(3), "long")("id")), "worker ended", "3")
fails(spark.range(1).select(F.udf(lambda n: "x", "long")("id")), "PYTHON_EXCEPTION")
started = time.time()
spark.addTag("slow")
threading.Timer(1.0, lambda: spark.interruptTag("slow")).start()
fails(spark.range(1).select(F.udf(lambda n: time.sleep(60), "long")("id")), "interrupted")
assert time.time() - started < 20
spark.removeTag("slow")
assert values(spark.range(1).select(F.udf(divide, "long")(F.lit(1)))) == [1]
spark.stop()

"""DataFrames of PySpark: made of rows, pandas and files; computed, grouped, joined, shown."""

import datetime
import decimal
import sys
import tempfile

import pandas as pd
from pyspark.sql import Row, SparkSession, Window
from pyspark.sql import functions as F

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()

people = spark.createDataFrame(
    [(1, "Ada", 36.5), (2, "Grace", None), (3, "Alan", 41.0)], "id INT, name STRING, age DOUBLE"
)
assert people.columns == ["id", "name", "age"]
assert people.filter(people.age > 40).collect() == [Row(id=3, name="Alan", age=41.0)]
assert people.select((F.col("id") * 2).alias("twice"), F.upper("name")).first() == Row(
    **{"twice": 2, "upper(name)": "ADA"}
)
shown = people.orderBy("id")._show_string(2, True, False)
assert shown == (
    "+---+-----+----+\n"
    "| id| name| age|\n"
    "+---+-----+----+\n"
    "|  1|  Ada|36.5|\n"
    "|  2|Grace|NULL|\n"
    "+---+-----+----+\n"
    "only showing top 2 rows\n"
), shown

born = spark.createDataFrame([Row(name="Ada", year=1815), Row(name="Alan", year=1912)])
joined = people.join(born, people.name == born.name).select(people.name, born.year)
assert sorted(joined.collect()) == [Row(name="Ada", year=1815), Row(name="Alan", year=1912)]
assert people.join(born, "name", "left").filter("year IS NULL").count() == 1

sales = spark.createDataFrame(
    pd.DataFrame({"shop": ["a", "a", "b"], "what": ["tea", "rye", "tea"], "n": [3, 1, 5]})
)
totals = sales.groupBy("shop").agg(F.sum("n").alias("n")).orderBy("shop").toPandas()
assert totals["n"].tolist() == [4, 5]
table = sales.groupBy("shop").pivot("what", ["tea", "rye"]).sum("n").orderBy("shop")
assert table.collect() == [Row(shop="a", tea=3, rye=1), Row(shop="b", tea=5, rye=None)]
window = Window.partitionBy("shop").orderBy(F.desc("n"))
best = sales.withColumn("place", F.row_number().over(window)).filter("place = 1")
assert sorted(row.what for row in best.collect()) == ["tea", "tea"]

values = spark.sql(
    "SELECT DATE'2024-02-29' AS d, TIMESTAMP'2024-02-29 12:00:00' AS t, 1.50BD AS n,"
    " array(1, 2) AS a, map('k', 1) AS m, named_struct('x', 'y') AS s, X'01FF' AS b"
).first()
assert values.d == datetime.date(2024, 2, 29)
assert values.t == datetime.datetime(2024, 2, 29, 12)
assert values.n == decimal.Decimal("1.50")
assert (values.a, values.m, values.s, bytes(values.b)) == ([1, 2], {"k": 1}, Row(x="y"), b"\x01\xff")

with tempfile.TemporaryDirectory() as folder:
    path = folder + "/people.parquet"
    people.write.parquet(path)
    assert spark.read.parquet(path).count() == 3
    people.write.mode("overwrite").partitionBy("id").csv(folder + "/csv", header=True)
    assert spark.read.csv(folder + "/csv", header=True).filter("name = 'Ada'").count() == 1

# Texts that are rows already, with columns that nobody has told.
texts = spark.createDataFrame([('{"a": 1, "b": "x"}',), (None,), ('{"a": 2}',)], "value string")
assert spark.read.json(texts).filter("a IS NOT NULL").collect() == [Row(a=1, b="x"), Row(a=2, b=None)]
# Columns that JSON is found to have are sorted, within objects too.
nested = spark.createDataFrame([('{"b": 1, "a": {"z": 1, "c": [{"y": 1, "x": 2}]}}',)], "value string")
assert spark.read.json(nested).schema.simpleString() == (
    "struct<a:struct<c:array<struct<x:bigint,y:bigint>>,z:bigint>,b:bigint>"
)
lines = spark.createDataFrame([("n,s",), ("1,a",), ("2,",)], "value string")
read = spark.read.csv(lines, header=True, inferSchema=True)
assert read.collect() == [Row(n=1, s="a"), Row(n=2, s=None)]

# A program of many steps has a deep plan.
deep = spark.range(3)
for step in range(150):
    deep = deep.withColumn("id", F.col("id") + 1)
assert [row.id for row in deep.collect()] == [150, 151, 152]

# More rows than one answer holds, and data that is sent in blocks.
many = spark.range(2_000_000).toPandas()
assert len(many) == 2_000_000 and many["id"].sum() == 1999999 * 1000000
block = spark.createDataFrame(pd.DataFrame({"text": ["x" * 100] * 50_000}))
assert block.count() == 50_000
spark.stop()

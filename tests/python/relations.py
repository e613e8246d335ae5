"""Relations of PySpark that read others: subqueries, lateral and nearest joins, observations."""

import sys

from pyspark.errors import AnalysisException
from pyspark.sql import Observation, Row, SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()

staff = spark.createDataFrame(
    [(1, "a", 10), (2, "a", 30), (3, "b", 20)], "id INT, team STRING, pay INT"
)
mean = staff.alias("s").where(F.col("s.team") == F.col("e.team").outer()).select(F.avg("pay"))
above = staff.alias("e").where(F.col("pay") > mean.scalar()).select("id")
assert above.collect() == [Row(id=2)]
assert staff.where(staff.id.isin(spark.range(2, 9))).select("id").orderBy("id").collect() == [
    Row(id=2),
    Row(id=3),
]
other = spark.createDataFrame([("b",)], "team STRING")
same = other.alias("o").where(F.col("o.team") == F.col("e.team").outer())
assert staff.alias("e").where(same.exists()).select("id").collect() == [Row(id=3)]

lists = spark.createDataFrame([(1, [5, 6]), (2, [])], "k INT, items ARRAY<INT>")
exploded = lists.lateralJoin(spark.tvf.explode(F.col("items").outer()).alias("i"))
assert sorted(row.col for row in exploded.collect()) == [5, 6]

# What passes is counted while it passes.
seen = Observation("seen")
rows = spark.range(10).observe(seen, F.count(F.lit(1)).alias("n"), F.max("id").alias("most"))
assert rows.where("id < 3").count() == 3
assert seen.get == {"n": 10, "most": 9}

trades = spark.createDataFrame([(1, "x"), (5, "y"), (10, "z")], "t INT, name STRING")
quotes = spark.createDataFrame([(1, 10), (4, 40), (6, 60)], "t INT, price INT")
joined = trades._joinAsOf(quotes, "t", "t").select(trades.t, "price").sort("t").collect()
assert joined == [Row(t=1, price=10), Row(t=5, price=40), Row(t=10, price=60)]
late = trades._joinAsOf(quotes, "t", "t", how="left", direction="forward")
assert [row.price for row in late.select(trades.t, "price").sort("t").collect()] == [10, 60, None]

nested = spark.createDataFrame([Row(a=Row(b=1, c=Row(d=2, e=3)))])
changed = nested.withColumn("a", F.col("a").dropFields("b", "c.d").withField("f", F.lit(4)))
assert changed.first() == Row(a=Row(c=Row(e=3), f=4))
assert changed.select("a.f").first() == Row(f=4)
noted = staff.withMetadata("id", {"unit": "none"})
assert noted.schema["id"].metadata == {"unit": "none"}

# A name that two columns have is dropped by its text only; patterns are those of Java.
twice = staff.alias("l").join(staff.alias("r"), F.col("l.id") == F.col("r.id"))
assert twice.drop("id").columns == ["team", "pay", "team", "pay"]
try:
    twice.drop(F.col("id")).columns
    raise AssertionError("an ambiguous column was dropped")
except AnalysisException as error:
    assert error.getCondition() == "AMBIGUOUS_REFERENCE", error
assert staff.select(staff.colRegex("`(id)?+.+`")).columns == ["team", "pay"]
pairs = spark.sql("SELECT array(struct(1 AS a)) AS x, array(struct(2 AS a)) AS y")
both = pairs.select("*", F.inline("x")).select("*", F.inline("y"))
assert [tuple(row)[2:] for row in both.collect()] == [(1, 2)]
few = spark.range(10).repartition(5).select(F.spark_partition_id().alias("p"))
assert [row[1] for row in few.groupBy("p").count().collect()] == [2] * 5

# Partitions that a program makes have numbers, and random numbers of their own.
parts = spark.range(0, 10, 1, 3)
assert parts.select(F.spark_partition_id().alias("p")).distinct().count() == 3

# Ranges of keys in their order, and partitions by their numbers; a limit does not gather them first.
ages = spark.createDataFrame([(14, "Tom"), (23, "Alice"), (16, "Bob")], ["age", "name"])
place = F.spark_partition_id().alias("p")
ranged = ages.repartitionByRange(2, "age").select("age", place)
assert sorted(ranged.collect()) == sorted(ranged.limit(20).collect()) == [(14, 0), (16, 0), (23, 1)]
limited = ages.repartition(3).limit(20).select(place)
assert {row.p for row in limited.collect()} == {0}
twice = ages.repartition(4).repartitionByRange(2, "age").repartitionByRange(3, "age")
assert sorted(twice.select("age", place).collect()) == [(14, 0), (16, 1), (23, 2)]
assert ages.repartitionByRange(1, "age").select(place).distinct().collect() == [(0,)]
periodic = spark.range(200_000).select((F.col("id") % 16).alias("k")).repartitionByRange(4, "k")
counts = periodic.select("k", place).groupBy("p").agg(F.count("*").alias("n"), F.countDistinct("k").alias("k"))
found = [tuple(row) for row in counts.orderBy("p").collect()]
assert [row[0] for row in found] == [0, 1, 2, 3], found
assert all(n == 12_500 * k and 3 <= k <= 5 for _, n, k in found), found
downwards = spark.range(1000).repartitionByRange(4, F.desc("id")).select("id", place)
assert sorted(downwards.collect()) == [(n, 3 - n // 250) for n in range(1000)]
if hasattr(ages, "repartitionById"):
    numbered = spark.range(7).repartitionById(3, F.col("id")).select("id", place)
    assert sorted(numbered.collect()) == [(n, n % 3) for n in range(7)]
numbers = parts.select(F.monotonically_increasing_id().alias("n")).collect()
assert [row.n for row in numbers if row.n < 1 << 33] == [0, 1, 2]
keys = spark.range(0, 100, 1, 5).select((F.col("id") % 3).alias("key"))
sampled = keys.sampleBy("key", fractions={0: 0.1, 1: 0.2}, seed=0)
assert sorted(tuple(row) for row in sampled.groupBy("key").count().collect()) == [(0, 4), (1, 9)]
spark.stop()

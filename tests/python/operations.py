"""What DataFrames can do beyond what the other programs ask: columns, gaps, samples, figures, sets, catalog."""

import os
import sys
import tempfile

from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()


def rows(frame):
    return [tuple(row) for row in frame.collect()]


frame = spark.createDataFrame(
    [(1, "a", 1.5), (2, "b", None), (3, None, 2.5)], "id INT, letter STRING, size DOUBLE"
)

# Columns.
assert frame.withColumnRenamed("size", "s").columns == ["id", "letter", "s"]
assert frame.withColumnsRenamed({"id": "i", "nowhere": "n"}).columns == ["i", "letter", "size"]
assert frame.drop("letter", "nowhere").columns == ["id", "size"]
assert frame.toDF("x", "y", "z").columns == ["x", "y", "z"]
assert frame.select(frame.colRegex("`(id|size)`")).columns == ["id", "size"]
assert rows(frame.select(F.call_function("abs", F.lit(-2)), F.expr("id + 1")).limit(1)) == [(2, 2)]
assert rows(frame.selectExpr("transform(array(id, 2), x -> x * id) AS t").limit(1)) == [([1, 2],)]
wide = frame.select(F.struct("id", "letter").alias("s")).select("s.*")
assert wide.columns == ["id", "letter"]
assert frame.to(spark.createDataFrame([], "id BIGINT, size DOUBLE").schema).dtypes == [
    ("id", "bigint"),
    ("size", "double"),
]

# Gaps.
assert rows(frame.na.drop()) == [(1, "a", 1.5)]
assert rows(frame.na.drop(how="all", subset=["letter", "size"]).select("id")) == [(1,), (2,), (3,)]
assert rows(frame.na.fill({"letter": "-", "size": 0.0})) == [(1, "a", 1.5), (2, "b", 0.0), (3, "-", 2.5)]
assert rows(frame.replace({"a": "A"}, subset=["letter"]).select("letter")) == [("A",), ("b",), (None,)]

# Parts.
assert rows(frame.orderBy("id").offset(1).limit(1).select("id")) == [(2,)]
assert rows(spark.createDataFrame(frame.orderBy("id").tail(1), frame.schema).select("id")) == [(3,)]
assert frame.orderBy(F.desc("id")).head().id == 3 and len(frame.take(2)) == 2
share = spark.range(1000).sample(0.5, seed=7).count()
assert 400 < share < 600
assert sum(part.count() for part in spark.range(100).randomSplit([1.0, 2.0], seed=3)) == 100
assert frame.sampleBy("letter", {"a": 1.0, "b": 0.0}, seed=1).count() == 1

# Figures.
assert rows(frame.describe("id").where("summary IN ('count', 'min', 'max')")) == [
    ("count", "3"),
    ("min", "1"),
    ("max", "3"),
]
assert rows(frame.select("id").summary("count", "50%")) == [("count", "3"), ("50%", "2")]
pairs = spark.createDataFrame([(1, 2.0, "x"), (2, 4.0, "y"), (3, 6.0, "x")], "a INT, b DOUBLE, c STRING")
assert pairs.stat.corr("a", "b") == 1.0 and pairs.stat.cov("a", "b") == 2.0
assert sorted(rows(pairs.crosstab("c", "a"))) == [("x", 1, 0, 1), ("y", 0, 1, 0)]
assert pairs.approxQuantile("b", [0.5], 0.0) == [4.0]
assert pairs.freqItems(["c"], 0.5).columns == ["c_freqItems"]

# Shapes.
longer = pairs.unpivot(["c"], ["a", "b"], "name", "value")
assert longer.columns == ["c", "name", "value"] and longer.count() == 6
turned = spark.createDataFrame([("p", 1), ("q", 2)], "k STRING, v INT").transpose()
assert turned.columns == ["key", "p", "q"] and rows(turned) == [("v", 1, 2)]
assert sorted(rows(pairs.groupBy("c").pivot("a", [1, 2]).sum("b")), key=str) == [("x", 2.0, None), ("y", None, 4.0)]
assert rows(pairs.rollup("c").count().orderBy("c")) == [(None, 3), ("x", 2), ("y", 1)]
assert pairs.cube("a", "c").count().count() == 9

# Sets.
one, other = spark.createDataFrame([(1,), (1,), (2,)], "n INT"), spark.createDataFrame([(1,), (3,)], "n INT")
assert rows(one.intersect(other)) == [(1,)] and rows(one.intersectAll(other)) == [(1,)]
assert rows(one.subtract(other)) == [(2,)] and sorted(rows(one.exceptAll(other))) == [(1,), (2,)]
assert one.unionByName(other.withColumn("m", F.lit(1)), allowMissingColumns=True).columns == ["n", "m"]
assert one.dropDuplicates(["n"]).count() == 2
assert rows(one.hint("broadcast").join(other.alias("o"), "n").distinct()) == [(1,)]
assert one.crossJoin(other.toDF("m")).count() == 6

# Files, tables and the catalog.
with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "lines.txt"), "w") as file:
        file.write("to be\nor not\n")
    assert rows(spark.read.text(folder)) == [("to be",), ("or not",)]
    assert rows(spark.read.text(folder, wholetext=True)) == [("to be\nor not\n",)]
    assert spark.read.text(folder).inputFiles()[0].endswith("lines.txt")
spark.sql("DROP TABLE IF EXISTS operations_made")
frame.writeTo("operations_made").using("parquet").create()
frame.writeTo("operations_made").append()
assert spark.table("operations_made").count() == 6
frame.limit(1).write.mode("overwrite").saveAsTable("operations_made")
assert spark.table("operations_made").count() == 1
assert "operations_made" in [table.name for table in spark.catalog.listTables()]
assert spark.catalog.functionExists("abs") and not spark.catalog.functionExists("nothing_so")
assert spark.catalog.databaseExists("default") and spark.catalog.currentDatabase() == "default"
spark.sql("DROP TABLE operations_made")

# As Arrow, and whether two queries are alike.
assert frame.toArrow().num_rows == 3
assert frame.select("id").sameSemantics(frame.select("id"))
assert not frame.select("id").sameSemantics(frame.select("size"))
assert frame.isLocal() in (True, False) and frame.isStreaming is False
assert Row(n=1) in one.collect()
spark.stop()

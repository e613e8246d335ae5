"""Sessions of PySpark: SQL with parameters, views, options, the catalog, caches, errors, tags."""

import sys

from pyspark.errors import AnalysisException, ArithmeticException, ParseException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
assert spark.version.startswith("4.")


def fails(exception, condition, action):
    try:
        action()
    except exception as error:
        assert error.getCondition() == condition, error.getCondition()
        return error
    raise AssertionError(f"{condition} was expected")


numbers = spark.range(5)
numbers.createOrReplaceTempView("numbers")
assert spark.sql("SELECT sum(id) AS s FROM numbers").first().s == 10
assert spark.sql("SELECT :low + 1 AS s", {"low": 4}).first().s == 5
assert spark.sql("SELECT * FROM {df} WHERE id > ?", args=[3], df=numbers).count() == 1
assert spark.catalog.tableExists("numbers") and not spark.catalog.tableExists("letters")
assert [column.name for column in spark.catalog.listColumns("numbers")] == ["id"]

spark.conf.set("spark.sql.session.timeZone", "Europe/Amsterdam")
assert spark.conf.get("spark.sql.session.timeZone") == "Europe/Amsterdam"
assert spark.sql("SELECT CAST(TIMESTAMP_SECONDS(0) AS STRING) AS t").first().t == "1970-01-01 01:00:00"

fails(AnalysisException, "TABLE_OR_VIEW_NOT_FOUND", lambda: spark.table("nowhere").collect())
fails(ParseException, "PARSE_SYNTAX_ERROR", lambda: spark.sql("SELEKT 1").collect())
error = fails(ArithmeticException, "DIVIDE_BY_ZERO", lambda: spark.sql("SELECT 1 / 0").collect())
assert error.getSqlState() == "22012"
error = fails(
    AnalysisException,
    "UNRESOLVED_COLUMN.WITH_SUGGESTION",
    lambda: spark.sql("SELECT idd FROM numbers").limit(3).show(),
)
assert error.getQueryContext()[0].fragment() == "idd"

cached = numbers.filter("id > 1").cache()
assert cached.count() == 3 and cached.storageLevel.useMemory
assert not cached.unpersist().storageLevel.useMemory
kept = numbers.localCheckpoint()
assert kept.count() == 5

spark.addTag("quick")
assert numbers.agg(F.max("id")).first()[0] == 4
assert spark.getTags() == {"quick"} and spark.interruptTag("quick") == []

other = SparkSession.builder.remote(sys.argv[1]).create()
assert not other.catalog.tableExists("numbers")
other.stop()
spark.stop()

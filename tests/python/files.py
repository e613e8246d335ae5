"""Files that other programs write and read: ORC by Arrow's own library."""

import datetime
import sys
import tempfile

import pyarrow as pa
from pyarrow import orc
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()

table = pa.table(
    {
        "n": pa.array([1, None, 3], pa.int32()),
        "text": ["a", "b", None],
        "day": pa.array([datetime.date(2024, 2, 29), None, datetime.date(1969, 12, 31)]),
        "list": pa.array([[1, 2], [], None], pa.list_(pa.int64())),
        "pair": [{"x": 1.5}, {"x": -0.5}, None],
    }
)
with tempfile.TemporaryDirectory() as folder:
    path = f"{folder}/other.orc"
    for compression in ("uncompressed", "zlib", "snappy", "lz4", "zstd"):
        orc.write_table(table, path, compression=compression)
        read = spark.read.orc(path)
        assert read.dtypes == [
            ("n", "int"),
            ("text", "string"),
            ("day", "date"),
            ("list", "array<bigint>"),
            ("pair", "struct<x:double>"),
        ], read.dtypes
        assert [tuple(row) for row in read.collect()] == [
            (1, "a", datetime.date(2024, 2, 29), [1, 2], (1.5,)),
            (None, "b", None, [], (-0.5,)),
            (3, None, datetime.date(1969, 12, 31), None, None),
        ]
        assert read.count() == 3 and read.select("text").first()[0] == "a"
        assert spark.sql(f"SELECT sum(n) FROM orc.`{path}`").first()[0] == 4

    # Files without a column give NULL for it.
    both = spark.read.schema("text STRING, more LONG").orc(path)
    assert [tuple(row) for row in both.collect()] == [("a", None), ("b", None), (None, None)]

    own = f"{folder}/own"
    frame = spark.sql(
        "SELECT id, CAST(id AS STRING) AS s, id % 2 = 0 AS even, id / 4 AS f, DATE'2024-02-29' AS d,"
        " IF(id = 1, NULL, CAST(id AS SMALLINT)) AS small FROM range(5)"
    )
    for compression in ("none", "zlib", "zstd"):
        frame.coalesce(1).write.mode("overwrite").option("compression", compression).orc(own)
        assert spark.read.orc(own).orderBy("id").collect() == frame.collect()
        import glob

        [written] = glob.glob(f"{own}/*.orc")
        seen = orc.read_table(written).to_pydict()
        assert seen["id"] == [0, 1, 2, 3, 4] and seen["small"] == [0, None, 2, 3, 4]
        assert seen["s"] == list("01234") and seen["f"] == [0.0, 0.25, 0.5, 0.75, 1.0]
    try:
        spark.sql("SELECT array(1) AS a").write.mode("overwrite").orc(own)
        raise AssertionError("the writer has no lists")
    except PySparkException as error:
        assert error.getCondition() == "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", error
    assert spark.read.orc(own).count() == 5

    # A file that is cut short is an error that names it.
    with open(path, "rb") as file:
        whole = file.read()
    torn = f"{folder}/torn.orc"
    for length in (0, 3, len(whole) // 2, len(whole) - 1):
        with open(torn, "wb") as file:
            file.write(whole[:length])
        try:
            rows = spark.read.schema("n INT").orc(torn).collect()
            assert rows == [] and length == 0, (length, rows)
        except PySparkException as error:
            assert "torn.orc" in str(error), error
spark.stop()

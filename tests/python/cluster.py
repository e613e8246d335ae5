"""Functions of Python on the workers of a cluster: the rows and errors of one machine, and many processes."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pyarrow.compute as pc
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

VONK = os.environ["VONK"]
started = []


def start(*arguments):
    """A process of the command, and the address that it says it listens at."""
    command = [VONK, *arguments, "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    started.append(process)
    return process, process.stdout.readline().strip().removeprefix("listening at ")


def plan_of(frame):
    return frame._explain_string()


def check_batches(frame):
    """Functions over the batches of partitions run where the files are read, and what follows them too."""
    def larger(batches):
        for batch in batches:
            yield batch.assign(id=batch.id + 1, pid=os.getpid())

    mapped = frame.mapInPandas(larger, "id long, part long, pid long")
    sums = mapped.groupBy("part").agg(F.sum("id").alias("s"))
    assert "MapBatchesExec" in plan_of(sums).split("Stage 1")[-1], plan_of(sums)
    rows = sums.orderBy("part").collect()
    assert [row.s for row in rows] == [sum(range(part, 10_000, 4)) + 2500 for part in range(4)]
    assert len({row.pid for row in mapped.select("pid").distinct().collect()}) >= 2

    def even(batches):
        for batch in batches:
            yield batch.filter(pc.equal(pc.bit_wise_and(batch["id"], 1), 0))

    assert frame.mapInArrow(even, frame.schema).count() == 5000
    both = frame.mapInArrow(even, frame.schema).join(mapped.select("id", "pid"), "id")
    assert both.count() == 4999

    # All rows in an order are given as they are, to one call.
    def pairs(batches):
        last = -1
        for batch in batches:
            for n in batch.id:
                yield pd.DataFrame({"last": [last], "id": [n]})
                last = n

    ordered = frame.filter("id < 500").orderBy("id").mapInPandas(pairs, "last long, id long")
    assert ordered.collect() == [(n - 1, n) for n in range(500)]

    @F.udtf(returnType="part long, rows long")
    class Counted:
        def __init__(self):
            self.part, self.rows = None, 0

        def eval(self, row):
            self.part, self.rows = row["part"], self.rows + 1

        def terminate(self):
            yield self.part, self.rows

    table = frame.asTable().partitionBy("part")
    assert sorted(Counted(table).collect()) == [(part, 2500) for part in range(4)]

    def broken(batches):
        for batch in batches:
            raise ValueError(f"{len(batch)} rows are too many")

    try:
        frame.mapInPandas(broken, "id long").count()
        raise AssertionError("it did not fail")
    except PySparkException as error:
        assert "rows are too many" in str(error), error


def check(spark, folder):
    frame = spark.read.parquet(f"{folder}/numbers")
    double = F.udf(lambda n: n * 2 + 1, "long")
    doubled = frame.select(F.sum(double("id")).alias("s"))
    assert "Stage 1" in plan_of(doubled), plan_of(doubled)
    assert doubled.collect()[0].s == sum(2 * n + 1 for n in range(10_000))

    # Many workers have processes of their own.
    pid = F.udf(lambda n: os.getpid(), "long")
    pids = {row[0] for row in frame.select(pid("id").alias("p")).distinct().collect()}
    assert len(pids) >= 2, pids
    assert os.getpid() not in pids

    @F.pandas_udf("double")
    def half(numbers: pd.Series) -> pd.Series:
        return numbers / 2

    halves = frame.groupBy("part").agg(F.sum(half("id")).alias("h")).orderBy("part")
    assert "Stage 1" in plan_of(halves), plan_of(halves)
    assert [(row.part, row.h) for row in halves.collect()] == [
        (part, sum(range(part, 10_000, 4)) / 2) for part in range(4)
    ]

    @F.pandas_udf("double")
    def middle(numbers: pd.Series) -> float:
        return float(numbers.median())

    middles = frame.groupBy("part").agg(middle("id").alias("m")).orderBy("part")
    assert [row.m for row in middles.collect()] == [4998.0, 4999.0, 5000.0, 5001.0]

    # What a program has captured goes with its function, and so does its exception.
    words = {0: "even", 1: "odd"}
    word = F.udf(lambda n: words[n % 2], "string")
    counted = frame.groupBy(word("id").alias("w")).count().orderBy("w")
    assert [tuple(row) for row in counted.collect()] == [("even", 5000), ("odd", 5000)]
    wrong = F.udf(lambda n: words[n], "string")
    try:
        frame.select(F.count(wrong("id"))).collect()
        raise AssertionError("it did not fail")
    except PySparkException as error:
        assert "KeyError" in str(error), error

    check_batches(frame)

    # A function of SQL by name.
    spark.udf.register("triple", lambda n: n * 3, "long")
    named = spark.sql(f"SELECT sum(triple(id)) FROM parquet.`{folder}/numbers`")
    assert named.collect()[0][0] == 3 * sum(range(10_000))


with tempfile.TemporaryDirectory() as folder:
    try:
        here = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
        numbers = here.range(10_000).select("id", (F.col("id") % 4).alias("part"))
        numbers.repartition(4).write.parquet(f"{folder}/numbers")
        here.stop()
        workers = [start("worker", "--threads", "1", "--python", sys.executable)[1] for _ in range(2)]
        master = "vonk://" + ",".join(worker.removeprefix("vonk://") for worker in workers)
        options = ["--conf", "vonk.cluster.task.bytes=1", "--python", sys.executable]
        options += ["--conf", f"spark.sql.warehouse.dir={Path(folder) / 'warehouse'}"]
        _, address = start("server", "--master", master, *options)
        spark = SparkSession.builder.remote(address).create()
        check(spark, folder)
        spark.stop()
    finally:
        for process in started:
            process.kill()
            process.wait()

"""Streaming queries: sources, triggers, sinks, output modes, checkpoints, listeners, what is refused."""

import os
import sys
import tempfile
import threading

from pyspark.errors import PySparkException
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming import StreamingQueryListener

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
spark.conf.set("spark.pyspark.python", sys.executable)


def fails(condition, action):
    try:
        action()
    except PySparkException as error:
        assert error.getCondition() == condition, (error.getCondition(), str(error))
        return error
    raise AssertionError(f"{condition} was expected")


def rows(name):
    return sorted(tuple(row) for row in spark.table(name).collect())


def write(folder, name, lines):
    # Files appear as a whole, as they have to for any reader of a stream.
    with open(f"{folder}/.{name}", "w") as file:
        file.write("".join(line + "\n" for line in lines))
    os.rename(f"{folder}/.{name}", f"{folder}/{name}")


with tempfile.TemporaryDirectory() as root:
    source = f"{root}/source"
    os.mkdir(source)
    stream = spark.readStream.schema("word STRING, n INT").csv(source)
    assert stream.isStreaming and stream.columns == ["word", "n"]

    # Rows of files that come one by one, into memory.
    write(source, "1.csv", ["a,1", "b,2"])
    large = stream.filter("n > 1").withColumn("twice", F.col("n") * 2)
    query = large.writeStream.format("memory").queryName("large").start()
    query.processAllAvailable()
    assert rows("large") == [("b", 2, 4)]
    write(source, "2.csv", ["c,3", "d,0"])
    query.processAllAvailable()
    assert rows("large") == [("b", 2, 4), ("c", 3, 6)]
    assert query.isActive and [one.name for one in spark.streams.active] == ["large"]
    progress = query.recentProgress
    assert [one.numInputRows for one in progress] == [2, 2], [one.json for one in progress]
    assert query.lastProgress.batchId == 1
    query.stop()
    assert not query.isActive and query.exception() is None

    # All that there is, once; the checkpoint keeps later runs from doing it again.
    target, checkpoint = f"{root}/target", f"{root}/checkpoint"

    def copy():
        writer = stream.writeStream.format("parquet").option("checkpointLocation", checkpoint)
        query = writer.trigger(availableNow=True).start(target)
        assert query.awaitTermination(60)
        return query.id

    first = copy()
    assert spark.read.parquet(target).count() == 4
    assert copy() == first and spark.read.parquet(target).count() == 4
    write(source, "3.csv", ["e,5"])
    copy()
    assert spark.read.parquet(target).count() == 5
    limited = spark.readStream.schema("word STRING, n INT").option("maxFilesPerTrigger", 1).csv(source)
    query = limited.writeStream.format("noop").trigger(availableNow=True).start()
    query.awaitTermination()
    assert [one.numInputRows for one in query.recentProgress] == [2, 2, 1]

    # Groups: the whole result, or what has changed of it.
    sums = stream.groupBy((F.col("n") % 2).alias("odd")).agg(F.sum("n").alias("s"))
    complete = sums.writeStream.outputMode("complete").format("memory").queryName("complete").start()
    complete.processAllAvailable()
    assert rows("complete") == [(0, 2), (1, 9)]
    changed = sums.writeStream.outputMode("update").format("memory").queryName("changed").start()
    changed.processAllAvailable()
    write(source, "4.csv", ["f,7"])
    complete.processAllAvailable()
    changed.processAllAvailable()
    assert rows("complete") == [(0, 2), (1, 16)]
    assert rows("changed") == [(0, 2), (1, 9), (1, 16)]
    complete.stop()
    changed.stop()

    # Joined with what is no stream.
    names = spark.createDataFrame([(1, "one"), (3, "three")], "n INT, name STRING")
    joined = stream.join(names, "n").select("word", "name")
    query = joined.writeStream.format("memory").queryName("joined").trigger(once=True).start()
    query.awaitTermination()
    assert rows("joined") == [("a", "one"), ("c", "three")]

    # Functions of the program, for each batch and for each row.
    written = f"{root}/written"

    def save(batch, number):
        batch.write.mode("append").json(written)
        batch.write.mode("append").json(written)

    query = stream.writeStream.foreachBatch(save).trigger(availableNow=True).start()
    query.awaitTermination()
    assert query.exception() is None, query.exception()
    assert spark.read.json(written).count() == 12
    touched = f"{root}/touched"
    os.mkdir(touched)

    class Toucher:
        def open(self, partition, batch):
            self.batch = batch
            return True

        def process(self, row):
            open(f"{touched}/{self.batch}-{row.word}", "w").close()

        def close(self, error):
            pass

    query = stream.writeStream.foreach(Toucher()).trigger(availableNow=True).start()
    query.awaitTermination()
    assert sorted(os.listdir(touched)) == [f"0-{letter}" for letter in "abcdef"]

    # A function that fails ends its query, and says why.
    def fail(batch, number):
        raise ValueError("no such luck")

    query = stream.writeStream.foreachBatch(fail).start()
    fails("STREAM_FAILED", query.awaitTermination)
    assert "no such luck" in str(query.exception())
    spark.streams.resetTerminated()

# Counted rows, tables, listeners.
seen = []
told = threading.Event()


class Listener(StreamingQueryListener):
    def onQueryStarted(self, event):
        seen.append("started")

    def onQueryProgress(self, event):
        seen.append(event.progress.observedMetrics.get("seen"))

    def onQueryIdle(self, event):
        pass

    def onQueryTerminated(self, event):
        seen.append("terminated")
        told.set()


listener = Listener()
spark.streams.addListener(listener)
spark.sql("DROP TABLE IF EXISTS counted")
rate = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 3).load()
observed = rate.observe("seen", F.count(F.lit(1)).alias("n"), F.max("value").alias("most"))
query = observed.writeStream.trigger(once=True).toTable("counted")
query.awaitTermination()
assert told.wait(60)
spark.streams.removeListener(listener)
assert seen == ["started", Row(n=3, most=2), "terminated"], seen
assert [row.value for row in spark.table("counted").orderBy("value").collect()] == [0, 1, 2]
query = spark.readStream.table("counted").writeStream.format("memory").queryName("of_table")
query = query.trigger(availableNow=True).start()
query.awaitTermination()
assert spark.table("of_table").count() == 3
spark.sql("DROP TABLE counted")

# What would need a state, and what is no stream.
rate = spark.readStream.format("rate").load()
counts = rate.groupBy("value").count()
modes = "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION"
fails(modes, lambda: counts.writeStream.format("noop").start())
fails(modes, lambda: rate.dropDuplicates(["value"]).writeStream.format("noop").start())
fails(modes, lambda: rate.writeStream.outputMode("complete").format("noop").start())
fails("UNSUPPORTED_FEATURE", lambda: rate.writeStream.trigger(continuous="1 second").format("noop").start())
spark.stop()

"""Worker processes of functions: of the program's version, bounded in memory, ended with their query."""

import os
import sys
import tempfile
import threading
import time
import types
from pathlib import Path
from unittest import mock

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.connect import udf as client

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
spark.conf.set("spark.pyspark.python", sys.executable)


def fails(frame, *words):
    try:
        frame.collect()
    except PySparkException as error:
        missing = [word for word in words if word not in str(error)]
        assert not missing, (missing, str(error))
        return
    raise AssertionError("it did not fail")


def is_there(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def until(condition, what):
    """Waits for what has to happen at some time."""
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(what)


# A function that another version of Python has pickled is refused before it is loaded.
other = types.SimpleNamespace(version_info=(3, 99, 0, "final", 0))
with mock.patch.object(client, "sys", other):
    made = spark.range(1).select(F.udf(lambda n: n, "long")("id"))
    fails(made, "PYTHON_VERSION_MISMATCH", "3.99", "%d.%d" % sys.version_info[:2])
fails_not = spark.range(1).select(F.udf(lambda n: n, "long")("id"))
assert [row[0] for row in fails_not.collect()] == [0]

# One that takes more memory than it may fails, and the server goes on.
spark.conf.set("spark.executor.pyspark.memory", "1g")
much = F.udf(lambda n: len(bytearray(4 << 30)), "long")
fails(spark.range(1).select(much("id")), "MemoryError")
little = F.udf(lambda n: len(bytearray(1 << 20)), "long")
assert spark.range(1).select(little("id")).first()[0] == 1 << 20
spark.conf.unset("spark.executor.pyspark.memory")

with tempfile.TemporaryDirectory() as folder:
    note = Path(folder) / "process"

    def hangs(n):
        note.write_text(str(os.getpid()))
        time.sleep(600)

    # A query that is interrupted takes its process with it, also while the function runs.
    spark.addTag("hangs")

    def interrupt():
        until(note.exists, "the function did not begin")
        spark.interruptTag("hangs")

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    fails(spark.range(1).select(F.udf(hangs, "long")("id")), "interrupted")
    interrupter.join()
    spark.removeTag("hangs")
    process = int(note.read_text())
    until(lambda: not is_there(process), "the process of an interrupted query goes on")

    # So does the session's end.
    note.unlink()
    passing = SparkSession.builder.remote(sys.argv[1]).create()
    passing.conf.set("spark.pyspark.python", sys.executable)

    def run():
        try:
            passing.range(1).select(F.udf(hangs, "long")("id")).collect()
        except Exception:
            pass

    runner = threading.Thread(target=run, daemon=True)
    runner.start()
    until(lambda: note.exists() and note.read_text(), "the function did not begin")
    process = int(note.read_text())
    passing.stop()
    until(lambda: not is_there(process), "the process of a session that has ended goes on")

spark.stop()

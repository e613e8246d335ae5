"""The types that a program's mypy sees, if mypy is there to ask."""

import importlib.util
import os
import re
import subprocess
import sys
import unittest

from support import ContextTest

import vonk

#: Each line that reveals a type ends with the words that mypy says.
PROGRAM = """
from vonk import RDD, SparkContext, SparkSession, StorageLevel, sql

sc = SparkContext("local[2]", "words")
words: RDD[str] = sc.textFile("words.txt").flatMap(lambda line: line.split(" "))
counts = words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
reveal_type(counts.collect())  # list[tuple[str, int]]
reveal_type(words.map(len).max())  # int
reveal_type(words.persist(StorageLevel.MEMORY_ONLY).take(1))  # list[str]
reveal_type(words.keyBy(len).groupByKey().mapValues(list).collectAsMap())  # dict[int, list[str]]
reveal_type(counts.join(counts.mapValues(str)).first())  # tuple[str, tuple[int, str]]
reveal_type(sql("SELECT 1").fetchall())  # list[tuple[Any, ...]]
"""

#: The same for what needs the PySpark client.
FRAMES = """
from vonk import SparkSession

spark = SparkSession.builder.appName("x").config("a", "b").master("local").getOrCreate()
frame = spark.sql("SELECT 1 AS one")
frame.show()
reveal_type(spark)  # vonk.session.SparkSession
reveal_type(frame)  # pyspark.sql.dataframe.DataFrame
reveal_type(spark.sparkContext)  # vonk.context.core.SparkContext
reveal_type(spark.createDataFrame([(1, "a")], ["x", "y"]).count())  # int
"""

WRONG = """
from vonk import SparkContext

SparkContext("local").parallelize(["a"]).map(len).map(lambda number: number.upper())
"""


@unittest.skipUnless(importlib.util.find_spec("mypy"), "there is no mypy")
class TypesTest(ContextTest):
    def ask(self, program):
        path = self.file("program.py", program.encode())
        package = os.path.dirname(os.path.dirname(os.path.abspath(vonk.__file__)))
        command = [sys.executable, "-m", "mypy", "--cache-dir", self.path("cache"), path]
        result = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={**os.environ, "MYPYPATH": package},
            check=False,
        )
        found = dict(
            re.findall(
                r'^program.py:(\d+): note: Revealed type is "(.*)"$', result.stdout, re.MULTILINE
            )
        )
        return result.returncode, result.stdout, found

    def check(self, program):
        code, out, found = self.ask(program)
        wanted = {
            str(number): line.partition("  # ")[2]
            for number, line in enumerate(program.split("\n"), 1)
            if line.startswith("reveal_type")
        }
        self.assertEqual(found, wanted, out)
        return code, out

    def test_a_word_count_has_types(self):
        self.check(PROGRAM)

    @unittest.skipUnless(importlib.util.find_spec("pyspark"), "there is no PySpark client")
    def test_sessions_have_types(self):
        self.check(FRAMES)

    def test_what_is_wrong_is_told(self):
        self.assertIn('"int" has no attribute "upper"', self.ask(WRONG)[1])

"""Workers under the rules of a context: their environment, their memory, and what is told of those that hang."""

import contextlib
import ctypes
import io
import os
import resource
import sys
import time
import unittest

from support import ContextTest

from vonk import JobError, SparkConf, SparkContext

MEBIBYTE = 1 << 20


def sleeps(x):
    time.sleep(60 if x else 0)
    return x


class EnvironmentTest(ContextTest):
    settings = {"spark.executorEnv.MODE": "fast", "spark.executorEnv.PYTHONPATH": "/a:/b"}

    def test_variables_reach_the_workers_and_not_the_program(self):
        seen = self.sc.range(2).map(lambda _: os.environ.get("MODE")).collect()
        self.assertEqual(seen, ["fast"] * 2)
        self.assertNotIn("MODE", os.environ)

    def test_the_path_of_modules_is_made_longer(self):
        self.assertEqual(
            self.sc.range(1, numSlices=1).map(lambda _: sys.path[-2:]).first(), ["/a", "/b"]
        )

    def test_programs_of_pipe_have_them(self):
        self.assertEqual(self.sc.range(1).repartition(1).pipe("printenv MODE").collect(), ["fast"])


class ContextsTest(unittest.TestCase):
    def test_a_size_that_is_none_is_refused(self):
        with self.assertRaisesRegex(ValueError, "is no size"):
            SparkContext(conf=SparkConf().set("spark.executor.pyspark.memory", "much"))

    def test_the_argument_counts_more_than_the_settings(self):
        # As of Spark 4.3, which also gives workers the seed of hashes.
        conf = SparkConf().setMaster("local[2]").setExecutorEnv("A", "1")
        with SparkContext(conf=conf, environment={"A": "3", "B": "2"}) as sc:
            seed = os.environ.get("PYTHONHASHSEED", "0")
            self.assertEqual(sc.environment, {"A": "3", "B": "2", "PYTHONHASHSEED": seed})
            self.assertEqual(sc.getConf().get("spark.executorEnv.A"), "3")
            names = ("A", "B", "PYTHONHASHSEED")
            seen = sc.range(1).map(lambda _: [os.environ.get(name) for name in names]).collect()
            self.assertEqual(seen, [["3", "2", seed]])


class MemoryTest(ContextTest):
    settings = {"spark.executor.pyspark.memory": "512m", "spark.executor.cores": "2"}

    def test_a_function_within_the_limit_runs(self):
        taken = self.sc.range(4).map(lambda _: len(bytearray(128 * MEBIBYTE))).collect()
        self.assertEqual(taken, [128 * MEBIBYTE] * 4)

    def test_a_function_beyond_it_gets_an_error_that_names_the_setting(self):
        # Two workers of an executor share its 512 MiB.
        def grows(_):
            parts = []
            while True:
                parts.append(bytearray(16 * MEBIBYTE))

        with self.assertRaisesRegex(JobError, "256 MiB .`spark.executor.pyspark.memory`") as caught:
            self.sc.range(2).map(grows).collect()
        self.assertIsInstance(caught.exception.cause, MemoryError)
        self.assertIn("in grows", str(caught.exception))
        self.assertEqual(self.sc.range(4).map(lambda x: int(str(x))).sum(), 6)

    def test_the_program_itself_has_no_limit(self):
        self.sc.range(1).map(sleeps).collect()
        self.assertEqual(resource.getrlimit(resource.RLIMIT_AS)[0], resource.RLIM_INFINITY)


class CrashTest(ContextTest):
    def test_the_error_says_how_to_see_more(self):
        with self.assertRaisesRegex(JobError, r"\(SIGSEGV\)\n.*faulthandler.enabled=true"):
            self.sc.range(1).map(lambda _: ctypes.string_at(0)).collect()
        with self.assertRaisesRegex(JobError, r"\(SIGKILL\)\n.*spark.executor.pyspark.memory"):
            self.sc.range(1).map(lambda _: os.kill(os.getpid(), 9)).collect()
        with self.assertRaisesRegex(JobError, "ended with code 3"):
            self.sc.range(1).map(lambda _: os._exit(3)).collect()


class StackTest(ContextTest):
    settings = {"spark.python.worker.faulthandler.enabled": "true"}

    def test_the_error_of_a_crash_has_the_stack(self):
        def crashes(_):
            return ctypes.string_at(0)

        with self.assertRaisesRegex(JobError, "Segmentation fault(.|\n)*in crashes"):
            self.sc.range(1).map(crashes).collect()


class IdleTest(ContextTest):
    settings = {
        "spark.python.worker.idleTimeoutSeconds": "1",
        "spark.python.worker.killOnIdleTimeout": "true",
        "spark.python.worker.faulthandler.enabled": "true",
    }

    def test_a_worker_that_hangs_is_ended_and_its_function_named(self):
        start = time.monotonic()
        with self.assertRaisesRegex(JobError, "in `sleeps` (.|\n)*line .* in sleeps"):
            self.sc.range(2).map(sleeps).collect()
        self.assertLess(time.monotonic() - start, 10)

    def test_a_worker_that_is_slow_is_not(self):
        def slow(x):
            time.sleep(0.3)
            return x

        self.assertEqual(self.sc.range(6, numSlices=1).map(slow).sum(), 15)
        pairs = self.sc.range(6, numSlices=1).map(lambda x: (slow(x) % 2, x)).reduceByKey(max)
        self.assertEqual(sorted(pairs.collect()), [(0, 4), (1, 5)])


class IdleTellsTest(ContextTest):
    settings = {"spark.python.worker.idleTimeoutSeconds": "1"}

    def test_a_worker_that_hangs_is_told_of(self):
        def waits(x):
            time.sleep(1.6)
            return x

        told = io.StringIO()
        with contextlib.redirect_stderr(told):
            self.assertEqual(self.sc.range(1, numSlices=1).map(waits).collect(), [0])
        self.assertEqual(told.getvalue().count("in `waits`"), 1)
        self.assertNotIn("most recent call first", told.getvalue())

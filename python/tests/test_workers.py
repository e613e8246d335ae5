"""Workers: what they see of the program, how they fail, and how they end."""

import os
import signal
import subprocess
import sys
import threading
import time

from support import ContextTest

from vonk import JobError, TaskContext


class Odd(Exception):
    pass


class WorkersTest(ContextTest):
    def test_an_error_has_the_users_traceback(self):
        def fails_for_three(x):
            if x == 3:
                raise Odd("three")
            return x

        with self.assertRaises(JobError) as caught:
            self.sc.range(4).map(fails_for_three).collect()
        self.assertIn("in fails_for_three", str(caught.exception))
        self.assertIn("Odd: three", str(caught.exception))
        self.assertIsInstance(caught.exception.cause, Odd)

    def test_a_worker_that_dies_fails_the_job(self):
        with self.assertRaisesRegex(JobError, "was killed by signal 9"):
            self.sc.range(4).map(lambda x: os.kill(os.getpid(), signal.SIGKILL)).collect()
        self.assertEqual(self.sc.range(4).sum(), 6)

    def test_a_stray_stop_iteration_is_an_error(self):
        with self.assertRaises(JobError):
            self.sc.range(4).map(lambda x: next(iter([]))).collect()

    def test_tasks_change_nothing_of_the_program_or_of_each_other(self):
        seen = []

        def noted(x):
            seen.append(x)
            return len(seen)

        self.assertEqual(self.sc.range(6, numSlices=3).map(noted).collect(), [1, 2] * 3)
        self.assertEqual(seen, [])

    def test_names_have_their_value_of_the_action(self):
        factor = 2
        rdd = self.sc.range(3).map(lambda x: x * factor)
        factor = 10
        self.assertEqual(rdd.collect(), [0, 10, 20])

    def test_accumulators_add_once_and_only_for_tasks_that_succeed(self):
        total = self.sc.accumulator(0)

        def noted(x):
            total.add(x)
            return 1 // (x - 1) if x == 1 else x

        self.assertEqual(self.sc.range(2, 5).map(noted).count(), 3)
        self.assertEqual(total.value, 9)
        with self.assertRaises(JobError):
            self.sc.range(1, 2, numSlices=1).map(noted).count()
        self.assertEqual(total.value, 9)
        with self.assertRaises(JobError):
            self.sc.range(1).map(lambda x: total.value).collect()

    def test_tasks_know_their_partition(self):
        ids = self.sc.range(3, numSlices=3).map(lambda _: TaskContext.get().partitionId())
        self.assertEqual(ids.collect(), [0, 1, 2])

    def test_jobs_are_cancelled_by_tag(self):
        def cancel():
            time.sleep(0.3)
            self.sc.cancelJobsWithTag("slow")

        self.sc.addJobTag("slow")
        threading.Thread(target=cancel).start()
        start = time.time()
        with self.assertRaisesRegex(JobError, "cancelled"):
            self.sc.range(4).map(lambda x: time.sleep(60)).collect()
        self.sc.clearJobTags()
        self.assertLess(time.time() - start, 10)

    def test_an_rdd_cannot_be_used_inside_of_a_task(self):
        other = self.sc.range(3)
        with self.assertRaisesRegex(JobError, "by the program only"):
            self.sc.range(2).map(lambda x: other.count()).collect()

    def test_large_results_come_over_whole(self):
        rows = self.sc.parallelize(range(4), 4).map(lambda x: bytes([x]) * 3_000_000).collect()
        self.assertEqual([(row[0], len(row)) for row in rows], [(i, 3_000_000) for i in range(4)])

    def test_ctrl_c_ends_the_workers(self):
        program = f"""
import os, sys, time
from vonk import SparkContext
def wait(x):
    with open("{self.path("pids")}", "a") as file:
        file.write(f"{{os.getpid()}}\\n")
    time.sleep(60)
SparkContext("local[2]").range(2).map(wait).collect()
"""
        process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE)
        pids = []
        while len(pids) < 2:
            time.sleep(0.05)
            if os.path.exists(self.path("pids")):
                with open(self.path("pids")) as file:
                    pids = file.read().split()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=10)
        self.assertIn(b"KeyboardInterrupt", error)
        self.assertIn(b"interrupted: 2 tasks were in `wait` (<string>:7)", error)
        for pid in pids:
            with self.assertRaises(ProcessLookupError):
                os.kill(int(pid), 0)

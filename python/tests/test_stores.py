"""RDDs over Hadoop's file system: a real name node and data node, started and ended by the test."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from collections import Counter

from support import ContextTest

from vonk import stores

_JARS = os.environ.get("VONK_HADOOP", "")
_PROGRAM = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "servers", "MiniDfs.java"
)

WORD_COUNT = """
from pyspark import SparkContext

sc = SparkContext("local", "word count")
counts = sc.textFile("{path}").flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b).collect()
sc.stop()
print(sorted(counts))
"""


@unittest.skipUnless(
    os.path.isdir(_JARS) and shutil.which("java"),
    "Hadoop is not there; `cargo xtask test` fetches it",
)
class HdfsTest(ContextTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = tempfile.mkdtemp(prefix="vonk-dfs-")
        command = ["java", "-Xmx512m", "-cp", os.path.join(_JARS, "*"), _PROGRAM, cls.data]
        cls.dfs = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        ready = cls.dfs.stdout.readline().split()
        cls.root = f"hdfs://127.0.0.1:{int(ready[1])}"
        words = ["to", "be", "or", "not", "that", "is", "the", "question"]
        cls.lines = [
            " ".join(words[(n * at + n // 5) % 8] for at in range(6)) for n in range(3000)
        ]
        cls.counts = Counter(word for line in cls.lines for word in line.split(" "))
        cls.sc.parallelize(cls.lines, 3).saveAsTextFile(f"{cls.root}/poem")

    @classmethod
    def tearDownClass(cls):
        cls.dfs.kill()
        cls.dfs.wait()
        cls.dfs.stdin.close()
        cls.dfs.stdout.close()
        shutil.rmtree(cls.data, ignore_errors=True)
        super().tearDownClass()

    def test_the_word_count_runs_unchanged(self):
        job = self.file("job.py", WORD_COUNT.format(path=f"{self.root}/poem").encode())
        vonk = os.environ.get("VONK_BINARY")
        commands = [[sys.executable, "-m", "vonk", job]]
        commands += [[vonk, "run", "--python", sys.executable, job]] if vonk else []
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout.strip(), str(sorted(self.counts.items())))

    def test_compiled_steps_and_python_see_the_same_lines(self):
        for path in ["poem", "poem/part-*", "poem/{part-00000,part-00001,part-00002}"]:
            rdd = self.sc.textFile(f"{self.root}/{path}", 5)
            self.assertEqual(sorted(rdd.collect()), sorted(self.lines))
            word = re.compile(r"\w+")
            pairs = rdd.flatMap(lambda line: word.findall(line)).map(lambda found: (found, 1))
            counts = pairs.reduceByKey(lambda a, b: a + b).collectAsMap()
            self.assertEqual(counts, dict(self.counts), path)

    def test_whole_files_and_pickled_ones(self):
        whole = dict(self.sc.wholeTextFiles(f"{self.root}/poem").collect())
        self.assertEqual(len(whole), 3)
        self.assertEqual(sum(text.count("\n") for text in whole.values()), 3000)
        self.assertTrue(all(name.startswith(f"{self.root}/poem/part-") for name in whole))
        rows = [(n, str(n)) for n in range(100)]
        self.sc.parallelize(rows, 2).saveAsPickleFile(f"{self.root}/rows")
        self.assertEqual(sorted(self.sc.pickleFile(f"{self.root}/rows").collect()), rows)
        packed = f"{self.root}/packed"
        codec = "org.apache.hadoop.io.compress.GzipCodec"
        self.sc.parallelize(self.lines, 2).saveAsTextFile(packed, codec)
        self.assertEqual(self.sc.textFile(packed).count(), 3000)

    def test_sequence_files(self):
        rows = [(n, f"row {n}" * 9) for n in range(5000)]
        self.sc.parallelize(rows, 2).saveAsSequenceFile(f"{self.root}/pairs")
        self.assertEqual(self.sc.sequenceFile(f"{self.root}/pairs", minSplits=4).collect(), rows)
        with self.assertRaises(FileExistsError):
            self.sc.parallelize(rows).saveAsSequenceFile(f"{self.root}/pairs")
        format = "org.apache.hadoop.mapreduce.lib.output.TextOutputFormat"
        self.sc.parallelize(rows, 2).saveAsNewAPIHadoopFile(f"{self.root}/tabs", format)
        self.assertEqual(self.sc.textFile(f"{self.root}/tabs").first(), "0\t" + rows[0][1])

    def test_what_is_there_stays_and_what_is_not_is_told(self):
        with self.assertRaises(FileExistsError):
            self.sc.parallelize([1]).saveAsTextFile(f"{self.root}/poem")
        self.assertEqual(self.sc.textFile(f"{self.root}/poem").count(), 3000)
        with self.assertRaises(Exception) as raised:
            self.sc.textFile(f"{self.root}/gone").count()
        self.assertIn(f"{self.root}/gone", str(raised.exception))

    def test_sizes_and_ranges(self):
        name, size = stores.find(f"{self.root}/poem/part-00000")[0]
        with stores.open_file(name) as file:
            whole = file.read()
            file.seek(size - 5)
            self.assertEqual((len(whole), file.read()), (size, whole[-5:]))


if __name__ == "__main__":
    sys.exit(unittest.main())

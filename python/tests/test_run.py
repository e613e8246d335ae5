"""Programs written for PySpark, run as they are."""

import os
import shutil
import subprocess
import sys
import unittest
import zipfile

from support import ContextTest

PROGRAM = """
from pyspark import SparkContext

sc = SparkContext(appName="MyApp")
counts = sc.textFile("{path}").flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b).collect()
for word, count in sorted(counts):
    print(word, count)
sc.stop()
"""

#: The command, if the tests are told where it is.
VONK = os.environ.get("VONK_BINARY") or ""


class RunTest(ContextTest):
    def run_program(self, *command, program):
        path = self.file("job.py", program.encode())
        result = subprocess.run(
            [*command, path, "one", "--two"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return result.returncode, result.stdout, result.stderr

    def commands(self):
        yield [sys.executable, "-m", "vonk"]
        yield [
            *(sys.executable, "-m", "vonk", "submit"),
            *("--verbose", "--executor-memory", "1g", "--master=local[2]"),
        ]
        if VONK:
            yield [VONK, "run", "--python", sys.executable]
            yield [
                VONK,
                "submit",
                "--python",
                sys.executable,
                "--master",
                "local[2]",
                "--num-executors",
                "2",
            ]

    def test_word_count_verbatim(self):
        text = self.file("words.txt", b"to be or\nnot to be\n")
        for command in self.commands():
            code, out, error = self.run_program(*command, program=PROGRAM.format(path=text))
            self.assertEqual((code, out), (0, "be 2\nnot 1\nor 1\nto 2\n"), error)

    def test_arguments_and_exit_codes_pass(self):
        program = "import sys\nprint(__name__, sys.argv[1:])\nsys.exit(7)\n"
        for command in self.commands():
            code, out, _ = self.run_program(*command, program=program)
            self.assertEqual((code, out), (7, "__main__ ['one', '--two']\n"))

    def test_settings_of_the_command_line_reach_the_program(self):
        program = "from pyspark import SparkContext\nprint(SparkContext.getOrCreate().getConf().get('spark.x'))\n"
        for command in self.commands():
            code, out, error = self.run_program(*command, "--conf", "spark.x=7", program=program)
            self.assertEqual((code, out), (0, "7\n"), error)

    def test_settings_count_as_with_spark_submit(self):
        # What spark-submit 4.3 prints for these flags, the file and the program.
        program = """
from pyspark import SparkConf, SparkContext
sc = SparkContext(conf=SparkConf().set("spark.b", "program"))
names = ("spark.a", "spark.b", "spark.c", "spark.executor.memory")
print(sc.appName, sc.master, *(sc.getConf().get(name) for name in names))
"""
        text = "spark.a   file\nspark.b file\nspark.c=file\nspark.app.name  file\n"
        flags = [
            *("--properties-file", self.file("settings.conf", text.encode())),
            *("--conf", "spark.a=flag", "--conf", "spark.b=flag", "--name", "named"),
            *("--conf=spark.app.name=conf", "--executor-memory", "1g"),
            *("--conf", "spark.executor.memory=2g"),
            *("--master", "local[2]", "--conf", "spark.master=local[3]"),
        ]
        code, out, error = self.run_program(
            sys.executable, "-m", "vonk", "submit", *flags, program=program
        )
        self.assertEqual((code, out), (0, "named local[2] flag program file 2g\n"), error)

    def test_modules_of_the_command_line_are_imported(self):
        given = self.file("given_module.py", b"TEXT = 'given'\n")
        with zipfile.ZipFile(self.path("packed.zip"), "w") as archive:
            archive.writestr("packed_module.py", "TEXT = 'packed'\n")
        program = (
            "import given_module, packed_module\nprint(given_module.TEXT, packed_module.TEXT)\n"
        )
        files = f"{given},{self.path('packed.zip')}"
        for command in self.commands():
            code, out, error = self.run_program(*command, "--py-files", files, program=program)
            self.assertEqual((code, out), (0, "given packed\n"), error)

    def test_a_server_is_named_by_remote(self):
        program = "from pyspark import SparkConf\nprint(SparkConf().get('spark.remote'))\n"
        command = [sys.executable, "-m", "vonk", "--remote", "sc://host:7"]
        self.assertEqual(self.run_program(*command, program=program)[1], "sc://host:7\n")

    def test_another_python_gets_the_settings(self):
        program = "from pyspark import SparkConf\nprint(SparkConf().get('spark.x'))\n"
        command = [sys.executable, "-m", "vonk", "--python", sys.executable, "-cspark.x=1"]
        self.assertEqual(self.run_program(*command, program=program)[1], "1\n")

    def test_wrong_command_lines_are_told_what_to_do(self):
        for flags, words in {
            ("--nam", "x"): "did you mean `--name`?",
            ("--conf", "x"): "give NAME=VALUE",
            ("--properties-file", "none"): "`none` cannot be read",
            ("--python", "/none"): "`/none` cannot be started",
            ("--master", "local", "--remote", "sc://x"): "give one of them",
        }.items():
            code, _, error = self.run_program(
                sys.executable, "-m", "vonk", "submit", *flags, program=""
            )
            self.assertEqual(code, 2)
            self.assertIn(words, error)

    def test_the_error_of_a_job_is_caught_by_its_name(self):
        program = """
from py4j.protocol import Py4JJavaError
from pyspark import SparkContext
try:
    SparkContext().parallelize([0]).map(lambda x: 1 // x).collect()
except Py4JJavaError as error:
    print("caught", "ZeroDivisionError" in str(error))
"""
        code, out, error = self.run_program(sys.executable, "-m", "vonk", program=program)
        self.assertEqual((code, out), (0, "caught True\n"), error)

    @unittest.skipUnless(VONK, "the command is not named by VONK_BINARY")
    def test_a_python_without_the_package_is_told_how_to_get_it(self):
        environment = {"PATH": os.environ["PATH"]}
        python = shutil.which("python3", path="/usr/bin") or sys.executable
        command = [VONK, "run", "--python", python, self.file("job.py", b"")]
        result = subprocess.run(
            command, capture_output=True, text=True, env=environment, check=False
        )
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("-m pip install vonk", result.stderr)

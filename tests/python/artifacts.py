"""Modules, archives and files that a session leaves for its functions."""

import os
import sys
import tempfile
import zipfile

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
spark.conf.set("spark.pyspark.python", sys.executable)
folder = tempfile.mkdtemp()


def place(name):
    return os.path.join(folder, name)


def write(name, text):
    with open(place(name), "w") as file:
        file.write(text)
    return place(name)


def answer(function):
    return spark.range(1).select(F.udf(function, "string")("id")).first()[0]


# A module, and a package of modules; they are imported where the functions run.
def of_module(_):
    import left_module

    return left_module.told()


try:
    answer(of_module)
    raise AssertionError("the module is not there yet")
except PySparkException as error:
    assert "left_module" in str(error)
spark.addArtifacts(write("left_module.py", "def told():\n    return 'module'\n"), pyfile=True)
assert answer(of_module) == "module"

with zipfile.ZipFile(place("left_package.zip"), "w") as package:
    package.writestr("left_package/__init__.py", "def told():\n    return 'package'\n")
spark.addArtifacts(place("left_package.zip"), pyfile=True)


def of_package(_):
    import left_package

    return left_package.told()


assert answer(of_package) == "package"

# Archives are unpacked under their own name, or under the one after `#`; files lie beside them.
with zipfile.ZipFile(place("data.zip"), "w") as archive:
    archive.writestr("deep/a.txt", "archive")
spark.addArtifacts(place("data.zip"), archive=True)
spark.addArtifacts(place("data.zip") + "#renamed", archive=True)
spark.addArtifacts(write("plain.txt", "file"), file=True)


def read(*parts):
    def text(_):
        from pyspark import SparkFiles

        with open(os.path.join(SparkFiles.getRootDirectory(), *parts)) as file:
            return file.read()

    return text


assert answer(read("data.zip", "deep", "a.txt")) == "archive"
assert answer(read("renamed", "deep", "a.txt")) == "archive"
assert answer(read("plain.txt")) == "file"
assert answer(of_module) == "module"

# The same file again is nothing new; another one of its name is refused.
spark.addArtifacts(place("plain.txt"), file=True)
write("plain.txt", "another")
try:
    spark.addArtifacts(place("plain.txt"), file=True)
    raise AssertionError("a file of the name is there already")
except Exception as error:
    assert "ARTIFACT_ALREADY_EXISTS" in str(error) or "plain.txt" in str(error), error
assert answer(read("plain.txt")) == "file"

# A clone has what its source had; another session has nothing of it.
other = SparkSession.builder.remote(sys.argv[1]).create()
other.conf.set("spark.pyspark.python", sys.executable)
try:
    other.range(1).select(F.udf(of_module, "string")("id")).first()
    raise AssertionError("the module is another session's")
except PySparkException as error:
    assert "left_module" in str(error)
other.stop()
spark.stop()

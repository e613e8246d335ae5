"""Runs the examples in the documentation of PySpark's RDDs against the package, a line of JSON for each.

usage: PYTHONPATH=PACKAGE python rdd.py OUT.jsonl

The examples are read from the text of PySpark's own modules, without importing these, so that a
program's `pyspark` is the package's and no JVM is wanted. Each is a text of its own, and what one
does to the context it was given ends with its module, as in PySpark.
"""

import ast
import contextlib
import doctest
import importlib
import importlib.util
import io
import json
import pathlib
import signal
import sys
import tempfile

import vonk.compat

#: The modules whose examples are run, by the names PySpark gives them.
MODULES = ("pyspark.core.rdd", "pyspark.core.context")

#: Seconds that one example may take.
LIMIT = 60


def documented(tree, name):
    """The names and texts of all that a module documents, as doctest would find them."""
    found = [(name, ast.get_docstring(tree, clean=False), 1)]
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            inner = f"{name}.{node.name}"
            if isinstance(node, ast.ClassDef):
                found += documented(node, inner)
            else:
                found.append((inner, ast.get_docstring(node, clean=False), node.lineno))
    return [each for each in found if each[1]]


def names_of(tree, name):
    """The names that a module's examples may use: what it imports, and what it has itself."""
    names = {"__name__": name}
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            with contextlib.suppress(ImportError):
                exec(compile(ast.Module([node], []), name, "exec"), names)
    names.update(vars(importlib.import_module(name)))
    return names


def run_one(test):
    """What became of an example, and the end of what it said."""
    said = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    signal.alarm(LIMIT)
    try:
        status = "pass" if runner.run(test, out=said.write, clear_globs=False).failed == 0 else "fail"
    except TimeoutError:
        status = "timeout"
    finally:
        signal.alarm(0)
    return status, said.getvalue()[-1500:]


def run_module(name, folder, out):
    """Runs every example of one module in a context of its own."""
    path = folder.joinpath(*name.split(".")[1:]).with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = names_of(tree, name)
    context = vonk.SparkContext("local[4]", "PythonTest")
    with tempfile.TemporaryDirectory() as temporary:
        context.setCheckpointDir(temporary)
        names.update(sc=context, SparkContext=vonk.SparkContext)
        for title, text, line in documented(tree, name):
            test = doctest.DocTestParser().get_doctest(text, dict(names), title, str(path), line)
            if all(example.options.get(doctest.SKIP) for example in test.examples):
                continue
            status, said = run_one(test)
            line = {"module": name, "test": title, "status": status, "log": "" if status == "pass" else said}
            print(json.dumps(line), file=out, flush=True)
    active = vonk.SparkContext._active_spark_context
    if active is not None:
        active.stop()


def main():
    def late(*_):
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    folder = pathlib.Path(importlib.util.find_spec("pyspark").origin).parent
    with contextlib.suppress(ImportError, TypeError):
        importlib.import_module("numpy").set_printoptions(legacy="1.25")
    vonk.compat.install()
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        for name in MODULES:
            run_module(name, folder, out)


main()

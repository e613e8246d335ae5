"""Runs a program that was written for PySpark: `python -m vonk job.py [arguments]`, or `vonk run`.

The program sees vonk where it imports `pyspark`.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Sequence

from vonk import compat, launch

_USAGE = """usage: vonk [--conf NAME=VALUE] [--master MASTER] PROGRAM [ARGUMENT ...]

Runs a Python program that was written for PySpark, with vonk in the place of Spark."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program that the arguments name, and gives the code to end with."""
    rest = list(sys.argv[1:] if arguments is None else arguments)
    while rest and rest[0].startswith("-"):
        flag = rest.pop(0)
        if flag in ("-h", "--help"):
            print(_USAGE)
            return 0
        if flag not in ("--conf", "--master") or not rest:
            print(f"error: unknown flag `{flag}`\n{_USAGE}", file=sys.stderr)
            return 2
        name, _, value = (
            "spark.master=" + rest.pop(0) if flag == "--master" else rest.pop(0)
        ).partition("=")
        launch.settings()[name] = value
    if rest and rest[0] == "run":
        rest.pop(0)
    if not rest:
        print(_USAGE, file=sys.stderr)
        return 2
    return run(rest)


def run(program: list[str]) -> int:
    """Runs a program as `__main__`, with its own folder first on the path, and its arguments."""
    path = program[0]
    if not os.path.exists(path):
        print(f"error: the program `{path}` is not there", file=sys.stderr)
        return 2
    compat.install()
    sys.argv[:] = program
    if os.path.isfile(path):
        sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    for extra in filter(None, launch.settings().get("spark.submit.pyFiles", "").split(",")):
        is_package = extra.endswith((".zip", ".egg"))
        sys.path.insert(1, extra if is_package else os.path.dirname(os.path.abspath(extra)))
    runpy.run_path(path, run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())

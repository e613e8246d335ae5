"""Runs a program that was written for PySpark: `python -m vonk job.py [arguments]`, or `vonk run`.

The program sees vonk where it imports `pyspark`.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from collections.abc import Sequence

from vonk import compat, launch, submit


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program that the arguments name, and gives the code to end with."""
    try:
        call = submit.parse(sys.argv[1:] if arguments is None else arguments)
        if call.wants_help:
            print(submit.USAGE)
            return 0
        launch.settings().update(call.settings)
        if call.python is not None:
            return _run_by(call.python, call.program)
        return run(call.program)
    except submit.UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def run(program: list[str]) -> int:
    """Runs a program as `__main__`, with its own folder first on the path, and its arguments."""
    path = program[0]
    if not os.path.exists(path):
        raise submit.UsageError(f"the program `{path}` is not there")
    compat.install()
    sys.argv[:] = program
    if os.path.isfile(path):
        sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    for extra in filter(None, launch.settings().get("spark.submit.pyFiles", "").split(",")):
        is_package = extra.endswith((".zip", ".egg"))
        sys.path.insert(1, extra if is_package else os.path.dirname(os.path.abspath(extra)))
    runpy.run_path(path, run_name="__main__")
    return 0


def _run_by(python: str, program: list[str]) -> int:
    """Has another Python run the program, in the place of this process."""
    os.environ[launch.SETTINGS_VARIABLE] = json.dumps(launch.settings())
    try:
        os.execvp(python, [python, "-m", "vonk", *program])
    except OSError as error:
        raise submit.UsageError(
            f"`{python}` cannot be started: {error.strerror}\nhint: name a Python that has vonk"
        ) from None


if __name__ == "__main__":
    sys.exit(main())

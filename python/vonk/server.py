"""The Spark Connect server of the program's `SparkSession`: within the program's own process.

Where the compiled part of the package is not there, it is a process of the command `vonk`, which ends with
the program."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import signal
import subprocess
import sys

from vonk import launch, workers

#: The variable by which `vonk run` names its own command.
COMMAND_VARIABLE = "VONK_BINARY"

#: The variable by which a server learns the token that its clients have to know.
_TOKEN_VARIABLE = "SPARK_CONNECT_AUTHENTICATE_TOKEN"

_address: str | None = None


def address(settings: dict[str, str]) -> str:
    """The address of the program's server, which is started at the first time.

    It listens at a free port that only this machine reaches, to clients that know a random token.
    """
    global _address
    if _address is None:
        token = secrets.token_urlsafe(32)
        named = launch.of_engine(settings)
        port = _start_within(named, token) or _start_beside(named, token)
        _address = f"sc://localhost:{port}/;token={token}"
    return _address


def _python() -> str:
    """The Python of the program's functions: the one that PySpark's users name, or the program's own."""
    return os.environ.get("PYSPARK_PYTHON") or sys.executable


def _start_within(settings: list[tuple[str, str]], token: str) -> int | None:
    """Starts the server in this process, if the package's compiled part is there."""
    try:
        from vonk import _vonk
    except ImportError:
        return None
    port = _vonk.serve(settings, token, _python())
    owner = os.getpid()

    def stop() -> None:
        # A process that was forked has none of the server's threads.
        if os.getpid() == owner:
            _vonk.stop_serving()

    atexit.register(stop)
    return port


def _start_beside(settings: list[tuple[str, str]], token: str) -> int:
    """Starts `vonk server` as a process that ends with this one."""
    command = os.environ.get(COMMAND_VARIABLE) or shutil.which("vonk")
    if command is None:
        raise RuntimeError(
            "`SparkSession` needs the command `vonk`\nhint: put it on the path, or run the program by `vonk run`"
        )
    flags = [flag for name, value in settings for flag in ("--conf", f"{name}={value}")]
    process = subprocess.Popen(
        [command, "server", "--listen", "127.0.0.1:0", "--python", _python(), *flags],
        env={**os.environ, _TOKEN_VARIABLE: token},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C is for the program, which may go on after it.
        start_new_session=True,
        preexec_fn=workers.die_with_parent,
    )
    assert process.stdout is not None
    out = process.stdout
    line = out.readline()
    if not line.startswith("listening at "):
        process.kill()
        raise RuntimeError(f"`{command} server` did not start: {line.strip() or 'it said nothing'}")
    owner = os.getpid()

    def stop() -> None:
        if os.getpid() == owner:
            process.send_signal(signal.SIGTERM)
            process.wait()
            out.close()

    atexit.register(stop)
    return int(line.strip().rpartition(":")[2])

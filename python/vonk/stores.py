"""Files of stores other than the local disk: `hdfs://`, `s3a://`, `gs://`, `abfss://` and `https://`.

The compiled part of the package asks the stores. It has threads and connections, which do not live on in a
forked process: a task that Python computes reads through a program of its own, `serve`, which lives as long
as the task.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import BinaryIO

from vonk import workers
from vonk.errors import not_supported

#: Bytes asked for at once.
_RANGE_BYTES = 4 << 20

#: The settings of the program's context that say something of stores.
_settings: list[tuple[str, str]] = []

#: The reading program of this task.
_reader: _Reader | None = None


def is_remote(path: str) -> bool:
    """Whether a path names another store than the local disk.

    >>> is_remote("hdfs://node:8020/a.txt"), is_remote("file:///tmp/a.txt"), is_remote("a.txt")
    (True, False, False)
    """
    return "://" in path and not path.startswith("file:")


def configure(settings: list[tuple[str, str]]) -> None:
    """Takes the settings of a context: those of Hadoop and those of vonk's stores."""
    begins = ("spark.hadoop.", "fs.", "vonk.stores.")
    chosen = [(name, value) for name, value in settings if name.startswith(begins)]
    if chosen != _settings:
        _settings[:] = chosen
        if "vonk._vonk" in sys.modules:
            sys.modules["vonk._vonk"].set_stores(_settings)


def find(path: str) -> list[tuple[str, int]]:
    """The files at a path, a glob or a directory, with their sizes."""
    return list(_compiled().list_files(path))


def publish(directory: str, target: str) -> None:
    """Makes a new directory in a store, at once, of the files of a local one."""
    _compiled().publish_files(directory, target)


def open_file(path: str, size: int | None = None) -> BinaryIO:
    """Opens a file for reading."""
    raw = RemoteFile(path, find_size(path) if size is None else size)
    return io.BufferedReader(raw, _RANGE_BYTES)


def find_size(path: str) -> int:
    """How many bytes a file has."""
    return _its_reader().size(path) if workers.in_worker() else find(path)[0][1]


class RemoteFile(io.RawIOBase):
    """A file of a store, read in ranges."""

    def __init__(self, path: str, size: int):
        self._path, self._size, self._at = path, size, 0

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def seekable(self) -> bool:
        """Any range can be asked for."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Goes to an offset."""
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, begin + offset)
        return self._at

    def tell(self) -> int:
        """The offset of what is read next."""
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fills a buffer with what comes next."""
        end = min(self._size, self._at + len(buffer))
        if self._at >= end:
            return 0
        data = _read(self._path, self._at, end)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _read(path: str, start: int, end: int) -> bytes:
    if workers.in_worker():
        return _its_reader().read(path, start, end)
    return bytes(_compiled().read_bytes(path, start, end))


def _compiled():  # type: ignore[no-untyped-def]
    """The compiled part, with the settings of the context."""
    try:
        from vonk import _vonk
    except ImportError as error:
        raise not_supported(
            "reading from stores without the compiled part of the package",
            "install the wheel `vonk`, or use local files",
        ) from error
    global _configured
    if not _configured:
        _vonk.set_stores(_settings)
        _configured = True
    return _vonk


_configured = False


def _its_reader() -> _Reader:
    global _reader
    if _reader is None or _reader.owner != os.getpid():
        _reader = _Reader()
    return _reader


class _Reader:
    """A program that asks stores for this process."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from vonk import stores; stores.serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        self._ask(["settings", _settings])

    def size(self, path: str) -> int:
        return int(self._ask(["size", path]))

    def read(self, path: str, start: int, end: int) -> bytes:
        return self._ask(["read", path, start, end])

    def _ask(self, request: list[object]) -> bytes:
        to, back = self._process.stdin, self._process.stdout
        assert to is not None and back is not None
        to.write(json.dumps(request).encode() + b"\n")
        to.flush()
        head = back.readline().split()
        if len(head) != 2:
            raise OSError("the program that reads from stores has ended")
        answer = back.read(int(head[1]))
        if head[0] != b"ok":
            kind = FileNotFoundError if head[0] == b"missing" else OSError
            raise kind(answer.decode("utf-8", "replace"))
        return answer


def serve() -> None:
    """Answers the requests on the standard input, one line of JSON each, until there are no more."""
    answers = sys.stdout.buffer
    for line in sys.stdin.buffer:
        kind, *arguments = json.loads(line)
        try:
            if kind == "settings":
                configure([(name, value) for name, value in arguments[0]])
                answer = b""
            elif kind == "size":
                answer = str(find_size(*arguments)).encode()
            else:
                answer = _read(*arguments)
            head = b"ok"
        except FileNotFoundError as error:
            head, answer = b"missing", str(error).encode()
        except OSError as error:
            head, answer = b"error", str(error).encode()
        answers.write(head + b" %d\n" % len(answer))
        answers.write(answer)
        answers.flush()

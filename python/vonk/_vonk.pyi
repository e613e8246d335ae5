"""The compiled part of the package."""

from collections.abc import Iterable, Sequence
from typing import Any

__version__: str

class RedoInPython(Exception):
    """Compiled steps met a value whose meaning only Python keeps."""

class SqlError(Exception):
    """A statement is wrong or failed."""

class Held:
    """Partitions of values, outside of Python's heap until somebody looks at them."""

    def __init__(self, partitions: Iterable[Iterable[Any]]) -> None: ...
    def __len__(self) -> int: ...
    def partition(self, index: int) -> list[Any]: ...

class Session:
    """A session: its views, settings and catalog."""

    def __init__(self, settings: Sequence[tuple[str, str]] = ...) -> None: ...
    def sql(self, text: str) -> Table: ...
    def register(self, name: str, data: object) -> None: ...

class Table:
    """A statement's result, which is computed when something of it is asked for."""

    columns: list[str]
    dtypes: list[tuple[str, str]]
    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...
    def count(self) -> int: ...
    def show_string(self, rows: int = 20, truncate: int | None = 20) -> str: ...
    def rows(self, most: int | None = None) -> list[tuple[Any, ...]]: ...

def serve(settings: Sequence[tuple[str, str]], token: str, python: str) -> int:
    """Starts the process's Spark Connect server, and gives its port."""

def stop_serving() -> None:
    """Ends the server."""

def stable_hash(object: object, /) -> int:
    """Python's hash of a text or bytes under PYTHONHASHSEED=0."""

def set_stores(settings: Sequence[tuple[str, str]], /) -> None:
    """Takes the settings of a Spark context, which say where stores are and who asks them."""

def list_files(path: str, /) -> list[tuple[str, int]]:
    """The files at a path, a glob or a directory of a store, with their sizes."""

def read_bytes(path: str, start: int, end: int, /) -> bytes:
    """The bytes of a file of a store from one offset to before another."""

def publish_files(directory: str, target: str, /) -> None:
    """Makes a new directory in a store of the files of a local one."""

def run(
    plan: tuple[
        Sequence[tuple[str, int, int]] | Held,
        Sequence[tuple[str, tuple[Any, ...]]],
        tuple[Any, ...],
    ],
    indices: Sequence[int],
    threads: int,
) -> Held:
    """Runs compiled steps over partitions of text files or of held values."""

"""The private folder of a context: kept partitions, moved rows, and files given to the workers."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from vonk import serial

if TYPE_CHECKING:
    from vonk.lineage import Node


class Storage:
    """Files below a folder that only this user may enter; it goes when the program ends."""

    def __init__(self) -> None:
        # `mkdtemp` makes folders with mode 0700.
        self.root = tempfile.mkdtemp(prefix="vonk-")
        self.owner = os.getpid()

    def new_folder(self, name: str) -> str:
        """Makes a folder."""
        path = os.path.join(self.root, name)
        os.makedirs(path, mode=0o700, exist_ok=True)
        return path

    def drop(self, folder: str) -> None:
        """Deletes a folder, if this is the program and not one of its workers."""
        if os.getpid() == self.owner:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Deletes everything."""
        self.drop(self.root)

    def _path(self, node: Node, index: int) -> str:
        return os.path.join(self.root, f"kept-{node.id}", f"part-{index}")

    def has_all(self, node: Node) -> bool:
        """Whether every partition of a node is kept."""
        return all(os.path.exists(self._path(node, i)) for i in range(node.num_partitions))

    def get_or_compute(self, node: Node, index: int) -> Iterator[Any]:
        """A kept partition; it is computed and kept first if need be."""
        path = self._path(node, index)
        if not os.path.exists(path):
            self.write(path, node.compute(index))
        return self.read(path)

    def write(self, path: str, values: Iterator[Any]) -> str:
        """Writes values to a file that is there only when it is whole."""
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        descriptor, staged = tempfile.mkstemp(dir=os.path.dirname(path))
        try:
            with os.fdopen(descriptor, "wb") as file:
                serial.write(values, file)
            os.replace(staged, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(staged)
            raise
        return path

    def read(self, path: str) -> Iterator[Any]:
        """The values of a file that `write` wrote."""
        with open(path, "rb") as file:
            yield from serial.read(file)

    def forget(self, node: Node) -> None:
        """Drops the kept partitions of a node."""
        self.drop(os.path.join(self.root, f"kept-{node.id}"))

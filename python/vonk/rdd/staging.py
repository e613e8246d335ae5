"""What writes files: they are staged beside the target, and published when all of them are there."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from typing import Any, TypeVar

from vonk import files, scheduler, stores
from vonk.parts import Part
from vonk.rdd.ordered import Ordered

T = TypeVar("T")


class Staged(Ordered[T]):
    """Writing of whole directories."""

    def _save(self, path: str, part: Part) -> None:
        """Writes each partition as a file, and then `_SUCCESS`."""
        if stores.is_remote(path):
            self._save_remote(path, part)
            return
        target = _free_target(path)
        staging = os.path.join(target, f"_temporary-{uuid.uuid4().hex}")
        os.makedirs(staging)
        try:
            self._write_parts(staging, part)
            for name in sorted(os.listdir(staging)):
                os.rename(os.path.join(staging, name), os.path.join(target, name))
            os.rmdir(staging)
            with open(os.path.join(target, "_SUCCESS"), "wb"):
                pass
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise

    @staticmethod
    def _refuse_target(path: str) -> None:
        """Fails at once where a directory to be written is there; a store says so at the end."""
        if not stores.is_remote(path):
            _free_target(path)

    def _save_remote(self, path: str, part: Part) -> None:
        """Writes to local files first, which then appear in the store all at once."""
        staging = self.ctx._storage.new_folder(f"upload-{uuid.uuid4().hex}")
        try:
            self._write_parts(staging, part)
            stores.publish(staging, path)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _write_parts(self, staging: str, part: Part) -> None:
        def write_part(index: int, rows: Iterator[Any]) -> None:
            part.write(staging, index, rows)

        scheduler.run(self.ctx, self._node, write_part)


def _free_target(path: str) -> str:
    """The local directory that is to be written, which must not be there."""
    target = files.local_path(path).rstrip("/")
    if os.path.exists(target):
        raise FileExistsError(f"Output directory {files.url(target)} already exists")
    return target

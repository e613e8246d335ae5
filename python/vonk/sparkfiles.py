"""Where files lie that a program has given to its workers."""

from __future__ import annotations

import os
from typing import ClassVar


class SparkFiles:
    """Finds files of `SparkContext.addFile`."""

    _root: ClassVar[str] = ""

    @classmethod
    def get(cls, filename: str) -> str:
        """The path of a file."""
        return os.path.join(cls._root, filename)

    @classmethod
    def getRootDirectory(cls) -> str:
        """The folder that they lie in."""
        return cls._root

"""What the tests share: a context for each class, with tracing on or off."""

from __future__ import annotations

import os
import shutil
import tempfile
import unittest

from vonk import SparkConf, SparkContext


class ContextTest(unittest.TestCase):
    """Tests with a context `sc` of four workers, and a folder of their own."""

    settings: dict[str, str] = {}

    @classmethod
    def setUpClass(cls) -> None:
        conf = SparkConf().setMaster("local[4]").setAppName(cls.__name__)
        cls.sc = SparkContext(conf=conf.setAll(cls.settings.items()))
        cls.folder = tempfile.mkdtemp(prefix="vonk-test-")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.sc.stop()
        shutil.rmtree(cls.folder)

    def path(self, name: str) -> str:
        """A path in the test's folder."""
        return os.path.join(self.folder, name)

    def file(self, name: str, content: bytes) -> str:
        """Writes a file and gives its path."""
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

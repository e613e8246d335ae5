"""What the session's client has left for its functions: modules, archives and other files."""

import importlib
import os
import shutil
import sys
import tempfile
import types


def take(files):
    """Puts modules on the path, unpacks archives, and lets `SparkFiles` find all of it."""
    if files is None:
        return
    root = files["root"]
    for archive, target in files["archives"]:
        unpack(os.path.join(root, archive), os.path.join(root, target))
    sys.path[1:1] = [os.path.join(root, place) for place in files["modules"]]
    tell(root)


def unpack(archive, target):
    """Unpacks an archive, unless another worker has."""
    if os.path.isdir(target):
        return
    folder = tempfile.mkdtemp(dir=os.path.dirname(target))
    kind = "zip" if archive.endswith(".jar") else None
    try:
        shutil.unpack_archive(archive, folder, kind)
        os.rename(folder, target)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.isdir(target):
            raise


class SparkFiles:
    """Finds files of the session, where PySpark's client comes without such a class."""

    _root_directory = None
    _is_running_on_worker = True

    @classmethod
    def get(cls, filename):
        return os.path.join(cls._root_directory, filename)

    @classmethod
    def getRootDirectory(cls):
        return cls._root_directory


def tell(root):
    """Tells each class of the name where the files are."""
    SparkFiles._root_directory = root
    for name in ("pyspark.core.files", "pyspark.files"):
        try:
            found = importlib.import_module(name).SparkFiles
            found._root_directory, found._is_running_on_worker = root, True
        except ImportError:
            module = sys.modules[name] = types.ModuleType(name)
            module.SparkFiles = SparkFiles
    try:
        import pyspark

        pyspark.SparkFiles = sys.modules["pyspark.files"].SparkFiles
    except ImportError:
        pass
    try:
        from vonk.sparkfiles import SparkFiles as own

        own._root = root
    except ImportError:
        pass

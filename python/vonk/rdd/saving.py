"""Writing RDDs to files: staged beside the target, and published when all of it is there."""

from __future__ import annotations

import bz2
import gzip
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from vonk import files, scheduler, serial, stores
from vonk.errors import not_supported
from vonk.rdd.ordered import Ordered

T = TypeVar("T")

#: Hadoop's names of codecs, with the ending and the opener of each.
_CODECS: dict[str, tuple[str, Callable[..., Any]]] = {
    "GzipCodec": (".gz", gzip.open),
    "BZip2Codec": (".bz2", bz2.open),
}


class RDD(Ordered[T]):
    """Rows in partitions, computed when an action asks for something.

    >>> from vonk import SparkContext
    >>> sc = SparkContext.getOrCreate()
    >>> sc.parallelize([1, 2, 3]).map(lambda x: x * x).collect()
    [1, 4, 9]
    """

    def saveAsTextFile(self, path: str, compressionCodecClass: str | None = None) -> None:
        """Writes each row as a line, each partition as a file `part-00000`, and then `_SUCCESS`."""
        ending, opener = _codec(compressionCodecClass)

        def write(file: Any, rows: Iterator[Any]) -> None:
            for row in rows:
                line = row if isinstance(row, bytes) else str(row).encode("utf-8")
                file.write(line + b"\n")

        self._save(path, ending, opener, write)

    def saveAsPickleFile(self, path: str, batchSize: int = 10) -> None:
        """Writes the rows pickled, for `SparkContext.pickleFile`."""
        size = batchSize if batchSize > 0 else serial.BATCH_OBJECTS
        self._save(path, "", open, lambda file, rows: serial.write(rows, file, size))

    def _save(
        self,
        path: str,
        ending: str,
        opener: Callable[..., Any],
        write: Callable[[Any, Iterator[Any]], None],
    ) -> None:
        if stores.is_remote(path):
            self._save_remote(path, ending, opener, write)
            return
        target = files.local_path(path).rstrip("/")
        if os.path.exists(target):
            raise FileExistsError(f"Output directory {files.url(target)} already exists")
        staging = os.path.join(target, f"_temporary-{uuid.uuid4().hex}")
        os.makedirs(staging)

        def write_part(index: int, rows: Iterator[Any]) -> None:
            with opener(os.path.join(staging, f"part-{index:05}{ending}"), "wb") as file:
                write(file, rows)

        try:
            scheduler.run(self.ctx, self._node, write_part)
            for name in sorted(os.listdir(staging)):
                os.rename(os.path.join(staging, name), os.path.join(target, name))
            os.rmdir(staging)
            with open(os.path.join(target, "_SUCCESS"), "wb"):
                pass
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise

    def _save_remote(
        self,
        path: str,
        ending: str,
        opener: Callable[..., Any],
        write: Callable[[Any, Iterator[Any]], None],
    ) -> None:
        """Writes to local files first, which then appear in the store all at once."""
        staging = self.ctx._storage.new_folder(f"upload-{uuid.uuid4().hex}")

        def write_part(index: int, rows: Iterator[Any]) -> None:
            with opener(os.path.join(staging, f"part-{index:05}{ending}"), "wb") as file:
                write(file, rows)

        try:
            scheduler.run(self.ctx, self._node, write_part)
            stores.publish(staging, path)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def saveAsHadoopDataset(self, *_: Any, **__: Any) -> None:
        """Is not supported."""
        raise _no_hadoop("saveAsHadoopDataset")

    def saveAsHadoopFile(self, *_: Any, **__: Any) -> None:
        """Is not supported."""
        raise _no_hadoop("saveAsHadoopFile")

    def saveAsNewAPIHadoopDataset(self, *_: Any, **__: Any) -> None:
        """Is not supported."""
        raise _no_hadoop("saveAsNewAPIHadoopDataset")

    def saveAsNewAPIHadoopFile(self, *_: Any, **__: Any) -> None:
        """Is not supported."""
        raise _no_hadoop("saveAsNewAPIHadoopFile")

    def saveAsSequenceFile(self, *_: Any, **__: Any) -> None:
        """Is not supported."""
        raise _no_hadoop("saveAsSequenceFile")


class PipelinedRDD(RDD[T]):
    """An RDD that is a function of the partitions of another; steps in a row run as one."""


class RDDBarrier(Generic[T]):
    """An RDD whose tasks would all run at once. Here they run as others do."""

    def __init__(self, rdd: RDD[T]):
        self.rdd = rdd

    def mapPartitions(
        self, f: Callable[[Iterator[T]], Iterable[Any]], preservesPartitioning: bool = False
    ) -> RDD[Any]:
        """As of an RDD."""
        return self.rdd.mapPartitions(f, preservesPartitioning)

    def mapPartitionsWithIndex(
        self, f: Callable[[int, Iterator[T]], Iterable[Any]], preservesPartitioning: bool = False
    ) -> RDD[Any]:
        """As of an RDD."""
        return self.rdd.mapPartitionsWithIndex(f, preservesPartitioning)


def _codec(name: str | None) -> tuple[str, Callable[..., Any]]:
    if name is None:
        return "", open
    codec = _CODECS.get(name.rsplit(".", 1)[-1])
    if codec is None:
        raise not_supported(f"the codec `{name}`", f"take one of {', '.join(_CODECS)}")
    return codec


def _no_hadoop(name: str) -> Exception:
    return not_supported(f"`RDD.{name}`", "write with `saveAsTextFile` or as a DataFrame")

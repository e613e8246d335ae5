"""The context itself: how it starts and ends, its settings, and the files of its program."""

from __future__ import annotations

import atexit
import getpass
import html
import os
import re
import shutil
import sys
import threading
import time
from typing import Any, ClassVar

from vonk import accumulators, files, rules, stores
from vonk.accumulators import Accumulator, AccumulatorParam
from vonk.broadcast import Broadcast
from vonk.conf import SparkConf
from vonk.context.hadoop import HadoopSources
from vonk.context.sources import name_of
from vonk.sparkfiles import SparkFiles


class SparkContext(HadoopSources):
    """The door to RDDs. A program has one at a time.

    >>> sc = SparkContext.getOrCreate()
    >>> sc.parallelize(["a b", "a"]).flatMap(lambda line: line.split(" ")).countByValue()["a"]
    2
    """

    PACKAGE_EXTENSIONS = (".zip", ".egg", ".jar")

    _active_spark_context: ClassVar[SparkContext | None] = None
    _lock: ClassVar[threading.RLock] = threading.RLock()
    _system_properties: ClassVar[dict[str, str]] = {"SPARK_SUBMIT": "true"}

    def __init__(
        self,
        master: str | None = None,
        appName: str | None = None,
        sparkHome: str | None = None,
        pyFiles: list[str] | None = None,
        environment: dict[str, Any] | None = None,
        batchSize: int = 0,
        serializer: Any = None,
        conf: SparkConf | None = None,
        gateway: Any = None,
        jsc: Any = None,
        profiler_cls: Any = None,
        udf_profiler_cls: Any = None,
        memory_profiler_cls: Any = None,
    ):
        with SparkContext._lock:
            active = SparkContext._active_spark_context
            if active is not None:
                raise ValueError(
                    f"Cannot run multiple SparkContexts at once; existing SparkContext"
                    f"(app={active.appName}, master={active.master})"
                )
            self._conf = (conf or SparkConf())._copy()
            if master:
                self._conf.setMaster(master)
            if appName:
                self._conf.setAppName(appName)
            self._conf.setIfMissing("spark.master", "local[*]")
            self._conf.setIfMissing("spark.app.name", name_of(sys.argv[0]) or "vonk")
            for name, value in (environment or {}).items():
                self._conf.setExecutorEnv(name, value)
            self._rules = rules.rules_of(self._conf)
            #: The variables of the workers, besides those of the program.
            self.environment = dict(self._rules.environment)
            self._slots = slots_of(self.master)
            self._begin_jobs()
            self.startTime = int(time.time() * 1000)
            self.applicationId = f"local-{self.startTime}"
            self._conf.set("spark.app.id", self.applicationId)
            stores.configure(self._conf.getAll())
            #: Paths and what they are, for the functions of sessions.
            self._left: list[tuple[str, str]] = []
            self._files: dict[str, str] = {}
            self._archives: dict[str, str] = {}
            SparkFiles._root = self._storage.new_folder("files")
            atexit.register(self._storage.close)
            SparkContext._active_spark_context = self
        for path in [*(pyFiles or ()), *self._paths("spark.submit.pyFiles")]:
            self.addPyFile(path)
        for path in self._paths("spark.files"):
            self.addFile(path)
        for path in self._paths("spark.archives"):
            self.addArchive(path)

    def _paths(self, setting: str) -> list[str]:
        """The paths between the commas of a setting."""
        return [path.strip() for path in (self._conf.get(setting) or "").split(",") if path.strip()]

    @classmethod
    def getOrCreate(cls, conf: SparkConf | None = None) -> SparkContext:
        """The program's context; it is made if there is none.

        >>> SparkContext.getOrCreate() is SparkContext.getOrCreate()
        True
        """
        with SparkContext._lock:
            return SparkContext._active_spark_context or SparkContext(conf=conf)

    @property
    def master(self) -> str:
        """Where it runs."""
        return self._conf.get("spark.master") or "local[*]"

    @property
    def appName(self) -> str:
        """The name of the program."""
        return self._conf.get("spark.app.name") or ""

    @property
    def version(self) -> str:
        """The version of Spark whose meaning vonk keeps."""
        return "4.3.0"

    @property
    def uiWebUrl(self) -> str | None:
        """There is no web page."""
        return None

    @property
    def resources(self) -> dict[str, Any]:
        """The special resources of the program: none."""
        return {}

    def getConf(self) -> SparkConf:
        """A copy of the settings."""
        return self._conf._copy()

    def setLogLevel(self, logLevel: str) -> None:
        """Is accepted: vonk logs nothing."""
        if logLevel.upper() not in _LOG_LEVELS:
            raise ValueError(f"`{logLevel}` is none of {', '.join(_LOG_LEVELS)}")

    @classmethod
    def setSystemProperty(cls, key: str, value: str) -> None:
        """Sets a property of the process."""
        cls._system_properties[key] = value

    @classmethod
    def getSystemProperty(cls, key: str) -> str | None:
        """A property of the process."""
        return cls._system_properties.get(key)

    def sparkUser(self) -> str:
        """The user who runs the program."""
        return getpass.getuser()

    def stop(self) -> None:
        """Ends all jobs and drops what the context keeps."""
        with SparkContext._lock:
            self.cancelAllJobs()
            self._is_stopped = True
            self._storage.close()
            atexit.unregister(self._storage.close)
            if SparkContext._active_spark_context is self:
                SparkContext._active_spark_context = None

    def __enter__(self) -> SparkContext:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<SparkContext master={self.master} appName={self.appName}>"

    def _repr_html_(self) -> str:
        rows = {"Version": f"v{self.version}", "Master": self.master, "AppName": self.appName}
        cells = "".join(
            f"<dt>{name}</dt><dd><code>{html.escape(value)}</code></dd>"
            for name, value in rows.items()
        )
        return f"<div><p><b>SparkContext</b></p><dl>{cells}</dl></div>"

    def __getnewargs__(self) -> Any:
        raise RuntimeError("a SparkContext can be used by the program only, not inside of a task")

    def broadcast(self, value: Any) -> Broadcast[Any]:
        """A value for all tasks.

        >>> sc = SparkContext.getOrCreate()
        >>> table = sc.broadcast({"a": 1})
        >>> sc.parallelize(["a"]).map(lambda key: table.value[key]).collect()
        [1]
        """
        return Broadcast(value)

    def accumulator(
        self, value: Any, accum_param: AccumulatorParam[Any] | None = None
    ) -> Accumulator[Any]:
        """A sum that tasks add to.

        >>> sc = SparkContext.getOrCreate()
        >>> total = sc.accumulator(0)
        >>> sc.range(4).foreach(lambda x: total.add(x))
        >>> total.value
        6
        """
        return accumulators.create(value, accum_param)

    def _leave(self, path: str, kind: str) -> None:
        """Lets the functions of sessions, which run in processes of the server, have a file too."""
        self._left.append((path, kind))
        sessions = sys.modules.get("vonk.session")
        session = sessions.SparkSession.getActiveSession() if sessions else None
        if session is not None:
            session.addArtifacts(path, **{kind: True})

    def addFile(self, path: str, recursive: bool = False) -> None:
        """Copies a file to where `SparkFiles.get` finds it."""
        if self._add(path, recursive) and not os.path.isdir(files.local_path(path)):
            self._leave(path, "file")

    def _add(self, path: str, recursive: bool = False) -> bool:
        """Copies a file; says whether it is new."""
        source = files.local_path(path)
        if os.path.isdir(source) and not recursive:
            raise ValueError(f"`{path}` is a directory: give `recursive=True`")
        if files.url(source) in self._files:
            return False
        target = SparkFiles.get(name_of(source))
        if os.path.isdir(source):
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)
        self._files[files.url(source)] = target
        return True

    def addPyFile(self, path: str) -> None:
        """As `addFile`, for a module or a package of them that the program then imports."""
        if self._add(path):
            self._leave(path, "pyfile")
        is_package = path.endswith(self.PACKAGE_EXTENSIONS)
        place = SparkFiles.get(name_of(path)) if is_package else SparkFiles.getRootDirectory()
        if place not in sys.path:
            sys.path.insert(1, place)

    def addArchive(self, path: str) -> None:
        """Unpacks an archive to where `SparkFiles.get` finds it; `#name` after it renames it."""
        plain, _, name = path.partition("#")
        source = files.local_path(plain)
        if files.url(source) not in self._archives:
            target = SparkFiles.get(name or name_of(source))
            shutil.unpack_archive(source, target)
            self._archives[files.url(source)] = target
            self._leave(path, "archive")

    @property
    def listFiles(self) -> list[str]:
        """The files that were added."""
        return list(self._files)

    @property
    def listArchives(self) -> list[str]:
        """The archives that were added."""
        return list(self._archives)

    def show_profiles(self) -> None:
        """There are no profiles."""

    def dump_profiles(self, path: str) -> None:
        """There are no profiles."""


_LOG_LEVELS = ("ALL", "DEBUG", "ERROR", "FATAL", "INFO", "OFF", "TRACE", "WARN")


def slots_of(master: str) -> int:
    """How many workers run at once: N of `local[N]`, or as many as there are cores.

    >>> slots_of("local[3]"), slots_of("local")
    (3, 1)
    """
    if master == "local":
        return 1
    number = re.fullmatch(r"local\[(\d+)(?:,\s*\d+)?\]", master)
    if number:
        return max(1, int(number[1]))
    return os.cpu_count() or 1

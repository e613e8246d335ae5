"""What the settings of a context say of its worker processes: environment, memory, and how long they may hang."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vonk.conf import SparkConf

MEMORY = "spark.executor.pyspark.memory"
CRASHES = "spark.python.worker.faulthandler.enabled"
IDLE = "spark.python.worker.idleTimeoutSeconds"
_KILL_IDLE = "spark.python.worker.killOnIdleTimeout"
_DUMP = "spark.python.worker.tracebackDumpIntervalSeconds"
_CORES = "spark.executor.cores"
_ENVIRONMENT = "spark.executorEnv."

_SIZES = {"b": 0, "k": 10, "m": 20, "g": 30, "t": 40, "p": 50}
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Rules:
    """How worker processes are to live."""

    #: Variables that are added to the program's.
    environment: Mapping[str, str] = field(default_factory=dict)
    #: How much a worker may take beyond what the program holds when it is forked.
    memory_bytes_max: int | None = None
    #: Whether the stack of a worker that crashes or hangs is shown.
    shows_stacks: bool = False
    #: After how many seconds without a row a worker counts as hanging; never if it is 0.
    idle_s: float = 0
    #: Whether a worker that hangs is ended.
    kills_idle: bool = False
    #: Every so many seconds a worker writes where it is; never if it is 0.
    dump_s: float = 0


def rules_of(conf: SparkConf) -> Rules:
    """The rules that settings make.

    >>> from vonk import SparkConf
    >>> rules_of(SparkConf().set(MEMORY, "1g").set("spark.executor.cores", "2")).memory_bytes_max
    536870912
    """
    return Rules(
        environment={
            **environment_of(conf),
            "PYTHONHASHSEED": os.environ.get("PYTHONHASHSEED", "0"),
        },
        memory_bytes_max=_memory(conf),
        shows_stacks=_is_true(conf, CRASHES),
        idle_s=_seconds(conf, IDLE),
        kills_idle=_is_true(conf, _KILL_IDLE),
        dump_s=_seconds(conf, _DUMP),
    )


def environment_of(conf: SparkConf) -> dict[str, str]:
    """The variables of workers among settings.

    >>> from vonk import SparkConf
    >>> environment_of(SparkConf().setExecutorEnv("MODE", "fast"))
    {'MODE': 'fast'}
    """
    return {
        name.removeprefix(_ENVIRONMENT): value
        for name, value in conf.getAll()
        if name.startswith(_ENVIRONMENT)
    }


def _memory(conf: SparkConf) -> int | None:
    """What each worker of an executor may take of its memory."""
    memory = conf.get(MEMORY)
    if memory is None:
        return None
    cores = conf.get(_CORES) or "1"
    if not cores.isdecimal():
        raise ValueError(f"`{_CORES}={cores}` is no number\nhint: give one such as `2`")
    return bytes_of(MEMORY, memory) // max(1, int(cores)) or None


def bytes_of(name: str, text: str) -> int:
    """A size of a setting; without a unit it is in MiB, as Spark has it.

    >>> bytes_of(MEMORY, "2") == bytes_of(MEMORY, "2m") == bytes_of(MEMORY, "2048kb") == 2 << 20
    True
    """
    size = re.fullmatch(r"\s*(\d+)\s*([bkmgtp]?)b?\s*", text.lower())
    if size is None:
        raise ValueError(f"`{name}={text}` is no size\nhint: give one such as `512m` or `2g`")
    return int(size[1]) << _SIZES[size[2] or "m"]


def _seconds(conf: SparkConf, name: str) -> float:
    text = conf.get(name) or "0"
    span = re.fullmatch(r"\s*(\d+)\s*([a-z]*)\s*", text.lower())
    if span is None or (span[2] or "s") not in _SECONDS:
        raise ValueError(f"`{name}={text}` is no time\nhint: give a number of seconds")
    return int(span[1]) * _SECONDS[span[2] or "s"]


def _is_true(conf: SparkConf, name: str) -> bool:
    return (conf.get(name) or "").lower() == "true"

"""The limit of a worker's memory, so that a function that takes too much fails and the machine does not."""

from __future__ import annotations

import contextlib
import os

from vonk import rules

try:
    import resource
except ImportError:  # not on Windows, which has no forked workers either
    resource = None  # type: ignore[assignment]

#: The limit before `limit`, while that one holds.
_before: tuple[int, int] | None = None


def limit(bytes_max: int | None) -> None:
    """Lets this process take so many bytes beyond those that it has; more is a MemoryError.

    A forked worker has the address space of the program, which is therefore not counted.
    """
    global _before
    if bytes_max is None or resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = _address_bytes() + bytes_max
    if soft != resource.RLIM_INFINITY and soft <= wanted:
        return
    # Systems without this limit refuse it; the function then runs without.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
        _before = soft, hard


def lift() -> None:
    """Ends the limit, so that there is room to tell of the error."""
    global _before
    if _before is not None:
        resource.setrlimit(resource.RLIMIT_AS, _before)
        _before = None


def _address_bytes() -> int:
    """The size of this process's address space; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGESIZE")
    except OSError:
        return 0


def hint(bytes_max: int | None) -> str:
    """What to do about a MemoryError.

    >>> print(hint(512 << 20))
    hint: a worker may take 512 MiB (`spark.executor.pyspark.memory`): set more, or use more partitions
    """
    if bytes_max is None:
        return "hint: use more partitions, so that each is smaller, or fewer workers: `local[N]`"
    size = bytes_max >> 20
    return (
        f"hint: a worker may take {size} MiB (`{rules.MEMORY}`): set more, or use more partitions"
    )

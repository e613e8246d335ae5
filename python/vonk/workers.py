"""Processes that compute partitions: one fork for each task, several at a time.

A task is forked at the moment it runs, so it sees the program as it is then: functions and what they
close over need no pickling, and nothing that a task changes is seen by another task or the program.
Only results travel, pickled, through a pipe.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import selectors
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vonk import accumulators, memory, rules, serial, watch
from vonk.errors import JobCancelled, JobError
from vonk.rules import Rules
from vonk.watch import Watch

_READ_BYTES = 1 << 20
_POLL_S = 0.1
_HAS_FORK = hasattr(os, "fork")

#: Guards making a pipe and forking, so that no other child inherits the writing end.
_fork_lock = threading.Lock()
_in_worker = False

_NO_RULES = Rules()

#: Signals by which code that is not Python's ends.
_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL)


@dataclass
class Task:
    """One unit of work: what to call, and the words that an error says it by."""

    call: Callable[[], Any]
    what: str


@dataclass
class _Child:
    """A forked task and what it has answered so far."""

    pid: int
    pipe: int
    index: int
    watch: Watch
    answer: bytearray = field(default_factory=bytearray)


def in_worker() -> bool:
    """Whether this process computes a task.

    >>> in_worker()
    False
    """
    return _in_worker


def run(
    tasks: Sequence[Task],
    slots: int,
    cancelled: threading.Event | None = None,
    worker_rules: Rules = _NO_RULES,
) -> Iterator[tuple[int, Any]]:
    """Runs tasks, at most `slots` at once, and yields each index with its result as it comes.

    The first task that fails ends the others. So does leaving the iterator, and Ctrl-C, which also tells
    in which functions they are.

    >>> sorted(run([Task(lambda: 1 + 1, "a sum"), Task(lambda: 2 * 3, "a product")], slots=2))
    [(0, 2), (1, 6)]
    """
    if not _HAS_FORK:
        yield from _run_here(tasks)
        return
    cancelled = cancelled or threading.Event()
    waiting = list(range(len(tasks)))[::-1]
    with selectors.DefaultSelector() as pipes:
        try:
            while waiting or pipes.get_map():
                while waiting and len(pipes.get_map()) < slots:
                    index = waiting.pop()
                    child = _fork(tasks[index], index, worker_rules)
                    pipes.register(child.pipe, selectors.EVENT_READ, child)
                for key, _ in pipes.select(_POLL_S):
                    child = key.data
                    part = os.read(child.pipe, _READ_BYTES)
                    if part:
                        child.answer += part
                        child.watch.moved_at = time.monotonic()
                        continue
                    pipes.unregister(child.pipe)
                    yield child.index, _end(child, tasks[child.index])
                if cancelled.is_set():
                    raise JobCancelled("the job was cancelled")
                if worker_rules.idle_s:
                    watch.look(_watches(pipes))
        except KeyboardInterrupt:
            watch.tell_interrupted(_watches(pipes))
            raise
        finally:
            _kill([key.data for key in pipes.get_map().values()])


def _watches(pipes: selectors.BaseSelector) -> list[Watch]:
    return [key.data.watch for key in pipes.get_map().values()]


def _run_here(tasks: Sequence[Task]) -> Iterator[tuple[int, Any]]:
    """Runs tasks one after the other in this process, where there is no fork."""
    for index, task in enumerate(tasks):
        answer = _perform(task, _NO_RULES)
        yield index, _result(memoryview(answer), task)


def _fork(task: Task, index: int, worker_rules: Rules) -> _Child:
    _prctl()
    with _fork_lock:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        reading, writing = os.pipe()
        watched = watch.begin(task.what, worker_rules)
        with warnings.catch_warnings(), watch.signal_held():
            # The child runs nothing but Python code, so the program's other threads do not matter.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
            if pid == 0:
                os.close(reading)
                _be_worker(task, writing, watched)
        os.close(writing)
        watch.be_watched_by(watched, pid)
    return _Child(pid, reading, index, watched)


def _be_worker(task: Task, pipe: int, watched: Watch) -> None:
    """The life of a forked process; it never returns."""
    global _in_worker
    code = 1
    try:
        _in_worker = True
        # The program decides what Ctrl-C means, and kills its workers.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        die_with_parent()
        watch.be_watched(watched)
        _take_environment(watched.rules.environment)
        memory.limit(watched.rules.memory_bytes_max)
        answer = _perform(task, watched.rules)
        with os.fdopen(pipe, "wb") as out:
            out.write(answer)
        code = 0
    except BrokenPipeError:
        pass
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(code)


def _take_environment(environment: Mapping[str, str]) -> None:
    """Adds variables, among which `PYTHONPATH` has to be looked at, as Python has begun already."""
    os.environ.update(environment)
    paths = environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.path.extend(path for path in paths if path and path not in sys.path)


@functools.cache
def _prctl() -> Callable[[int, int], int] | None:
    """Linux's call for settings of a process. It is loaded before the fork, once for all workers."""
    if sys.platform != "linux":
        return None
    with contextlib.suppress(Exception):
        import ctypes

        call: Callable[[int, int], int] = ctypes.CDLL(None).prctl
        return call
    return None


def die_with_parent() -> None:
    """Asks the system to end this process when the program ends, however that happens."""
    pr_set_pdeathsig = 1
    prctl = _prctl()
    if prctl is not None:
        prctl(pr_set_pdeathsig, signal.SIGKILL)


def _perform(task: Task, worker_rules: Rules) -> bytes:
    """Calls the task and pickles its result, or what it raised."""
    accumulators.begin_task()
    try:
        result = task.call()
        return b"R" + serial.dumps((result, accumulators.end_task()))
    except BaseException as error:  # noqa: BLE001 - also SystemExit of a user's function
        memory.lift()
        accumulators.end_task()
        return b"E" + _pickled_error(error, worker_rules)


def _pickled_error(error: BaseException, worker_rules: Rules) -> bytes:
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    summary = "".join(traceback.format_exception_only(type(error), error)).strip()
    if isinstance(error, MemoryError):
        summary = f"{summary}\n{memory.hint(worker_rules.memory_bytes_max)}"
    try:
        pickled = pickle.dumps(error)
        pickle.loads(pickled)
    except Exception:  # noqa: BLE001 - any class may fail at it in its own way
        pickled = b""
    return pickle.dumps((summary, text, pickled))


def _end(child: _Child, task: Task) -> Any:
    """Reaps a child whose pipe is at its end, and gives its result or raises its error."""
    os.close(child.pipe)
    _, status = os.waitpid(child.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    last_words = child.watch.words() if code else ""
    child.watch.close()
    if code != 0 or not child.answer:
        raise JobError(_death(task.what, code, child.watch.rules, last_words))
    return _result(memoryview(child.answer), task)


def _death(what: str, code: int, worker_rules: Rules, last_words: str) -> str:
    """How a worker ended that gave no answer, and what to do about it."""
    if code >= 0:
        how = f"ended with code {code}"
        hint = "a function of the program ended it: raise an exception instead"
    else:
        how = f"was killed by signal {-code} ({_name_of(-code)})"
        hint = _remedy(-code, worker_rules)
    message = f"{what} failed: its worker process {how}\nhint: {hint}"
    return f"{message}\n\n{last_words}" if worker_rules.shows_stacks and last_words else message


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "of real time"


def _remedy(number: int, worker_rules: Rules) -> str:
    """What to do about a worker that a signal has ended."""
    if number == signal.SIGKILL:
        return (
            "the system kills a worker that takes too much memory: use more partitions or fewer workers "
            f"(`local[N]`); with a limit such as `{rules.MEMORY}=2g` the function that takes it is told"
        )
    if number in _CRASHES and not worker_rules.shows_stacks:
        return f"compiled code crashed in it; `{rules.CRASHES}=true` shows where"
    if number in _CRASHES:
        return "compiled code crashed in it: see which function called it"
    return "the program or somebody else has sent it"


def _result(answer: memoryview, task: Task) -> Any:
    if answer[:1] == b"R":
        result, updates = pickle.loads(answer[1:])
        accumulators.apply(updates)
        return result
    summary, text, pickled = pickle.loads(answer[1:])
    cause = pickle.loads(pickled) if pickled else None
    raise JobError(f"{task.what} failed: {summary}\n\n{text}", cause) from cause


def _kill(children: Sequence[_Child]) -> None:
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
    for child in children:
        os.close(child.pipe)
        child.watch.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child.pid, 0)

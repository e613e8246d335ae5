"""Watching a worker from the program: whether rows still pass in it, and which function it is in.

A worker that is asked by a signal writes its stack to a pipe. `faulthandler` does this at once, whatever
code runs, and the same pipe takes the last words of a worker that crashes.
"""

from __future__ import annotations

import collections
import contextlib
import faulthandler
import itertools
import mmap
import os
import re
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vonk import rules
from vonk.errors import JobError
from vonk.rules import Rules

#: How long workers are given to write their stacks, and how often these are looked for.
_ANSWER_S = 1.0
_LOOK_S = 0.02

#: More than the stacks that fit into a pipe.
_STACK_BYTES_MAX = 1 << 20

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep

#: In a worker whose rows are counted: the count, which the program sees too.
_count: mmap.mmap | None = None


class Frame(NamedTuple):
    """A call that a worker is in."""

    path: str
    line: int
    name: str

    def __str__(self) -> str:
        return f"`{self.name}` ({self.path}:{self.line})"


@dataclass
class Watch:
    """What the program sees of one worker."""

    what: str
    rules: Rules
    reading: int
    writing: int
    pid: int = 0
    count: mmap.mmap | None = None
    seen: int = 0
    moved_at: float = field(default_factory=time.monotonic)

    def close(self) -> None:
        """Gives back what it holds."""
        os.close(self.reading)
        if self.count is not None:
            self.count.close()

    def words(self) -> str:
        """What the worker has written since it was last asked."""
        with contextlib.suppress(BlockingIOError):
            return os.read(self.reading, _STACK_BYTES_MAX).decode(errors="replace")
        return ""


def begin(what: str, worker_rules: Rules) -> Watch:
    """A watch for a worker that is about to be forked."""
    reading, writing = os.pipe()
    for end in (reading, writing):
        os.set_blocking(end, False)
    return Watch(
        what,
        worker_rules,
        reading,
        writing,
        count=mmap.mmap(-1, 1) if worker_rules.idle_s else None,
    )


@contextlib.contextmanager
def signal_held() -> Iterator[None]:
    """Holds the signal of a watch back while a worker is forked, which would end one that is not ready."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {_signal()})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def be_watched(watch: Watch) -> None:
    """Lets this process, a worker, be seen by its watch."""
    global _count
    _count = watch.count
    os.close(watch.reading)
    faulthandler.register(_signal(), file=watch.writing, all_threads=False)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {_signal()})
    if watch.rules.shows_stacks:
        faulthandler.enable(file=watch.writing, all_threads=False)
    if watch.rules.dump_s:
        faulthandler.dump_traceback_later(watch.rules.dump_s, repeat=True, file=2)


def be_watched_by(watch: Watch, pid: int) -> None:
    """Tells the program's side which process it watches."""
    watch.pid = pid
    os.close(watch.writing)


def _signal() -> int:
    return signal.SIGUSR2


def counted(rows: Iterator[Any]) -> Iterator[Any]:
    """The rows, each of which is noted if this is a worker whose rows are counted.

    >>> list(counted(iter("ab")))
    ['a', 'b']
    """
    return rows if _count is None else _counting(rows, _count)


def _counting(rows: Iterable[Any], count: mmap.mmap) -> Iterator[Any]:
    for row in rows:
        count[0] = (count[0] + 1) & 0xFF
        yield row


def look(watches: Sequence[Watch]) -> None:
    """Tells of workers in which no row has passed for too long, and fails if they are to be ended."""
    for watch in watches:
        if watch.count is None or not _is_idle(watch):
            continue
        stack = stacks([watch])[0]
        message = (
            f"{watch.what}: no row for {watch.rules.idle_s:g} s (`{rules.IDLE}`); "
            f"it is {place(stack)}"
        )
        if watch.rules.shows_stacks:
            message = f"{message}\n\n{stack}"
        if watch.rules.kills_idle:
            raise JobError(f"the worker was ended for {message}")
        print(f"warning: {message}", file=sys.stderr)


def _is_idle(watch: Watch) -> bool:
    assert watch.count is not None
    now = time.monotonic()
    if watch.count[0] != watch.seen:
        watch.seen, watch.moved_at = watch.count[0], now
        return False
    if now - watch.moved_at < watch.rules.idle_s:
        return False
    watch.moved_at = now
    return True


def stacks(watches: Sequence[Watch]) -> list[str]:
    """The stacks of workers; empty for those that do not answer."""
    for watch in watches:
        watch.words()
        with contextlib.suppress(ProcessLookupError):
            os.kill(watch.pid, _signal())
    answers = [""] * len(watches)
    late = time.monotonic() + _ANSWER_S
    while time.monotonic() < late:
        time.sleep(_LOOK_S)
        more = [watch.words() for watch in watches]
        answers = [answer + words for answer, words in zip(answers, more, strict=True)]
        # A stack is written line by line: it is whole when nothing more comes.
        if all(answers) and not any(more):
            break
    return answers


def tell_interrupted(watches: Sequence[Watch]) -> None:
    """Says on the standard error in which functions the running tasks are."""
    places = collections.Counter(place(stack) for stack in stacks(watches) if stack)
    for where, number in places.most_common():
        tasks = "1 task was" if number == 1 else f"{number} tasks were"
        print(f"interrupted: {tasks} {where}", file=sys.stderr)


def place(stack: str) -> str:
    r"""The function of the program that a stack is in, and the innermost call if it is another one.

    >>> place('Current thread:\n  File "job.py", line 6 in fetch\n')
    'in `fetch` (job.py:6)'
    """
    found = [Frame(path, int(line), name) for path, line, name in _FRAME.findall(stack)]
    if not found:
        return "where it cannot be asked"
    own = list(itertools.takewhile(lambda frame: not frame.path.startswith(_PACKAGE), found))
    if len(own) < 2:
        return f"in {found[0]}"
    return f"in {own[-1]}, at {own[0]}"


_FRAME = re.compile(r'^ +File "(.*)", line (\d+) in (.*)$', re.MULTILINE)

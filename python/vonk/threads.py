"""Threads whose jobs belong to the groups and tags of the thread that started them."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from vonk.context import SparkContext


def inheritable_thread_target(f: Any = None) -> Callable[..., Any]:
    """Wraps a function that another thread will run, so that it has this thread's properties."""
    if not callable(f):
        return inheritable_thread_target
    context = SparkContext._active_spark_context
    properties = dict(context._properties()) if context else {}
    tags = context.getJobTags() if context else set()

    @functools.wraps(f)
    def run(*arguments: Any, **named: Any) -> Any:
        if context:
            context._properties().update(properties)
            context._tags().update(tags)
        return f(*arguments, **named)

    return run


class InheritableThread(threading.Thread):
    """A thread with the properties of the thread that makes it."""

    def __init__(
        self, target: Callable[..., Any], *arguments: Any, session: Any = None, **named: Any
    ):
        named["target"] = inheritable_thread_target(target)
        super().__init__(*arguments, **named)

"""Sharing work that only reads among child processes, on Linux.

With many small files, threads wait for the interpreter's lock most of the time. Elsewhere a fork is slow, or
not safe. A child that gives no whole answer has done nothing: its part is done again here.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

Item = TypeVar("Item")
_MOST = 4
_HANDLES = "/proc/self/fd"


class ForkedWork:
    """Items that ``count`` children work through; ``work`` returns what is found in one."""

    def __init__(self, items: list[Item], work: Callable[[Item], list[str]], count: int) -> None:
        parts = [items[first::count] for first in range(count)]
        self._parts = [_Part(part, work) for part in parts]

    def results(self) -> list[str]:
        """Return what was found, when all children have ended."""
        try:
            return [found for part in self._parts for found in part.result()]
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """End the children, whose answers are not needed any more."""
        for part in self._parts:
            part.end()


def forked(items: list[Item], work: Callable[[Item], list[str]]) -> ForkedWork | None:
    """Start to work through items; return `None` if children would not help here, or do harm."""
    count = min(os.cpu_count() or 1, _MOST, len(items))
    return ForkedWork(items, work, count) if count > 1 and _may_fork() else None


def _may_fork() -> bool:
    """Whether this is the only thread: locks that others hold would never be released in a child."""
    try:
        return sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


class _Part:
    def __init__(self, items: Iterable[Item], work: Callable[[Item], list[str]]) -> None:
        self._work = partial(_all, items, work)
        self._process = 0
        parent = os.getpid()
        self._reader, writer = os.pipe()
        try:
            with contextlib.suppress(OSError):  # as many processes as the user may have
                self._process = os.fork()
                if self._process == 0:
                    _be_child(partial(self._work, parent), writer)
        finally:
            os.close(writer)

    def result(self) -> list[str]:
        with open(self._reader, "rb") as stream:
            text = stream.read()
        self.end()
        try:
            found: list[str] = json.loads(text)
        except ValueError:
            return self._work(None)
        return found

    def end(self) -> None:
        if self._process:
            with contextlib.suppress(OSError):
                os.kill(self._process, signal.SIGKILL)
            with contextlib.suppress(OSError):
                os.waitpid(self._process, 0)
            self._process = 0


def _all(items: Iterable[Item], work: Callable[[Item], list[str]], parent: int | None) -> list[str]:
    found: list[str] = []
    for item in items:
        if parent not in {None, os.getppid()}:
            raise ChildProcessError  # it has ended
        found += work(item)
    return found


def _be_child(work: Callable[[], list[str]], writer: int) -> None:
    """Answer, and end. What the parent has open, its lock among it, must not outlive the parent."""
    try:
        for handle in map(int, os.listdir(_HANDLES)):
            if handle != writer:
                with contextlib.suppress(OSError):
                    os.close(handle)
        text = json.dumps(work()).encode()
        while text:
            text = text[os.write(writer, text) :]
    finally:
        os._exit(0)

"""Sharing work among child processes, on Linux.

With many small files, threads wait for the interpreter's lock most of the time. Elsewhere a fork is slow, or
not safe. What a child gives no whole answer about is done again here. So work that changes something must be
such that it can be done twice.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

Item = TypeVar("Item")
_MOST = 4
_MOST_RUNS = 1000
"""No pipe is so small that their numbers would not fit into it."""
_NUMBER = 4
_HANDLES = "/proc/self/fd"
LOCKS: set[int] = set()
"""Handles that children keep open: where they change something, its lock is held until all have ended."""


class ForkedWork:
    """Items that ``count`` children work through; ``work`` returns what is found in one.

    Each takes the next run of neighbours from a pipe, so that all end together.
    """

    def __init__(self, items: Sequence[Item], work: Callable[[Item], list[str]], count: int) -> None:
        runs = min(len(items), _MOST_RUNS)
        ends = [len(items) * number // runs for number in range(runs + 1)]
        self._runs = [items[start:end] for start, end in itertools.pairwise(ends)]
        self._work = work
        queue, writer = os.pipe()
        try:
            os.write(writer, b"".join(number.to_bytes(_NUMBER, "little") for number in range(runs)))
        finally:
            os.close(writer)
        take = partial(self._take, queue, os.getpid())
        self._children = [_Child() for _ in range(count)]
        try:
            for child in self._children:
                child.start(take, {queue, *LOCKS})
        except BaseException:  # a signal
            self.end()
            raise
        finally:
            os.close(queue)

    def results(self) -> list[str]:
        """Return what was found, when all children have ended."""
        found: list[str] = []
        left = set(range(len(self._runs)))
        try:
            for child in self._children:
                done, texts = child.answer()
                left.difference_update(done)
                found += texts
        except BaseException:
            self.end()
            raise
        return found + [
            text for number in sorted(left) for item in self._runs[number] for text in self._work(item)
        ]

    def end(self) -> None:
        """End the children, whose answers are not needed any more."""
        for child in self._children:
            child.end()

    def _take(self, queue: int, parent: int) -> tuple[list[int], list[str]]:
        """Work through runs until none is left; return their numbers, and what was found."""
        done: list[int] = []
        found: list[str] = []
        while data := os.read(queue, _NUMBER):
            number = int.from_bytes(data, "little")
            for item in self._runs[number]:
                if os.getppid() != parent:
                    raise ChildProcessError  # it has ended
                found += self._work(item)
            done.append(number)
        return done, found


def forked(items: Sequence[Item], work: Callable[[Item], list[str]]) -> ForkedWork | None:
    """Start to work through items; return `None` if children would not help here, or do harm."""
    count = min(os.cpu_count() or 1, _MOST, len(items))
    return ForkedWork(items, work, count) if count > 1 and _may_fork() else None


def _may_fork() -> bool:
    """Whether this is the only thread: locks that others hold would never be released in a child."""
    try:
        return sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


class _Child:
    def __init__(self) -> None:
        self._process = 0
        self._reader = -1

    def start(self, work: Callable[[], object], keep: set[int]) -> None:
        self._reader, writer = os.pipe()
        try:
            with contextlib.suppress(OSError):  # as many processes as the user may have
                self._process = os.fork()
                if self._process == 0:
                    _be_child(work, writer, keep)
        finally:
            os.close(writer)

    def answer(self) -> tuple[list[int], list[str]]:
        """Return the numbers of the runs that were done, and what was found; nothing if it is not whole."""
        with open(self._reader, "rb") as stream:
            text = stream.read()
        self.end()
        try:
            done, found = json.loads(text)
        except ValueError:
            return [], []
        return done, found

    def end(self) -> None:
        if self._process:
            with contextlib.suppress(OSError):
                os.kill(self._process, signal.SIGKILL)
            with contextlib.suppress(OSError):
                os.waitpid(self._process, 0)
            self._process = 0


def _be_child(work: Callable[[], object], writer: int, keep: set[int]) -> None:
    """Answer, and end. What the parent has open otherwise must not outlive it."""
    try:
        for handle in map(int, os.listdir(_HANDLES)):
            if handle != writer and handle not in keep:
                with contextlib.suppress(OSError):
                    os.close(handle)
        text = json.dumps(work()).encode()
        while text:
            text = text[os.write(writer, text) :]
    finally:
        os._exit(0)

"""One event loop in a thread of its own, on which all of rattler's coroutines run.

So the library can be called where a loop runs already, as in Jupyter, in which `asyncio.run` raises.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Coroutine
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

_Result = TypeVar("_Result")

_CLEANING_UP = 10.0
"""Seconds that work which was cancelled may take to end."""


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine to its end from any thread, whether or not an event loop runs there.

    An interrupt (Ctrl-C) cancels the work, waits until it has cleaned up, and is raised.
    """
    return _background().run(work)


class _Background:
    """A loop and the daemon thread in which it runs."""

    def __init__(self) -> None:
        import asyncio

        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cuvee event loop", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("a coroutine of the background loop must await another, not run it")
        ended = threading.Event()
        tasks: list[asyncio.Task[_Result]] = []

        def start() -> None:
            tasks.append(self._loop.create_task(work))
            tasks[0].add_done_callback(end)

        def cancel() -> None:
            for task in tasks:
                task.cancel()

        def end(task: asyncio.Task[_Result]) -> None:
            if not task.cancelled():
                task.exception()  # else asyncio logs it when an interrupt keeps `result` from raising it
            ended.set()

        try:
            self._loop.call_soon_threadsafe(start)
            ended.wait()
        except BaseException:
            self._loop.call_soon_threadsafe(cancel)
            ended.wait(_CLEANING_UP)
            raise
        return tasks[0].result()

    def stop(self) -> None:
        """End the thread, and free the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLEANING_UP)
        if not self._thread.is_alive():
            self._loop.close()


@cache
def _background() -> _Background:
    made = _Background()
    atexit.register(made.stop)
    return made

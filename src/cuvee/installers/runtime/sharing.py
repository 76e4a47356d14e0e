"""Sharing work among threads. Hashing, decompressing and writing let go of the interpreter's lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")
_MOST = 4


class Shared(Generic[Item]):
    """Work through items with several threads until none is left, or one of them fails.

    ``start`` runs in each thread. It gives a function that handles one item and returns how much was done,
    and one that is called at the end.
    """

    def __init__(
        self,
        items: Iterable[Item],
        start: Callable[[], tuple[Callable[[Item], int], Callable[[], None]]],
    ) -> None:
        self._items = iter(items)
        self._start = start
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self._done = 0
        count = min(os.cpu_count() or 1, _MOST)
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(count)]

    def run(self, on_progress: Callable[[int], None]) -> None:
        """Do all; call ``on_progress(done)`` now and then; raise what a thread raised."""
        for thread in self._threads:
            thread.start()
        try:
            for thread in self._threads:
                while thread.is_alive():
                    thread.join(0.1)
                    on_progress(self._done)
        finally:
            self._stop()
            for thread in self._threads:
                thread.join()
        if self._error is not None:
            raise self._error

    def _stop(self, error: BaseException | None = None) -> None:
        with self._lock:
            self._items = iter(())
            self._error = self._error or error

    def _work(self) -> None:
        try:
            handle, close = self._start()
            try:
                while True:
                    with self._lock:
                        item = next(self._items, None)
                    if item is None:
                        return
                    done = handle(item)
                    with self._lock:
                        self._done += done
            finally:
                close()
        except BaseException as error:  # noqa: BLE001 - the main thread raises it again
            self._stop(error)

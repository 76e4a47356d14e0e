"""Sharing work among threads. Hashing, decompressing and writing release the interpreter's lock."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
_MOST = 4
_BATCH = 64


def share(
    items: Iterable[Item],
    handle: Callable[[Item], int],
    on_progress: Callable[[int], None] = lambda _: None,
    *,
    most: int = _MOST,
) -> None:
    """Work through items with several threads until none is left, or one of them fails; raise what it raised.

    ``handle`` returns how much was done; ``on_progress`` gets the sum several times a second.
    There are no more than ``most`` threads.
    """
    waiting, lock = iter(items), threading.Lock()
    errors: list[BaseException] = []
    done = 0

    def take() -> Item | None:
        with lock:
            return None if errors else next(waiting, None)

    def work() -> None:
        nonlocal done
        try:
            for item in iter(take, None):
                count = handle(item)
                with lock:
                    done += count
        except BaseException as error:  # noqa: BLE001 - the main thread raises it again
            errors.append(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(os.cpu_count() or 1, most))]
    try:
        for thread in threads:
            thread.start()
        while alive := [thread for thread in threads if thread.is_alive()]:
            alive[0].join(0.1)
            on_progress(done)
    except BaseException as error:  # noqa: BLE001 - a signal; the others end first
        errors.append(error)
        # One that has not begun yet finds the error, and does nothing.
        while alive := [thread for thread in threads if thread.is_alive()]:
            with contextlib.suppress(BaseException):  # another signal
                alive[0].join()
    if errors:
        raise errors[0]


def share_in_runs(items: list[Item], work: Callable[[Item], object]) -> None:
    """Work through many small items with several threads; neighbours go to the same one.

    For what changes folders: two threads in one folder wait for each other.
    """

    def handle(batch: list[Item]) -> int:
        for item in batch:
            work(item)
        return len(batch)

    batches = (items[first : first + _BATCH] for first in range(0, len(items), _BATCH))
    share(batches, handle)

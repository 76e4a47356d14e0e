"""Processes for work that takes all cores, which a Ctrl-C in the terminal does not reach."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any


class SpawnedProcesses(ProcessPoolExecutor):
    """Starts its processes with Ctrl-C held back: only the parent handles it, even while they load."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if not hasattr(signal, "pthread_sigmask"):
            return super().submit(fn, *args, **kwargs)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(fn, *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def processes(jobs: int | None) -> Iterator[Executor | None]:
    """Yield an executor of so many processes, one per core by default; for one process, yield `None`.

    They are spawned, not forked: this process may have threads, which do not survive a fork.
    """
    count = jobs or os.cpu_count() or 1
    if count == 1:
        yield None
        return
    executor = SpawnedProcesses(count, mp_context=get_context("spawn"), initializer=_obey_parent)
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _obey_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)

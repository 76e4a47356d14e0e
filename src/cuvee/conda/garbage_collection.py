"""Pausing Python's cyclic garbage collector while many objects are made and none are freed."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause the collector, which would traverse all live objects again and again.

    https://docs.python.org/3/library/gc.html#gc.disable
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()

"""Counting work and waiting for events, where a duration would say more about the machine."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType

from needed_programs import HANGING


def count_calls(action: Callable[[], object]) -> int:
    """Return how many functions ``action`` calls in this thread, those written in C included."""
    count = 0

    def profile(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        action()
    finally:
        sys.setprofile(before)
    return count


def polls(seconds: int) -> Iterator[None]:
    """Yield once per millisecond or less, as often as ``seconds`` allow."""
    for _ in range(seconds * 1_000):
        yield
        time.sleep(0.001)


def wait_until(happened: Callable[[], bool], running: subprocess.Popen[bytes]) -> None:
    """Wait for something that ``running`` does; fail if it ends before, or hangs."""
    for _ in polls(HANGING):
        if happened():
            return
        assert running.poll() is None, running.communicate()
    raise AssertionError("what was waited for never happened")

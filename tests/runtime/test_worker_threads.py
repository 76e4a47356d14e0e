"""Tests that no thread goes on after its work was interrupted: what it writes would stay."""

import threading

import pytest

from cuvee.runtime.worker_threads import share


class _Signals:
    """Sends a signal to the main thread at two moments: while threads are started, and while it waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent = threading.Event()
        self.started: list[threading.Thread] = []
        start, join = threading.Thread.start, threading.Thread.join

        def start_and_stop(thread: threading.Thread) -> None:
            start(thread)
            self.started.append(thread)
            if len(self.started) == 1:
                raise KeyboardInterrupt

        def join_and_stop(thread: threading.Thread, timeout: float | None = None) -> None:
            if not self.sent.is_set():
                self.sent.set()
                raise KeyboardInterrupt
            join(thread, timeout)

        monkeypatch.setattr(threading.Thread, "start", start_and_stop)
        monkeypatch.setattr(threading.Thread, "join", join_and_stop)


def test_threads_end_before_a_signal_does_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []

    def handle(item: int) -> int:
        assert signals.sent.wait(60)
        done.append(item)
        return 1

    signals = _Signals(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        share(range(100), handle, most=2)
    assert len(done) <= 1
    assert [thread for thread in signals.started if thread.is_alive()] == []

"""A script of the distribution never outlives the installer that is asked to stop."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cuvee.runtime import install_scripts

pytestmark = [pytest.mark.real, pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux")]

WAIT = """\
#!/bin/sh
trap 'echo stopped >>"$OUT"; exit 1' TERM
echo started >"$OUT"
while :; do sleep 0.05; done
"""


@pytest.fixture(params=[signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda one: one.name)
def stop(request: pytest.FixtureRequest) -> Iterator[int]:
    """A signal that raises KeyboardInterrupt here, as in an installer."""
    before = signal.signal(request.param, signal.default_int_handler)
    yield request.param
    signal.signal(request.param, before)


@pytest.mark.parametrize("threads", [0, 1])
def test_a_signal_right_after_the_start_stops_the_script(
    threads: int, stop: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, script, spawn = tmp_path / "out", tmp_path / "script.sh", os.posix_spawn
    script.write_text(WAIT)
    script.chmod(0o700)
    started = []

    def spawn_and_be_asked_to_stop(*arguments: Any, **options: Any) -> int:
        started.append(spawn(*arguments, **options))
        while not (out.exists() and out.read_text()):
            pass
        os.kill(os.getpid(), stop)
        return started[0]

    monkeypatch.setattr(os, "posix_spawn", spawn_and_be_asked_to_stop)
    ended = threading.Event()
    others = [threading.Thread(target=ended.wait) for _ in range(threads)]  # which may get the signal
    for other in others:
        other.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            install_scripts._run(str(script), WAIT, {**os.environ, "OUT": str(out)})
    finally:
        ended.set()
        for other in others:
            other.join()
    assert out.read_text() == "started\nstopped\n"
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)


@pytest.mark.parametrize("handling", [signal.SIG_IGN, signal.SIG_DFL])
def test_a_script_inherits_which_signals_are_ignored(handling: signal.Handlers, tmp_path: Path) -> None:
    """As with ``nohup``."""
    script, out = tmp_path / "script.sh", tmp_path / "out"
    script.write_text('#!/bin/sh\ngrep SigIgn /proc/self/status >"$OUT"\n')
    script.chmod(0o700)
    before = signal.signal(signal.SIGHUP, handling)
    try:
        assert install_scripts._run(str(script), "#!", {**os.environ, "OUT": str(out)}) == 0
        assert signal.getsignal(signal.SIGHUP) is handling
    finally:
        signal.signal(signal.SIGHUP, before)
    ignored = int(out.read_text().split()[1], 16)
    assert bool(ignored & 1) == (handling is signal.SIG_IGN)

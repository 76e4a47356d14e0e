"""The background loop serves threads with and without a loop of their own, and ends with an interrupt."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cuvee.channel.connection import connect, package_names
from cuvee.channel.repodata_writer import index_channel
from cuvee.conda.event_loop import run
from needed_programs import HANGING


def test_a_channel_is_read_where_a_loop_runs_already(tmp_path: Path) -> None:
    index_channel(tmp_path / "channel", ["linux-64"])

    async def cell() -> frozenset[str]:
        return package_names([str(tmp_path / "channel")], ["linux-64"], connect(tmp_path / "cache"))

    assert asyncio.run(cell()) == frozenset()


def test_results_and_errors_come_back() -> None:
    async def fail() -> None:
        raise ValueError("no")

    assert run(asyncio.sleep(0, result=3)) == 3
    with pytest.raises(ValueError, match="no"):
        run(fail())


def test_threads_share_the_loop() -> None:
    loops = set()

    async def note() -> None:
        loops.add(asyncio.get_running_loop())

    threads = [threading.Thread(target=lambda: run(note())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run(note())
    assert len(loops) == 1


def test_the_loop_cannot_wait_for_itself() -> None:
    async def nested() -> None:
        run(asyncio.sleep(0))

    with pytest.raises(RuntimeError, match="await"):
        run(nested())


def test_an_interrupt_cancels_the_work_and_waits_until_it_has_cleaned_up() -> None:
    ended: list[bool] = []

    async def work() -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            ended.append(True)

    with contextlib.suppress(KeyboardInterrupt):
        run(work())
        pytest.fail("there was no interrupt")
    assert ended == [True]
    assert run(asyncio.sleep(0, result="still there")) == "still there"


@pytest.mark.real
def test_an_interpreter_ends_quietly_with_a_loop_in_it() -> None:
    program = "import asyncio; from cuvee.conda.event_loop import run; print(run(asyncio.sleep(0, 'x')))"
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=HANGING,
    )
    assert (done.stdout, done.stderr) == ("x\n", "")

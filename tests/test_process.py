import os
import signal
import sys
import threading

import pytest

from cuvee import process
from cuvee.errors import ToolMissingError
from cuvee.process import Request, find, run
from needed_programs import HANGING

PYTHON = sys.executable


def test_a_missing_program_says_what_to_install() -> None:
    with pytest.raises(ToolMissingError) as caught:
        find("no-such-program", hint="Install it.")
    assert caught.value.hint == "Install it."


@pytest.mark.real
class TestRun:
    def test_gives_exit_code_and_both_outputs(self) -> None:
        code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
        done = run(Request(argv=(PYTHON, "-c", code)))
        assert (done.exit_code, done.stdout, done.stderr, done.ok) == (3, "out\n", "err\n", False)

    def test_passes_standard_input_and_the_whole_environment(self) -> None:
        code = "import os, sys; print(sys.stdin.read(), sorted(set(os.environ) - {'LC_CTYPE'}))"
        done = run(Request(argv=(PYTHON, "-I", "-c", code), stdin=b"hello", environment={"ONLY": "this"}))
        assert done.stdout == "hello ['ONLY']\n"

    def test_a_timeout_ends_grandchildren_too(self) -> None:
        sleeping = "import time; time.sleep(600); print(1)"
        code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {sleeping!r}])"
        done = run(Request(argv=(PYTHON, "-c", code), timeout=1))
        assert done.timed_out
        assert not done.ok
        assert done.stdout == ""

    def test_what_can_not_be_run_is_named(self) -> None:
        with pytest.raises(ToolMissingError, match="/no/such/program"):
            run(Request(argv=("/no/such/program",)))

    def test_an_interruption_ends_programs_of_other_threads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(process, "_stopping", threading.Event())
        ended: list[int] = []
        argv = (PYTHON, "-c", "import time; time.sleep(600)")
        thread = threading.Thread(target=lambda: ended.append(run(Request(argv=argv)).exit_code))
        thread.start()
        while not process._running:
            thread.join(0.01)
        process.stop_all(refuse_more=True)
        thread.join(60)
        assert ended == [-9]
        with pytest.raises(KeyboardInterrupt):
            run(Request(argv=argv))
        assert run(Request(argv=(PYTHON, "-c", ""), cleans_up=True)).ok, "what is left must be removed"

    def test_a_program_may_keep_to_its_time_itself(self) -> None:
        done = run(Request(argv=("/bin/sh", "-c", "kill -XCPU $$"), timeout=HANGING, allowed=1))
        assert (done.timed_out, done.ok) == (True, False)


@pytest.mark.real
@pytest.mark.parametrize(("last", "timeout"), [("exec sleep 300", 0.5), ("exit 3", 200.0)])
def test_a_daemon_that_keeps_the_output_open_does_not_hold_us(last: str, timeout: float) -> None:
    done = run(Request(argv=("/bin/sh", "-c", f"setsid sleep 300 & echo $!; {last}"), timeout=timeout))
    os.kill(int(done.stdout), signal.SIGKILL)  # which raises if the daemon has ended
    assert (done.exit_code, done.timed_out) == ((-9, True) if timeout < 1 else (3, False))


@pytest.mark.real
def test_nothing_of_much_output_is_lost() -> None:
    code = "import sys; sys.stdout.write('o' * 3_000_000); sys.stderr.write('e' * 3_000_000)"
    done = run(Request(argv=(PYTHON, "-c", code)))
    assert (done.stdout, done.stderr) == ("o" * 3_000_000, "e" * 3_000_000)


@pytest.mark.real
def test_a_daemon_that_goes_on_talking_does_not_hold_us() -> None:
    done = run(Request(argv=("/bin/sh", "-c", "setsid yes & echo $! >&2; exit 3"), timeout=200))
    os.kill(int(done.stderr), signal.SIGKILL)
    assert (done.exit_code, done.timed_out) == (3, False)


@pytest.mark.real
@pytest.mark.parametrize("size", [0, 999, 1000, 1001, 50_000_000])
def test_of_much_output_the_middle_is_left_out(size: int) -> None:
    code = f"import sys; [sys.stdout.write('x' * 1000) for _ in range({size} // 1000)]"
    code += f"; sys.stdout.write('y' * ({size} % 1000)); print('end', file=sys.stderr)"
    done = run(Request(argv=(PYTHON, "-c", code), most_output=1000))
    assert done.stderr == "end\n"
    if size <= 1000:
        assert len(done.stdout) == size
        return
    begin, note, end = done.stdout.splitlines()
    assert (begin, end[:499]) == ("x" * 500, "x" * 499)
    assert note == f"[… {size - 1000:,} bytes left out …]"
    assert len(end) == 500

"""Work that children do, in processes of their own: pytest's may have threads."""

import json
import os
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import cuvee.runtime

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(sys.platform != "linux" or (os.cpu_count() or 1) < 2, reason="needs Linux, two cores"),
]

START = f"""
import json, os, signal, sys, threading, time
package = type(sys)("runtime")
package.__path__ = [{str(Path(cuvee.runtime.__file__).parent)!r}]
sys.modules["runtime"] = package
from runtime import forked_work
from runtime.forked_work import forked
here = os.getpid()
def work(item):
    if os.getpid() == here:
        redone.append(item)
    return [f"{{item}}\\udcff"] if item % 7 == 0 else []
redone, items = [], list(range(100_000))
expected = [f"{{item}}\\udcff" for item in items if item % 7 == 0]
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-I", "-S", "-c", START + code]
    return subprocess.run(argv, check=True, capture_output=True, text=True)


def test_children_find_what_one_process_finds() -> None:
    done = run("assert sorted(forked(items, work).results()) == sorted(expected); print(redone)")
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize(
    "change",
    [
        "os.kill(os.getpid(), signal.SIGKILL)",
        "os.kill(os.getpid(), signal.SIGTERM)",
        "os._exit(0)",
        "raise MemoryError",
    ],
)
def test_what_a_child_does_not_answer_is_done_again(change: str) -> None:
    """Half an answer is none: it would hide files that were changed."""
    done = run(f"""
def failing(item):
    if os.getpid() != here and item == 50_000:
        {change}
    return work(item)
assert sorted(forked(items, failing).results()) == sorted(expected)
print(len(redone))
""")
    assert 0 < int(done.stdout) < 100_000
    assert done.stderr == ""


def test_without_forks_it_is_done_here() -> None:
    done = run("""
def refuse():
    raise BlockingIOError("as many processes as there may be")
os.fork = refuse
assert sorted(forked(items, work).results()) == sorted(expected)
print(len(redone))
""")
    assert done.stdout == "100000\n"


def test_a_signal_while_children_are_made_ends_those_that_are() -> None:
    """What they write would stay, since who is interrupted removes what there is."""
    done = run("""
fork = os.fork
def interrupted():
    if made:
        raise KeyboardInterrupt
    made.append(process := fork())
    return process
made, os.fork = [], interrupted
try:
    forked(items, lambda item: time.sleep(60))
except KeyboardInterrupt:
    pass
try:
    print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print(len(made), "has ended")
""")
    assert done.stdout == "1 has ended\n"


def test_other_threads_prevent_forks() -> None:
    done = run("""
stop = threading.Event()
thread = threading.Thread(target=stop.wait)
thread.start()
print(forked(items, work), forked([], work))
stop.set()
thread.join()
print(forked(items[:1], work))
""")
    assert done.stdout == "None None\nNone\n"


def test_children_hold_nothing_and_end_with_their_parent(tmp_path: Path) -> None:
    """The lock of a killed installer is free, and nobody waits for its streams."""
    go_on = tmp_path / "go-on"
    os.mkfifo(go_on)
    code = (
        START
        + f"""
import fcntl
lock = os.open({str(tmp_path / "lock")!r}, os.O_CREAT | os.O_RDWR)
fcntl.flock(lock, fcntl.LOCK_EX)
def slow(item):
    if item == 0:
        with open({str(tmp_path / "child")!r}, "w") as stream:
            stream.write(json.dumps([os.getpid(), os.listdir("/proc/self/fd")]))
        open({str(go_on)!r}, "rb").close()
    return work(item)
forked(items, slow).results()
"""
    )
    argv = [sys.executable, "-I", "-S", "-c", code]
    with (
        subprocess.Popen(argv, stdout=subprocess.PIPE) as parent,
        go_on.open("wb"),  # opened when a child reads it
    ):
        parent.kill()
        parent.wait()
        child, handles = json.loads((tmp_path / "child").read_text())
        with suppress(ProcessLookupError):  # it has ended already
            ended = os.pidfd_open(child)
            assert select.select([ended], [], [], 60)[0] == [ended]
            os.close(ended)
        assert len(handles) == 4  # its items, its answer, the file, and the folder that is listed
        # Another child may have been forked a moment ago, and have all handles still.
        subprocess.run(["/usr/bin/flock", "--timeout", "60", tmp_path / "lock", "true"], check=True)
        assert parent.stdout is not None
        assert parent.stdout.read() == b""


def test_children_hold_locks_that_their_work_needs(tmp_path: Path) -> None:
    """What a child does when its parent is killed is done before the next installer begins."""
    go_on = tmp_path / "go-on"
    os.mkfifo(go_on)
    code = (
        START
        + f"""
from runtime.prefix_lock import hold
def slow(item):
    if os.getpid() == here:
        return []
    with open({str(go_on)!r}, "rb") as stream:
        stream.read()
    raise SystemExit
with hold({str(tmp_path / "prefix")!r}):
    forked(items[:2], slow).results()
"""
    )
    lock = tmp_path / ".prefix.cuvee-lock"
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", code]) as parent:
        with go_on.open("wb"):  # opened when a child reads it
            parent.kill()
            parent.wait()
            held = subprocess.run(["/usr/bin/flock", "--nonblock", lock, "true"], check=False)
            assert held.returncode == 1
        subprocess.run(["/usr/bin/flock", "--timeout", "60", lock, "true"], check=True)

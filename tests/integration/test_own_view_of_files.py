"""Programs of packages see neither the key nor the release, and change nothing outside of their folder."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cuvee import process
from cuvee.integration.inside.isolate import REFUSED
from cuvee.integration.runners.isolation import files_note, isolation_command, strongest_isolation
from cuvee.integration.runners.native import NativeRunner
from cuvee.integration.runners.protocol import Sandbox
from needed_programs import HANGING, need_root

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(sys.platform != "linux", reason="the native runner's isolation is Linux's"),
]

ATTACK = """
import ctypes, json, os, subprocess, sys
from pathlib import Path

key, dist, cache, own, outside = map(Path, sys.argv[1:])
done = {}

def attempt(name, work):
    try:
        done[name] = work()
    except OSError as error:
        done[name] = type(error).__name__

def write(path):
    path.write_text("evil")
    return "written"

def root_of_parent():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if (Path("/proc", pid, "root") / str(key).lstrip("/")).read_text():
                return "read"
        except OSError:
            continue
    return "nowhere"

def mounted_again(*words):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x10000000 | 0x00020000):
        return "refused"
    return "undone" if subprocess.run(words, capture_output=True).returncode == 0 else "refused"

attempt("key", key.read_text)
attempt("key through /proc", root_of_parent)
attempt("dist", lambda: os.listdir(dist))
attempt("cache", lambda: write(cache / "frame"))
attempt("read cache", (cache / "entry").read_text)
attempt("outside", lambda: write(outside))
attempt("own", lambda: write(own / "mine"))
attempt("temporary", lambda: write(Path("/tmp", f"cuvee-attack-{os.getpid()}")))
attempt("terminal", lambda: os.close(os.openpty()[0]) or "opened")
attempt("shared memory", lambda: write(Path("/dev/shm", f"cuvee-attack-{os.getpid()}")))
for name in ("umount", str(key)), ("umount", "-l", str(dist)), ("mount", "-o", "remount,rw", "/"):
    failed = subprocess.run(name, capture_output=True).returncode
    done[" ".join(name[:2])] = "refused" if failed else "undone"
attempt("in another namespace", lambda: mounted_again("umount", str(key)))
print(json.dumps(done))
"""


def make_world(folder: Path) -> Sandbox:
    for name in ("dist/installers", "cache", "top/home", "top/tmp", "top/release/bin"):
        (folder / name).mkdir(parents=True)
    (folder / "dist" / "installers" / "x.sh").write_text("installer")
    (folder / "key.pem").write_text("secret words")
    (folder / "cache" / "entry").write_text("kept")
    (folder / "top" / "attack.py").write_text(ATTACK)
    top = folder / "top"
    return Sandbox(
        platform="linux-64", prefix=top / "release", home=top / "home", temp=top / "tmp",
        hidden=(folder / "dist", folder / "key.pem", folder / "absent"),
        readonly=(folder / "cache", folder / "not there"),
    )  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> Sandbox:
    return make_world(tmp_path)


def attack(sandbox: Sandbox, level: str, outside: Path) -> dict[str, object]:
    top = sandbox.home.parent
    places = (top.parent / "key.pem", top.parent / "dist", top.parent / "cache", top, outside)
    program = (sys.executable, "-I", "-S", str(top / "attack.py"), *map(str, places))
    request = process.Request(
        argv=(*isolation_command(level, sandbox), *program), cwd=sandbox.temp, timeout=HANGING
    )
    done = process.run(request)
    assert done.ok, done.stderr
    answers: dict[str, object] = json.loads(done.stdout)
    return answers


def test_what_a_program_of_a_package_can_reach(world: Sandbox) -> None:
    level = strongest_isolation() or ""
    if "files" not in level:
        pytest.skip("needs a kernel that allows mount namespaces, and mount_setattr (Linux 5.12)")
    outside = Path.home() / ".written-by-an-attack-in-a-test-of-cuvee"
    try:
        found = attack(world, level, outside)
    finally:
        written = outside.exists()
        outside.unlink(missing_ok=True)
    assert not written
    top = world.home.parent
    assert (top.parent / "key.pem").read_text() == "secret words"
    assert [path.name for path in (top.parent / "cache").iterdir()] == ["entry"]
    assert found == {
        "key": "",
        "key through /proc": "nowhere",
        "dist": [],
        "cache": "OSError",
        "read cache": "kept",
        "outside": "OSError",
        "own": "written",
        "temporary": "written",
        "terminal": "opened",
        "shared memory": "written",
        "umount " + str(top.parent / "key.pem"): "refused",
        "umount -l": "refused",
        "mount -o": "refused",
        "in another namespace": "refused",
    }
    assert (top / "mine").read_text() == "evil"


def test_without_a_view_of_its_own_a_program_reads_the_key(world: Sandbox, tmp_path: Path) -> None:
    """What the test above is worth: the same program, without the isolation."""
    top = world.home.parent
    places = (top.parent / "key.pem", top.parent / "dist", top.parent / "cache", top, tmp_path / "outside")
    argv = [sys.executable, "-I", "-S", str(top / "attack.py"), *map(str, places)]
    done = subprocess.run(argv, capture_output=True, check=True)
    assert json.loads(done.stdout)["key"] == "secret words"


def test_an_ordinary_user_has_the_same_view(tmp_path: Path) -> None:
    need_root("becoming another user")
    python = shutil.which("python3", path="/usr/bin:/bin")
    if python is None:
        pytest.skip("needs Debian's python3, since other users cannot start one in root's home")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        world = make_world(Path(folder))
        script = shutil.copy(isolation_command("net")[3], folder)
        files, limits = isolation_command("net,pid,files,user", world)[-2:]
        for path in [Path(folder), *Path(folder).rglob("*")]:
            os.chown(path, 12345, 12345)
        program = ("/bin/sh", "-c", 'cat "$1"; ls "$2"; echo x > "$3/x" || echo kept', "sh")
        done = subprocess.run(
            [python, "-I", "-S", script, "net,pid,files,user", files, limits, *program]
            + [f"{folder}/{name}" for name in ("key.pem", "dist", "cache")],
            capture_output=True, text=True, check=False, user=12345, group=12345, extra_groups=(), cwd="/",
        )  # fmt: skip
    if done.returncode == REFUSED:
        pytest.skip(f"needs a kernel that allows user namespaces: {done.stderr.strip()[-80:]}")
    assert done.stdout == "kept\n", done.stderr


def test_the_report_says_what_programs_can_reach() -> None:
    files = NativeRunner().environment()["files"]
    assert files == files_note(strongest_isolation())
    assert "not kept away" in files_note("net,pid")
    assert "hidden" in files_note("net,pid,files,user")

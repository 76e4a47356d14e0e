"""Installers without byte code, for real: desktops make what the release states, or say that they did not."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from cuvee import process
from cuvee.image.settings import ByteCode, InstallerSettings
from cuvee.installers.delta_installer import make_delta
from cuvee.installers.whole_installer import read_installer
from cuvee.progress import SILENT
from cuvee.runtime.desktop_byte_code import _Compiler
from cuvee.runtime.prefix_state import KEPT, InstalledRelease, load
from needed_programs import HANGING, need_root
from tiny_release import Release

from .conftest import Dress
from .test_delta import admin, tree

pytestmark = pytest.mark.real
DESKTOP = InstallerSettings(bytecode=ByteCode.DESKTOP)
_OF_THE_MANIFEST = ("conda-meta/cuvee/manifest.json.zst", "conda-meta/cuvee/release.json")


@pytest.fixture(scope="module")
def lean(dress: Dress) -> Release:
    """The tiny release with an installer that leaves byte code to the desktop."""
    return dress(DESKTOP)


@pytest.fixture(scope="module")
def newer_lean(dress: Dress) -> Release:
    return dress(DESKTOP, upgrade=True)


def content(prefix: Path) -> dict[str, tuple[int, bytes, int | None]]:
    """What is in a prefix, but for the list of files: that says where byte code comes from."""
    return {path: value for path, value in tree(prefix).items() if path not in _OF_THE_MANIFEST}


def verified(prefix: Path) -> dict[str, object]:
    value: dict[str, object] = json.loads(admin(prefix, "verify", "--json").stdout)
    return value


def byte_code(prefix: Path, *names: str) -> list[Path]:
    """Return byte code of modules of the standard library that the runtime does not need."""
    made = load(str(prefix)).manifest.compiled()
    return [prefix / next(path for path in made if f"/{name}.cpython-" in path) for name in names]


def test_the_prefix_is_that_of_an_installer_with_byte_code(
    release: Release, lean: Release, tmp_path: Path
) -> None:
    prefix = tmp_path / "prefix"
    assert release.install("-b", "-p", prefix).ok
    expected = content(prefix)
    shutil.rmtree(prefix)
    done = lean.install("-b", "-p", prefix)
    assert (done.exit_code, done.stderr) == (0, "")
    assert content(prefix) == expected
    compiled = load(str(prefix)).manifest.compiled()
    assert len(compiled) > 300
    assert verified(prefix)["good"]
    assert lean.installer.stat().st_size < 0.9 * release.installer.stat().st_size
    _check_what_is_missing(lean, prefix, expected)
    _check_uninstall(prefix)


def _check_what_is_missing(
    lean: Release, prefix: Path, expected: dict[str, tuple[int, bytes, int | None]]
) -> None:
    absent, own, flipped = byte_code(prefix, "this", "antigravity", "cmd")
    before = own.read_bytes()
    for path in (absent, own):
        path.unlink()
    argv = (str(prefix / "bin" / "python"), "-I", "-c", "import cmd, webbrowser; webbrowser.open = print")
    assert process.run(process.Request(argv=(*argv[:-1], argv[-1] + "; import antigravity"))).ok
    assert own.read_bytes() != before  # Python has made it, with the whole path of its source
    waiting = sorted(path.relative_to(prefix).as_posix() for path in (absent, own))
    value = verified(prefix)
    assert (value["changed"], value["missing"], value["extra"]) == ([], [], [])
    assert value["byte_code"] == {"rewritten": [], "compiled": [], "waiting": waiting}
    assert not value["good"]
    told = admin(prefix, "verify")
    assert told.exit_code == 1
    assert "is as it was released, but for 2 files of byte code, still to be made" in told.stdout
    assert "tiny-admin compile" in told.stdout

    flip(flipped)
    (absent.parent / f"{absent.name}.new").write_bytes(b"of one that was killed")
    value = verified(prefix)
    assert (value["changed"], value["extra"]) == ([flipped.relative_to(prefix).as_posix()], [])
    assert "differs" in admin(prefix, "verify").stdout
    made = admin(prefix, "compile", "--json")
    assert (made.exit_code, json.loads(made.stdout)["waiting"]) == (0, [])
    assert content(prefix) == expected
    assert verified(prefix)["good"]

    shutil.rmtree(absent.parent)
    flip(prefix / "lib" / "noise")
    repaired = lean.install("--repair", "-p", prefix, "--json")
    assert repaired.exit_code == 0, repaired
    restored = json.loads(repaired.stdout)
    assert absent.relative_to(prefix).as_posix() in restored["restored"]
    assert restored["left"] == []
    shutil.rmtree(prefix / "cuvee-saved")
    assert content(prefix) == expected


def _check_uninstall(prefix: Path) -> None:
    absent, own = byte_code(prefix, "this", "antigravity")
    absent.unlink()
    own.write_bytes(own.read_bytes() + b"longer")  # as that of Python, which has a longer name in it
    (absent.parent / f"{absent.name}.new").write_bytes(b"of one that was killed")
    foretold = json.loads(admin(prefix, "uninstall", "--dry-run", "--json").stdout)
    assert absent.relative_to(prefix).as_posix() not in foretold["gone"]
    assert foretold["left"] == []
    assert admin(prefix, "uninstall").ok
    assert not prefix.exists()


def flip(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def test_upgrades_take_what_is_there(release: Release, newer_lean: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    assert newer_lean.install("-b", "-p", prefix).ok
    fresh = content(prefix)
    (made,) = byte_code(prefix, "this")
    shutil.rmtree(prefix)
    assert release.install("-b", "-p", prefix).ok
    before = tree(prefix)
    inode = made.stat().st_ino
    upgraded = newer_lean.install("-b", "-u", "-p", prefix)
    assert (upgraded.exit_code, upgraded.stderr) == (0, "")
    assert content(prefix) == fresh
    assert made.stat().st_ino == inode  # it was not compiled again
    assert admin(prefix, "rollback").ok
    assert tree(prefix) == before
    assert verified(prefix)["good"]


def test_a_delta_has_no_byte_code(lean: Release, newer_lean: Release, newer: Release, tmp_path: Path) -> None:
    sides = read_installer(lean.installer), read_installer(newer_lean.installer)
    delta = make_delta(*sides, folder=tmp_path, reporter=SILENT).path
    prefix = tmp_path / "prefix"
    assert newer_lean.install("-b", "-p", prefix).ok
    fresh = tree(prefix)
    shutil.rmtree(prefix)
    assert lean.install("-b", "-p", prefix).ok
    (absent,) = byte_code(prefix, "this")
    absent.unlink()  # which the delta does not need
    done = lean.install("-b", "-p", prefix, installer=delta)
    assert (done.exit_code, done.stderr) == (0, "")
    assert tree(prefix) == fresh
    assert newer.install("-b", "-u", "-f", "-p", prefix).ok  # whose installer has it
    assert verified(prefix)["good"]


def kill_when(argv: list[str], seen: Callable[[], bool], number: int) -> int:
    """Send a signal to a program and all that it started once something is seen; return its exit code."""
    running = subprocess.Popen(
        argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while running.poll() is None and not seen():
        os.sched_yield()
    assert running.returncode is None, "it ended before"
    os.killpg(running.pid, number)
    return running.wait()


def test_an_interruption_leaves_the_rest_to_the_verb(lean: Release, tmp_path: Path) -> None:
    """As by Ctrl-C, which all processes of a terminal get."""
    prefix = tmp_path / "prefix"
    running = subprocess.Popen(
        ["/bin/sh", str(lean.installer), "-b", "-p", str(prefix)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    command = f"{prefix}/bin/tiny-admin compile"
    assert running.stdout is not None
    assert running.stdout.readline() == f"Tiny & Sons 2026.11.0 is installed in {prefix}\n"
    said = running.stdout.readline()
    assert said.startswith("It can be used already. ")
    assert said.endswith(f"this does the rest: {command}\n")
    wanted = load(str(prefix)).manifest.compiled()
    while running.poll() is None and not any((prefix / path).exists() for path in wanted):
        os.sched_yield()
    os.killpg(running.pid, signal.SIGINT)
    _, told = running.communicate(timeout=HANGING)
    assert running.returncode == 0, told
    absent = sorted(path for path in wanted if not (prefix / path).exists())
    assert 0 < len(absent) < len(wanted)
    count = f"{len(absent):,} of {len(wanted):,} files of byte code are not there"
    assert told.startswith(f"Warning: {count}, since it was interrupted. ")
    assert told.endswith(f"This makes them: {command}\n")
    assert not list(prefix.rglob("*.new"))
    assert admin(prefix, "compile").exit_code == 0
    assert verified(prefix)["good"]


def test_one_that_is_killed_while_it_compiles(lean: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    argv = ["sh", str(lean.installer), "-b", "-p", str(prefix)]
    assert kill_when(argv, prefix.exists, signal.SIGKILL) == -signal.SIGKILL
    value = verified(prefix)
    assert (value["changed"], value["missing"], value["extra"]) == ([], [], [])
    assert isinstance(value["byte_code"], dict)
    assert value["byte_code"]["waiting"]
    again = lean.install("-b", "-u", "-p", prefix)
    assert (again.exit_code, again.stderr) == (0, "")
    assert "is installed already" in again.stdout
    assert verified(prefix)["good"]
    assert not list(prefix.rglob("*.new"))


def test_sources_that_compile_otherwise(lean: Release, tmp_path: Path) -> None:
    """What does not come out as it was released is not written, and said."""
    prefix = tmp_path / "prefix"
    assert lean.install("-b", "-p", prefix).ok
    (made,) = byte_code(prefix, "this")
    source = made.parent.parent / "this.py"
    made.unlink()
    text = source.read_bytes()
    source.write_bytes(text.replace(b"Beautiful", b"Beautifu1") + b"x = 1\n")
    done = admin(prefix, "compile")
    assert done.exit_code == 1
    assert "compiled otherwise here" in done.stdout
    assert not made.exists()
    value = verified(prefix)
    assert value["changed"] == [source.relative_to(prefix).as_posix()]
    assert value["byte_code"] == {
        "rewritten": [],
        "compiled": [],
        "waiting": [made.relative_to(prefix).as_posix()],
    }


def test_releases_that_share_files_have_byte_code_of_their_own(
    lean: Release, newer_lean: Release, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert lean.install("-b", "-p", first).ok
    done = lean.install("-b", "-p", second, f"--share={first}")
    assert "share their space on the disk" in done.stdout
    before = tree(first)
    assert (verified(first)["good"], verified(second)["good"]) == (True, True)

    (flipped,) = byte_code(second, "cmd")
    flip(flipped)  # in place
    assert tree(first) == before
    assert admin(second, "compile").exit_code == 0
    assert verified(second)["good"]

    assert newer_lean.install("-b", "-u", "-p", second).ok
    assert verified(second)["good"]
    assert admin(second, "uninstall").exit_code == 0
    assert tree(first) == before
    assert verified(first)["good"]


FILL = """\
free=$(df -Pk "$PREFIX" | awk 'NR == 2 {print $4}')
head -c "$((free - 1024))k" /dev/zero > "$PREFIX/../filler"
"""


@pytest.fixture
def disk(lean: Release, tmp_path: Path) -> Iterator[Path]:
    """A disk with room for one release, which needs 50 MB more to begin."""
    need_root("to mount a tmpfs")
    folder = tmp_path / "disk"
    folder.mkdir()
    size = f"size={lean.image.size_on_disk + (90 << 20)}"
    mounted = process.run(process.Request(argv=("mount", "-t", "tmpfs", "-o", size, "x", str(folder))))
    if not mounted.ok:
        pytest.skip(f"needs to mount a tmpfs: {mounted.stderr}")
    yield folder
    process.run(process.Request(argv=("umount", "-l", str(folder))))


def test_a_disk_that_becomes_full_meanwhile(dress: Dress, disk: Path) -> None:
    """Somebody else fills it after the installer has looked; here a script of the release does."""
    filled, prefix = dress(replace(DESKTOP, post_install=FILL)), disk / "prefix"
    done = filled.install("-b", "-p", prefix)
    assert done.exit_code == 0, done
    assert "is installed in" in done.stdout
    wanted = load(str(prefix)).manifest.compiled()
    absent = sorted(path for path in wanted if not (prefix / path).exists())
    assert 0 < len(absent) < len(wanted)
    count = f"{len(absent):,} of {len(wanted):,} files of byte code are not there"
    assert done.stderr.startswith(f"Warning: {count}, since this failed: No space left on device. ")
    assert str(prefix / "bin" / "tiny-admin compile") in done.stderr
    assert not list(prefix.rglob("*.new"))

    value = verified(prefix)
    assert (value["changed"], value["missing"], value["extra"], value["good"]) == ([], [], [], False)
    assert value["byte_code"] == {"rewritten": [], "compiled": [], "waiting": absent}
    assert admin(prefix, "verify").exit_code == 1
    made = admin(prefix, "compile", "--json")
    assert (made.exit_code, json.loads(made.stdout)["waiting"]) == (1, absent)
    assert not list(prefix.rglob("*.new"))

    (disk / "filler").unlink()
    assert admin(prefix, "compile").exit_code == 0
    assert verified(prefix)["good"]
    assert admin(prefix, "uninstall").exit_code == 0
    assert not list(disk.iterdir())


ANSWER = """\
import marshal, os, sys
marshal.load(sys.stdin.buffer)
data = marshal.dumps([b"%d" % os.getpriority(os.PRIO_PROCESS, 0)])
sys.stdout.buffer.write(len(data).to_bytes(8, "little") + data)
"""


def test_they_have_a_low_priority(tmp_path: Path) -> None:
    """All cores compile, on a desktop that somebody uses meanwhile."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nexec /usr/bin/env python3 "$@"\n')
    python.chmod(0o755)
    (tmp_path / KEPT / "runtime").mkdir(parents=True)
    (tmp_path / KEPT / "runtime" / "compile_batch.py").write_text(ANSWER)
    release = SimpleNamespace(prefix=str(tmp_path), manifest=SimpleNamespace(interpreter="python"))
    compiler = _Compiler(cast("InstalledRelease", release))
    try:
        (answer,) = compiler.compile([("a.py", b"", 0)]) or [None]
    finally:
        compiler.end()
    assert answer is not None
    assert int(answer) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)

"""Two releases side by side share equal files; whatever is done to one, the other stays as it is."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cuvee import process
from cuvee.image.settings import InstallerSettings
from needed_programs import need, need_root
from tiny_release import Release

from .conftest import Dress

pytestmark = pytest.mark.real

NOISE, DATA, CLI = "lib/noise", "share/twin/same", "lib/python3.11/site-packages/tools/cli.py"
LINKED = "share/twin/a"
SIZE = 400 << 20


def ran(*argv: str | Path) -> process.Completed:
    return process.run(process.Request(argv=tuple(map(str, argv)), environment={"PATH": os.environ["PATH"]}))


def admin(prefix: Path, *arguments: str | Path) -> process.Completed:
    return ran(prefix / "bin/tiny-admin", *arguments)


def good(prefix: Path) -> bool:
    return bool(json.loads(admin(prefix, "verify", "--json").stdout)["good"])


def seen(prefix: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """All that is known of each file, but how many names it has, and when that changed."""
    found = {}
    for path in prefix.rglob("*"):
        status = path.lstat()
        data = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (status.st_ino, status.st_mode, status.st_mtime_ns, data)
    return found


def is_same_file(first: Path, second: Path, path: str) -> bool:
    return os.path.samestat((first / path).lstat(), (second / path).lstat())


@pytest.fixture(params=["mkfs.xfs", "mkfs.btrfs"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A disk of its own whose file system clones files."""
    need(request.param, "mount", "umount", "filefrag")
    need_root("to mount a file system")
    image, folder = tmp_path / "image", tmp_path / "disk"
    folder.mkdir()
    with image.open("wb") as stream:
        stream.truncate(SIZE)
    assert ran(request.param, "-q", image).ok
    mounted = ran("mount", "-o", "loop", image, folder)
    if not mounted.ok:
        pytest.skip(f"needs to mount a file in a loop device: {mounted.stderr.strip()}")
    yield folder
    ran("umount", "-l", folder)


def damage(prefix: Path) -> None:
    """Change a file, whose size stays, and replace a folder by a link to another one with the same files."""
    with (prefix / NOISE).open("r+b") as stream:
        stream.seek(1 << 20)
        stream.write(b"flipped")
    (prefix / "share/twin").rename(prefix / "share/moved")
    (prefix / "share/twin").symlink_to("moved")


def lifecycle(release: Release, newer: Release, one: Path, two: Path, write: Callable[[Path], None]) -> None:
    """Do all that changes the older release; after each step the newer one is what it was."""
    before = seen(two)

    def untouched() -> None:
        assert seen(two) == before
        assert good(two)

    write(one)
    assert not good(one)
    untouched()
    repaired = ran("sh", release.installer, "--repair", "-p", one)
    assert repaired.ok, repaired
    assert good(one)
    untouched()
    os.utime(one / CLI, (1, 1))
    assert newer.install("-b", "-u", "-p", one).ok
    untouched()
    assert admin(one, "rollback").ok
    untouched()
    assert admin(one, "uninstall").ok
    untouched()
    assert ran(two / "bin/python", "-c", "import tools.cli").ok


def test_clones(release: Release, newer: Release, disk: Path) -> None:
    one, two, three = (disk / name for name in ("2026.11.0", "2026.11.1", "third"))
    assert release.install("-b", "-p", one).ok
    done = newer.install("-b", "-p", two)
    assert (done.exit_code, done.stderr) == (0, "")
    assert re.search(
        rf"[0-9,]+ files \([0-9,.]+ MB\) share their space on the disk with {one}$", done.stdout, re.MULTILINE
    )
    for path in (NOISE, CLI, "bin/python3.11"):
        assert (one / path).read_bytes() == (two / path).read_bytes()
        assert not is_same_file(one, two, path)
        found = ran("filefrag", "-v", two / path)
        assert found.ok, found
        assert path == CLI or "shared" in found.stdout, found.stdout
    entry = json.loads((two / "conda-meta/cuvee/log.jsonl").read_text().splitlines()[0])
    assert re.fullmatch(rf"[0-9]+ files by reflink with {one}", entry["shared"][0])
    damage(one)
    assert newer.install("-b", "-t", "-p", three, f"--share={one}").ok
    assert good(three)
    assert "shared" not in ran("filefrag", "-v", three / NOISE).stdout

    def write(prefix: Path) -> None:
        with (prefix / CLI).open("ab") as stream:
            stream.write(b"# changed in place\n")

    (one / "share/twin").unlink()
    (one / "share/moved").rename(one / "share/twin")
    lifecycle(release, newer, one, two, write)


def test_hard_links_are_made_only_if_they_are_asked_for(
    release: Release, newer: Release, dress: Dress, tmp_path: Path
) -> None:
    one, two, three = (tmp_path / name for name in ("2026.11.0", "2026.11.1", "third"))
    assert release.install("-b", "-p", one).ok
    (one / DATA).chmod(0o600)
    planned = json.loads(newer.install("--dry-run", "--json", "-p", two).stdout)
    assert planned["shares_with"] == str(one)
    done = newer.install("-b", "-p", two)
    assert (done.exit_code, done.stderr) == (0, "")
    assert not any(is_same_file(one, two, path) for path in (NOISE, CLI, LINKED, DATA))
    assert admin(two, "uninstall").ok
    done = newer.install("-b", "-t", "-p", two, "--share")
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"share their space on the disk with {one}. They are hard links" in done.stdout
    assert all(is_same_file(one, two, path) for path in (NOISE, CLI, LINKED, "bin/python3.11"))
    other = ("bin/place", "etc/place.conf", "conda-meta/tools-1.1-py_0.json", "conda-meta/history", DATA)
    assert not any((two / path).stat().st_nlink > 1 for path in other)
    assert good(two)
    scripted = dress(InstallerSettings(post_install="#!/bin/sh\nprintf more >>$PREFIX/share/twin/same\n"))
    done = scripted.install("-b", "-p", three, "--share")
    assert "No files are shared" in done.stdout
    assert not is_same_file(one, three, NOISE)

    def write(prefix: Path) -> None:
        """Do what pip, compilers and careful editors do."""
        assert ran(prefix / "bin/python", "-m", "compileall", "-q", "-f", prefix / CLI).ok
        (prefix / "aside").write_text("changed\n")
        (prefix / "aside").replace(prefix / CLI)
        (prefix / NOISE).unlink()

    lifecycle(release, newer, one, two, write)


def test_what_cannot_be_shared(release: Release, newer: Release, tmp_path: Path) -> None:
    for options, code, message in (
        ((f"--share={tmp_path}",), 2, "There is no release in"),
        (("--share=",), 2, "There is no release in"),
    ):
        done = release.install("-b", "-p", tmp_path / "new", *options)
        assert (done.exit_code, message in done.stderr) == (code, True), done
        assert not list(tmp_path.iterdir())
    done = release.install("-b", "-p", tmp_path / "new", "--share")
    assert f"No other release is in {tmp_path} to share files with" in done.stdout
    assert subprocess.run([tmp_path / "new/bin/python", "-c", ""], check=False).returncode == 0

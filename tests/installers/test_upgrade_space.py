"""An upgrade asks the disk for what it writes, and not for what it links: on a small one of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuvee import process
from tiny_release import Release

pytestmark = pytest.mark.real

SPARE, LITTLE = 50 << 20, 36 << 20


def mount(folder: Path, options: str) -> None:
    argv = ("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder))
    done = process.run(process.Request(argv=argv))
    if not done.ok:
        pytest.skip(f"needs to mount a tmpfs: {done.stderr}")


@pytest.fixture
def disk(release: Release, tmp_path: Path) -> Iterator[Path]:
    """A disk on which there is room for one release, the next one's small Python, and a little more."""
    if os.geteuid():
        pytest.skip("needs root, to mount a tmpfs")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount(folder, f"size={release.image.size_on_disk + SPARE + LITTLE}")
    yield folder
    process.run(process.Request(argv=("umount", "-l", str(folder))))


def test_asks_for_what_it_writes(release: Release, newer: Release, disk: Path) -> None:
    prefix = disk / "prefix"
    assert release.install("-b", "-p", prefix).ok
    then = os.statvfs(disk)
    free = then.f_bavail * then.f_frsize
    assert free < SPARE + newer.image.raw_size, (free, newer.image.raw_size)
    filler = disk / "filler"
    filler.write_bytes(bytes(free - SPARE + (1 << 20)))
    refused = newer.install("-b", "-u", "-p", prefix)
    assert (refused.exit_code, "MB are free" in refused.stderr) == (1, True), refused
    assert not (prefix / "share/tools/new").exists()
    filler.unlink()
    done = newer.install("-b", "-u", "-p", prefix)
    assert done.ok, done
    assert (prefix / "share/tools/new").exists()


def test_asks_for_what_it_does_not_share(release: Release, newer: Release, disk: Path) -> None:
    one, two = disk / "2026.11.0", disk / "2026.11.1"
    assert release.install("-b", "-p", one).ok
    refused = newer.install("-b", "-p", two)
    assert (refused.exit_code, "MB are free" in refused.stderr) == (1, True), refused
    done = newer.install("-b", "-p", two, "--share")
    assert done.ok, done
    assert os.path.samestat((one / "lib/noise").stat(), (two / "lib/noise").stat())

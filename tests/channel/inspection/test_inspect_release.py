"""Facts of a whole release: each archive is opened once, whatever happens."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cuvee.channel.inspection import ArchiveContents, UnreadableArchive, inspect_archives, inspect_release
from cuvee.channel.inspection.inspect_archive import inspect_archive
from cuvee.channel.inspection.inspect_release import Inspection
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.conda.package_archive import archive_hashes
from cuvee.conda.package_record import LockedPackage
from cuvee.lock.model import PlatformLock
from cuvee.progress import Silent

PLATFORMS = ("linux-64", "win-64")


class Release:
    """Two packages on two platforms; one of them is the same file on both."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cache = folder, folder / "cache"
        self.opened: list[str] = []
        self.paths: dict[str, Path] = {}
        packages: dict[str, list[LockedPackage]] = {platform: [] for platform in PLATFORMS}
        for platform in PLATFORMS:
            for name, subdir in (("own", platform), ("shared", "noarch")):
                path = self._write(name, subdir)
                sha256, md5, size = archive_hashes(path)
                package = LockedPackage(
                    name=name,
                    version="1",
                    build="0",
                    build_number=0,
                    platform=platform,
                    subdir=subdir,
                    url=f"channel/{subdir}/{path.name}",
                    channel="channel",
                    sha256=sha256,
                    md5=md5,
                    size=size,
                )
                packages[platform].append(package)
                self.paths[package.identifier] = path
        self.locks = [
            PlatformLock(platform=platform, packages=tuple(found), virtual_packages=())
            for platform, found in packages.items()
        ]

    def _write(self, name: str, subdir: str) -> Path:
        content = PackageContent(
            name=name,
            version="1",
            build="0",
            subdir=subdir,
            timestamp=0,
            files=(PackageFile(path=f"share/{name}", content=subdir.encode()),),
        )
        return write_package(content, self.folder / subdir)

    def archives(self, platform: str) -> Mapping[str, Path]:
        self.opened.append(platform)
        return self.paths

    def facts(self, reporter: Silent | None = None) -> Inspection:
        packages = [package for lock in self.locks for package in lock.packages]
        return inspect_archives(packages, self.archives, cache=self.cache, reporter=reporter or Silent())


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    return Release(tmp_path)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The archives that are read, in their order."""
    found: list[str] = []
    really = inspect_archive

    def note(path: Path) -> ArchiveContents:
        found.append(f"{path.parent.name}/{path.name}")
        return really(path)

    monkeypatch.setattr(inspect_release, "inspect_archive", note)
    return found


def test_each_archive_is_read_once_and_never_again(release: Release, read: list[str]) -> None:
    first = release.facts()
    assert sorted(read) == ["linux-64/own-1-0.conda", "noarch/shared-1-0.conda", "win-64/own-1-0.conda"]
    assert first["shared-1-0@linux-64"] is first["shared-1-0@win-64"]
    assert set(first) == set(release.paths)
    release.opened.clear()
    assert release.facts() == first
    assert (len(read), release.opened) == (3, [])


def test_one_that_can_not_be_read_stops_no_other(release: Release, read: list[str]) -> None:
    release.paths["own-1-0@win-64"].write_bytes(b"no zip")
    release.paths["own-1-0@linux-64"].unlink()
    found = release.facts()
    broken, gone = found["own-1-0@win-64"], found["own-1-0@linux-64"]
    assert isinstance(broken, UnreadableArchive)
    assert broken.reason.startswith("own-1-0.conda cannot be read as a conda package")
    assert gone == UnreadableArchive(reason="own-1-0.conda cannot be opened: No such file or directory")
    assert isinstance(found["shared-1-0@win-64"], ArchiveContents)
    release.facts()
    assert len(read) == 5, "what could not be read is tried again, and nothing else"


def test_another_archive_in_its_place_is_not_taken(release: Release) -> None:
    release.paths["own-1-0@linux-64"].write_bytes(release.paths["own-1-0@win-64"].read_bytes())
    found = release.facts()["own-1-0@linux-64"]
    assert isinstance(found, UnreadableArchive)
    assert "is not what the lock names" in found.reason


def test_an_interrupted_run_goes_on_where_it_was(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    # The worker would be through with all of them before anybody has seen the interruption.
    stopped = threading.Event()
    read: list[Path] = []

    def wait(path: Path) -> ArchiveContents:
        assert not read or stopped.wait(60)
        read.append(path)
        return inspect_archive(path)

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            stopped.set()
            super().shutdown(wait=wait)

    monkeypatch.setattr(inspect_release, "inspect_archive", wait)
    monkeypatch.setattr(inspect_release, "ThreadPoolExecutor", Pool)

    class Impatient(Silent):
        def advance(self, task: str, amount: int = 1, *, note: str = "") -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        release.facts(Impatient())
    done = len(read)
    assert done < 3
    release.facts()
    assert len(set(read)) == 3
    assert len(read) == 3

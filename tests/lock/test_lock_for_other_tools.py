"""What rattler, and so pixi, does with the lock: it makes records of it, and installs them."""

import asyncio
import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import rattler

from cuvee.channel.connection import connect
from cuvee.lock.model import Lock
from cuvee.lock.pixi_lock import read_lock, write_lock
from cuvee.lock.solve import Problem, solve
from cuvee.manifest.model import PlatformEntry, Position, Requirement

POSITION = Position(file=Path("tiny/2026.11.0.yaml"), line=1, column=1)
PUBLISHED = "https://example.org/tiny-2026.11.0/channel"


@pytest.fixture
def lock(channel_folder: Path, tmp_path: Path) -> Lock:
    problem = Problem(
        platforms=(PlatformEntry(name="linux-64", floor={"glibc": "2.28"}),),
        requirements=(Requirement(name="top", platforms=("linux-64",), position=POSITION),),
        own_channel=channel_folder,
    )
    return solve(problem, connect(tmp_path / "cache"))


def written(lock: Lock, folder: Path, own_channel: str) -> Path:
    path = folder / "lock" / "pixi.lock"
    write_lock(lock, path, channels=(), own_channel=own_channel)
    return path


def records(path: Path) -> list[rattler.RepoDataRecord]:
    environment = rattler.LockFile.from_path(path).default_environment()
    assert environment is not None
    (platform,) = environment.platforms()
    return environment.conda_repodata_records_for_platform(platform) or []


def install(path: Path, prefix: Path) -> None:
    asyncio.run(
        rattler.install(
            records(path), target_prefix=prefix, cache_dir=prefix.parent / "packages", show_progress=False
        )
    )
    assert (prefix / "lib/python3.11/site-packages/top.py").read_text() == "version = '1.0'\n"
    assert len(list((prefix / "conda-meta").glob("*.json"))) == 3


@pytest.fixture
def served(channel_folder: Path) -> Iterator[str]:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(channel_folder.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{channel_folder.name}"
        server.shutdown()


@pytest.mark.real
def test_installs_from_the_folder_of_the_release(lock: Lock, channel_folder: Path, tmp_path: Path) -> None:
    install(written(lock, channel_folder.parent, channel_folder.as_uri()), tmp_path / "prefix")


@pytest.mark.real
def test_installs_from_the_published_channel(lock: Lock, served: str, tmp_path: Path) -> None:
    path = written(lock, tmp_path / "downloads", served)
    install(path, tmp_path / "prefix")
    assert {record.url for record in records(path)} == {
        f"{served}/{package.url.removeprefix('channel/')}" for package in lock.platforms[0].packages
    }


@pytest.mark.parametrize("name", ["tiny-1", "with a space, a + and an é"])
def test_our_own_lock_is_read_wherever_it_is(lock: Lock, tmp_path: Path, name: str) -> None:
    channel = tmp_path / name / "channel"
    path = written(lock, tmp_path / name, channel.as_uri())
    assert read_lock(path) == lock
    moved = Path(shutil.move(path, tmp_path / "elsewhere.lock"))
    assert read_lock(moved) == lock
    assert str(channel) in moved.read_text()


def test_the_published_lock_does_not_depend_on_the_machine(lock: Lock, tmp_path: Path) -> None:
    first, second = (written(lock, tmp_path / name, PUBLISHED) for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    assert str(tmp_path) not in first.read_text()
    assert read_lock(first) == lock


OLDER = """\
version: 7
platforms:
- name: linux-64
environments:
  default:
    channels:
    - url: file:///tiny-2026.11.0/channel
    packages:
      linux-64:
      - conda: ../channel/noarch/six-1.17.0-py_0.conda
packages:
- conda: ../channel/noarch/six-1.17.0-py_0.conda
  subdir: noarch
  sha256: '0000000000000000000000000000000000000000000000000000000000000000'
  channel: file:///tiny-2026.11.0/channel
  size: 0
"""


def test_locks_of_older_versions_are_read(tmp_path: Path) -> None:
    path = tmp_path / "pixi.lock"
    path.write_text(OLDER)
    (six,) = read_lock(path).platforms[0].packages
    assert (six.url, six.channel) == ("channel/noarch/six-1.17.0-py_0.conda", "channel")


def test_a_lock_of_another_tool_has_no_own_channel(lock: Lock, tmp_path: Path) -> None:
    path = written(lock, tmp_path, PUBLISHED)
    path.write_text(path.read_text().partition("\n")[2])
    assert not any(package.is_local for package in read_lock(path).platforms[0].packages)

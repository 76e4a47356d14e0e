"""Locked packages and what their channels have today: the same, if nothing has changed."""

import json
from pathlib import Path

import pytest

import tiny_index
from cuvee.channel.connection import Connection, connect, package_names, query
from cuvee.channel.present_records import compare_with_channels
from cuvee.channel.source_comparison import SourceChange, SourceComparison
from cuvee.conda.event_loop import run
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.rattler_records import from_rattler
from cuvee.lock.model import Lock, PlatformLock
from cuvee.lock.pixi_lock import read_lock, write_lock


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    return connect(tmp_path / "cache")


def locked(channel: Path, platform: str, connection: Connection, scratch: Path) -> tuple[LockedPackage, ...]:
    """Return a record of each name of a channel, written to a lock and read again."""
    names = package_names([str(channel)], [platform], connection)
    records = run(query([str(channel)], platform, names, connection))
    found = {
        record.name.normalized: from_rattler(
            record, url=str(record.url), channel=str(record.channel).rstrip("/")
        ).locked_for(platform)
        for record in records
        if record.sha256
    }
    part = PlatformLock(platform=platform, packages=tuple(found.values()), virtual_packages=())
    path = scratch / "lock" / "pixi.lock"
    write_lock(Lock(platforms=(part,)), path, channels=(str(channel),), own_channel="https://example.org/own")
    return read_lock(path).platforms[0].packages


@pytest.mark.parametrize("platform", ["osx-arm64", "linux-aarch64"])
def test_records_of_a_real_channel_are_the_same(
    shared_data: Path, connection: Connection, tmp_path: Path, platform: str
) -> None:
    packages = locked(shared_data / "channels" / "conda-forge-subset", platform, connection, tmp_path)
    assert len(packages) > 50
    assert compare_with_channels(packages, connection) == SourceComparison()


def test_a_package_that_was_moved_to_removed_is_withdrawn(connection: Connection, tmp_path: Path) -> None:
    channel = tiny_index.write_index(tmp_path / "channel", map(tiny_index.entry, ["a 1.0", "b 1.0"]))
    packages = locked(channel, "linux-64", connection, tmp_path)
    path = channel / "noarch" / "repodata.json"
    data = json.loads(path.read_text())
    del data["packages.conda"]["a-1.0-0.conda"]
    path.write_text(json.dumps(data | {"removed": ["a-1.0-0.conda"]}))
    (item,) = compare_with_channels(packages, connect(tmp_path / "cache")).changed
    assert (item.package.name, item.change) == ("a", SourceChange.WITHDRAWN)


def test_the_same_build_in_the_other_format_is_not_withdrawn(connection: Connection, tmp_path: Path) -> None:
    channel = tiny_index.write_index(tmp_path / "channel", map(tiny_index.entry, ["a 1.0: b", "b 1.0"]))
    path = channel / "noarch" / "repodata.json"
    data = json.loads(path.read_text())
    record = data["packages.conda"]["a-1.0-0.conda"]
    old = {"a-1.0-0.tar.bz2": record | {"sha256": "ab" * 32}}
    path.write_text(json.dumps(data | {"packages": old, "packages.conda": {}}))
    packages = locked(channel, "linux-64", connection, tmp_path)
    path.write_text(json.dumps(data | {"packages": old}))
    assert compare_with_channels(packages, connect(tmp_path / "cache")) == SourceComparison()


def test_a_channel_that_cannot_be_read_hides_no_other(connection: Connection, tmp_path: Path) -> None:
    first = tiny_index.write_index(tmp_path / "first", map(tiny_index.entry, ["a 1.0"]))
    second = tiny_index.write_index(tmp_path / "second", map(tiny_index.entry, ["b 1.0"]))
    packages = [
        item for channel in (first, second) for item in locked(channel, "linux-64", connection, tmp_path)
    ]
    first.rename(tmp_path / "moved")
    tiny_index.write_index(second, map(tiny_index.entry, ["b 1.0: c"]))
    found = compare_with_channels(packages, connect(tmp_path / "cache"))
    assert [(item.source, item.packages) for item in found.not_compared] == [
        (first.as_uri(), ("a-1.0-0@linux-64",))
    ]
    assert [(item.package.name, item.change) for item in found.changed] == [("b", SourceChange.CORRECTED)]

"""One reader of ``info/``: what it reads of good metadata, and what it refuses."""

import json
from pathlib import Path

import pytest

from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.conda.package_info import (
    IndexJson,
    parse_entry_points,
    parse_index,
    read_index,
    read_info,
)
from cuvee.conda.package_paths import PathEntry, parse_paths

INDEX = {"name": "a", "version": "1", "build": "0"}


def test_a_package_of_ours_is_read(tmp_path: Path) -> None:
    content = PackageContent(
        name="a", version="1", build="py_0", subdir="noarch", noarch="python", timestamp=7,
        entry_points=("a = a:main",), files=(PackageFile(path="site-packages/a.py", content=b""),),
    )  # fmt: skip
    archive = write_package(content, tmp_path)
    info = read_info(archive)
    assert info.entry_points == ("a = a:main",)
    assert [entry.path for entry in info.paths] == ["site-packages/a.py"]
    assert info.index == read_index(archive)
    assert (info.index.noarch, info.index.timestamp, info.index.license) == ("python", 7, None)


def test_an_index_says_what_it_says() -> None:
    deprecated = {"arch": "x86_64", "platform": "linux", "features": "mkl", "license_family": "BSD"}
    stated = INDEX | deprecated | {"track_features": "mkl, nomkl", "noarch": True, "license": 5}
    assert parse_index(json.dumps(stated).encode()) == IndexJson(
        name="a", version="1", build="0", noarch="generic", track_features=("mkl", "nomkl"),
        arch="x86_64", platform="linux", features="mkl", license_family="BSD",
    )  # fmt: skip


@pytest.mark.parametrize("value", [[], {}, INDEX | {"depends": 5}, INDEX | {"depends": [None]}], ids=str)
def test_an_index_that_breaks_the_format_raises(value: object) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        parse_index(json.dumps(value).encode())


def test_a_path_entry_has_a_mode_only_with_a_placeholder() -> None:
    entries = [
        {"_path": "a", "file_mode": "text"},
        {"_path": "b", "prefix_placeholder": "/opt", "no_link": True},
    ]
    assert parse_paths(json.dumps({"paths": entries}).encode()) == (
        PathEntry(path="a"),
        PathEntry(path="b", placeholder="/opt", file_mode="text", no_link=True),
    )


@pytest.mark.parametrize(
    "entry",
    [
        {"_path": 5},
        {"_path": "a", "sha256": 5},
        {"_path": "a", "size_in_bytes": "5"},
        {"_path": "a", "path_type": "socket"},
        {"_path": "a", "prefix_placeholder": "/opt", "file_mode": "none"},
        {"_path": "a", "prefix_placeholder": 5},
        {"_path": "a", "prefix_placeholder": "/\ud800"},
    ],
    ids=ascii,
)
def test_a_path_entry_that_breaks_the_format_raises(entry: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError), match=r"info/paths\.json"):
        parse_paths(json.dumps({"paths": [entry]}).encode())


def test_a_package_without_link_json_has_no_entry_points() -> None:
    assert parse_entry_points(None) == ()
    assert parse_entry_points(b'{"noarch": {"type": "generic"}}') == ()

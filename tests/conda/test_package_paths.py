"""Lists of files of every age: ``paths.json``, and ``files`` with ``has_prefix`` before it."""

import io
import json
import tarfile
from pathlib import Path

import pytest
from rattler import PathsJson

from cuvee.channel.inspection.inspect_archive import inspect_archive
from cuvee.conda.package_info import read_info
from cuvee.conda.package_paths import DEFAULT_PLACEHOLDER, PathEntry, listed_paths
from cuvee.errors import IntegrityError
from cuvee.image.archive_members import read_members
from cuvee.image.spool import Spool
from hand_made_archives import INDEX, other, regular

FILES = b"bin/tool\nbin/a b\r\nlib/x.so\n\n# written by conda-build\nlib/link\nlib/hard\netc/kept\n"
HAS_PREFIX = (
    b"bin/tool\n"
    b'"/old path/prefix" text "bin/a b"\n'
    b'/opt/placehold binary lib/x.so\n'
)  # fmt: skip
LISTS = {"files": FILES, "has_prefix": HAS_PREFIX, "no_link": b"etc/kept\n", "no_softlink": b"lib/x.so\n"}


def old(folder: Path, lists: dict[str, bytes]) -> Path:
    """Write a package as conda-build did in 2014."""
    members = [
        regular("info/index.json", json.dumps(INDEX).encode()),
        *(regular(f"info/{name}", data) for name, data in lists.items()),
        *(regular(name, name.encode()) for name in ("bin/tool", "bin/a b", "lib/x.so", "etc/kept")),
        other("lib/link", tarfile.SYMTYPE, "x.so"),
        other("lib/hard", tarfile.LNKTYPE, "./lib/x.so"),
    ]
    target = folder / "odd-1.0-0.tar.bz2"
    with tarfile.open(target, "w:bz2") as tar:
        for item, content in members:
            tar.addfile(item, io.BytesIO(content))
    return target


def test_the_older_lists_are_read_as_rattler_reads_them(tmp_path: Path) -> None:
    archive = old(tmp_path, LISTS)
    unpacked = tmp_path / "unpacked"
    with tarfile.open(archive) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(unpacked)  # noqa: S202 - our own
    text = FILES.replace(b"\r", b"").replace(b"# written by conda-build\n", b"").replace(b"\n\n", b"\n")
    (unpacked / "info/files").write_bytes(text)
    expected = {
        str(entry.relative_path): (
            "softlink" if entry.path_type.softlink else "hardlink",
            entry.prefix_placeholder.placeholder if entry.prefix_placeholder else None,
        )
        for entry in PathsJson.from_deprecated_package_directory(unpacked).paths
    }
    found = read_info(archive).paths
    assert {entry.path: (entry.path_type, entry.placeholder) for entry in found} == expected
    modes = {entry.path: entry.file_mode for entry in found if entry.placeholder}
    assert modes == {"bin/tool": "text", "bin/a b": "text", "lib/x.so": "binary"}
    assert {entry.path for entry in found if entry.no_link} == {"etc/kept", "lib/x.so"}


def test_a_package_without_paths_json_is_whole(tmp_path: Path) -> None:
    archive = old(tmp_path, LISTS)
    contents = inspect_archive(archive)
    assert not contents.problems
    assert {file.path: file.placeholder for file in contents.files if file.placeholder} == {
        "bin/tool": DEFAULT_PLACEHOLDER,
        "bin/a b": "/old path/prefix",
        "lib/x.so": "/opt/placehold",
    }
    with Spool(tmp_path / "cache") as spool:
        members = {member.path: member for member in read_members(read_info(archive), spool)}
        assert members["lib/hard"].data.read() == b"lib/x.so"
        assert members["lib/link"].link_target == "x.so"


def test_the_older_lists_are_held_against_the_archive(tmp_path: Path) -> None:
    contents = inspect_archive(
        old(tmp_path, LISTS | {"files": b"bin/tool\nbin/a b\nlib/x.so\nlib/link\ngone\n"})
    )
    assert contents.problems == (
        "it holds etc/kept, which its info/files does not list",
        "it holds lib/hard, which its info/files does not list",
        "it lacks gone, which its info/files lists",
    )


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({}, "neither info/paths.json nor info/files"),
        ({"files": b"a\na\n"}, "lists a path twice in info/files"),
        ({"files": b"../a\n"}, "path that is not allowed"),
        ({"files": b"a\n", "has_prefix": b"/x odd a\n"}, "unknown mode 'odd'"),
    ],
)
def test_what_the_older_lists_cannot_say(lists: dict[str, bytes], message: str, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match=message):
        read_info(old(tmp_path, lists))


def test_lines_of_has_prefix() -> None:
    lines = b"it's\nC:\\bld\\_h_env text Lib/a.py\n'/a b' 'binary' 'x'\na file\n"
    info = {"files": b"it's\nLib/a.py\nx\na file\n", "has_prefix": lines}
    assert listed_paths(info, {}) == (
        PathEntry(path="it's", placeholder=DEFAULT_PLACEHOLDER, file_mode="text"),
        PathEntry(path="Lib/a.py", placeholder="C:\\bld\\_h_env", file_mode="text"),
        PathEntry(path="x", placeholder="/a b", file_mode="binary"),
        PathEntry(path="a file", placeholder=DEFAULT_PLACEHOLDER, file_mode="text"),
    )

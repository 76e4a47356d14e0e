"""Reading an archive: what is in it, what is amiss in it, and what cannot be read at all."""

import sys
import tarfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuvee.channel.inspection import ArchiveContents, ArchivedFile
from cuvee.channel.inspection import inspect_archive as module
from cuvee.channel.inspection.binary_reader import read_binary
from cuvee.channel.inspection.inspect_archive import inspect_archive
from cuvee.channel.inspection.model import Binary, Format
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.conda.package_archive import archive_hashes
from cuvee.errors import IntegrityError
from cuvee.files import sha256_bytes
from hand_made_archives import INDEX, entry, old_package, other, regular

CONTENT = PackageContent(
    name="good",
    version="1.2",
    build="py_3",
    build_number=3,
    subdir="noarch",
    noarch="python",
    depends=("python >=3.11",),
    constrains=("other <2",),
    timestamp=1_700_000_000_000,
    license="MIT",
    entry_points=("run = good:main",),
    files=(
        PackageFile(path="site-packages/good.py", content=b"import sys\n"),
        PackageFile(path="etc/good.conf", content=b"/long/prefix/x", placeholder="/long/prefix"),
        PackageFile(path="etc/link.conf", content=b"", link_target="good.conf"),
    ),
)


def test_a_package_is_read_whole(tmp_path: Path) -> None:
    path = write_package(CONTENT, tmp_path)
    facts = inspect_archive(path)
    assert (facts.sha256, facts.md5, facts.size) == archive_hashes(path)
    assert not facts.problems
    assert not facts.binaries
    assert facts.entry_points == ("run = good:main",)
    assert facts.files == (
        ArchivedFile(
            path="etc/good.conf",
            sha256=sha256_bytes(b"/long/prefix/x"),
            size=14,
            placeholder="/long/prefix",
        ),
        ArchivedFile(path="etc/link.conf", file_type="softlink", link_target="good.conf"),
        ArchivedFile(path="site-packages/good.py", sha256=sha256_bytes(b"import sys\n"), size=11),
    )
    index = facts.index
    assert (index.name, index.version, index.build, index.build_number) == ("good", "1.2", "py_3", 3)
    assert (index.depends, index.constrains, index.license) == (("python >=3.11",), ("other <2",), "MIT")
    assert (index.noarch, index.subdir, index.timestamp) == ("python", "noarch", 1_700_000_000_000)


def test_both_formats_give_the_same(tmp_path: Path) -> None:
    old = old_package(
        tmp_path,
        [
            regular("bin/x"),
            regular("info/about.json"),
            other("bin/y", tarfile.SYMTYPE, "x"),
            other("bin/z", tarfile.LNKTYPE, "bin/x"),
        ],
        [entry("bin/x"), entry("bin/y", path_type="softlink"), entry("bin/z")],
    )
    content = PackageContent(
        name="odd",
        version="1.0",
        build="0",
        subdir="linux-64",
        timestamp=0,
        files=(
            PackageFile(path="bin/x", content=b"x"),
            PackageFile(path="bin/y", content=b"", link_target="x"),
            PackageFile(path="bin/z", content=b"x"),
        ),
    )
    new = inspect_archive(write_package(content, tmp_path))
    found = inspect_archive(old)
    assert found.files == new.files
    assert found.problems == new.problems == ()
    assert replace(found.index, timestamp=0, arch="x86_64", platform="linux") == new.index


@pytest.mark.parametrize(
    ("members", "paths", "problem"),
    [
        ([], [entry("gone")], "it lacks gone, which its info/paths.json lists"),
        ([regular("more")], [], "it holds more, which its info/paths.json does not list"),
        ([regular("x", b"y")], [entry("x")], "x has another SHA-256 than its info/paths.json says"),
        ([regular("x")], [entry("x", size_in_bytes=9)], "x has another size than its info/paths.json says"),
        ([regular("x"), regular("x")], [entry("x")], "it holds x twice"),
        ([regular("x")], [entry("x"), entry("x")], "info/paths.json lists x twice"),
        ([regular("x")], None, "it has neither info/paths.json nor info/files, which list its files"),
        ([regular("../x")], [entry("../x")], "it holds the path '../x', which no package may"),
        ([regular("/etc/x")], [entry("/etc/x")], "it holds the path '/etc/x', which no package may"),
        ([regular("a\x1b[2J")], [entry("a\x1b[2J")], r"it holds the path 'a\\x1b[2J', which no package may"),
        ([regular("C:x")], [entry("C:x")], "it holds the path 'C:x', which no package may"),
        ([other("x", tarfile.FIFOTYPE)], [entry("x")], "it holds x, which is not a file, folder or link"),
        ([other("x", tarfile.CHRTYPE)], [entry("x")], "it holds x, which is not a file, folder or link"),
        (
            [other("x", tarfile.LNKTYPE, "y")],
            [entry("x")],
            "it links x to a file that comes later or not at all",
        ),
        (
            [other("x", tarfile.SYMTYPE, "y")],
            [entry("x")],
            "x is a softlink, not what its info/paths.json says",
        ),
        (
            [regular("x")],
            [entry("x", path_type="softlink")],
            "x is a hardlink, not what its info/paths.json says",
        ),
    ],
)
def test_what_is_amiss_inside_is_a_fact(
    tmp_path: Path, members: list[Any], paths: list[dict[str, Any]] | None, problem: str
) -> None:
    assert problem in inspect_archive(old_package(tmp_path, members, paths)).problems


def test_folders_are_kept_if_they_are_listed(tmp_path: Path) -> None:
    folder = other("empty", tarfile.DIRTYPE)
    facts = inspect_archive(old_package(tmp_path, [folder], [entry("empty", path_type="directory")]))
    assert (facts.files, facts.problems) == ((ArchivedFile(path="empty", file_type="directory"),), ())


def test_no_more_problems_are_kept_than_anybody_reads(tmp_path: Path) -> None:
    facts = inspect_archive(old_package(tmp_path, [], [entry(f"x{number}") for number in range(60)]))
    assert (len(facts.problems), facts.problems[-1]) == (51, "and 10 more")


@pytest.mark.parametrize(
    "index",
    [
        [],
        {},
        {"name": "x"},
        INDEX | {"depends": 5},
        INDEX | {"depends": [None]},
        "text",
    ],
    ids=str,
)
def test_metadata_that_breaks_the_format_can_not_be_read(tmp_path: Path, index: Any) -> None:
    with pytest.raises(IntegrityError, match=r"^odd-1\.0-0\.tar\.bz2 cannot be read as a conda package"):
        inspect_archive(old_package(tmp_path, [], [], index=index))


@pytest.mark.parametrize("paths", [[{}], [{"_path": 5}], [[]]], ids=str)
def test_paths_that_break_the_format_can_not_be_read(tmp_path: Path, paths: Any) -> None:
    with pytest.raises(IntegrityError):
        inspect_archive(old_package(tmp_path, [], paths))


def test_metadata_nested_too_deeply_can_not_be_read(tmp_path: Path) -> None:
    deep = regular("info/link.json", b"[" * 100_000)
    with pytest.raises(IntegrityError):
        inspect_archive(old_package(tmp_path, [deep], []))


def test_a_bomb_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = old_package(tmp_path, [regular("zeros", bytes(100_000))], [entry("zeros", bytes(100_000))])
    assert inspect_archive(bomb).problems == ()
    monkeypatch.setattr(module, "UNPACKED_LIMIT", 99_999)
    with pytest.raises(IntegrityError, match="more than any package may"):
        inspect_archive(bomb)


def test_a_crowd_of_files_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FILES_LIMIT", 3)
    crowd = old_package(tmp_path, [regular(f"x{number}") for number in range(6)], [])
    with pytest.raises(IntegrityError, match="more than any package may"):
        inspect_archive(crowd)


def test_a_binary_that_is_too_large_is_only_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BINARY_LIMIT", 10)
    content = b"\x7fELF" + bytes(20)
    facts = inspect_archive(
        old_package(tmp_path, [regular("lib/x.so", content)], [entry("lib/x.so", content)])
    )
    (binary,) = facts.binaries
    assert binary.problem == "it is larger than the 10 bytes that are parsed"
    assert facts.files[0].sha256 == sha256_bytes(content)


def test_a_large_binary_is_looked_into_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Path(sys.executable).read_bytes()
    contents = {"bin/own": own, "lib/cut.so": own[:2000], "lib/none.dylib": b"\xcf\xfa\xed\xfe" + bytes(20)}
    members = [regular(path, content) for path, content in contents.items()]
    entries = [entry(path, content) for path, content in contents.items()]
    old = old_package(tmp_path, members, entries)
    in_memory = inspect_archive(old)
    monkeypatch.setattr(module, "LARGE_BINARY", 0)
    seen = []

    def spy(path: str, kind: Format, content: bytes | Path) -> tuple[Binary, ...]:
        assert isinstance(content, Path)
        seen.append(content)
        return read_binary(path, kind, content)

    monkeypatch.setattr(module, "read_binary", spy)
    assert inspect_archive(old) == in_memory
    assert len(seen) == len(contents)
    assert not any(path.parent.exists() for path in seen), "nothing is left on disk"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    folder = tmp_path_factory.mktemp("both")
    new = write_package(CONTENT, folder)
    old = old_package(folder, [regular("bin/x", b"\x7fELF")], [entry("bin/x", b"\x7fELF")])
    return new.read_bytes(), old.read_bytes()


@given(data=st.data())
@settings(max_examples=150)
def test_damage_is_told_or_does_not_matter(
    tmp_path: Path, both: tuple[bytes, bytes], data: st.DataObject
) -> None:
    which = data.draw(st.integers(0, 1))
    damaged = bytearray(both[which])
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    path = tmp_path / ("damaged.conda", "damaged.tar.bz2")[which]
    path.write_bytes(bytes(damaged) if data.draw(st.booleans()) else bytes(damaged[:cut]))
    with suppress(IntegrityError):
        assert isinstance(inspect_archive(path), ArchiveContents)


def test_python_distributions_are_found_by_their_metadata(tmp_path: Path) -> None:
    texts = {
        "site-packages/typing_extensions-4.dist-info/METADATA": "Name: Typing.Extensions\nVersion: 4\n",
        "lib/python3.11/site-packages/old-1.0.egg-info/PKG-INFO": "Version: 1.0\nName: old\n\nName: x\n",
        "Lib/site-packages/older.egg-info": "Name: older\nVersion: 1\n"
        "Project-URL: Changes, https://example.org/changes\n\nProject-URL: Docs, https://example.org\n",
        "site-packages/nameless-1.0.dist-info/METADATA": "Version: 1.0\n",
        "site-packages/setuptools/_vendor/six-1.0.dist-info/METADATA": "Name: six\nVersion: 1.0\n",
        "share/doc/METADATA": "Name: doc\nVersion: 1.0\n",
    }
    files = tuple(PackageFile(path=path, content=text.encode()) for path, text in texts.items())
    facts = inspect_archive(write_package(replace(CONTENT, files=files), tmp_path))
    assert [(item.name, item.version) for item in facts.distributions] == [
        ("older", "1"),
        ("old", "1.0"),
        ("typing-extensions", "4"),
    ]
    assert [[link.url for link in item.links] for item in facts.distributions] == [
        ["https://example.org/changes"], [], [],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("extra", "lines"),
    [
        (
            {"cuvee": {"irregularities": ["RECORD lists x", "a\x1bb"]}},
            ("RECORD lists x", "a\\x1bb"),
        ),
        ({"cuvee": {"irregularities": "text"}}, ()),
        ({"cuvee": []}, ()),
        ({}, ()),
    ],
)
def test_what_a_wheel_broke_is_read(tmp_path: Path, extra: dict[str, Any], lines: tuple[str, ...]) -> None:
    path = write_package(replace(CONTENT, extra=extra), tmp_path)
    assert inspect_archive(path).irregularities == lines

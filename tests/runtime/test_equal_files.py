"""Which release files are shared with, and which of its files are taken."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cuvee.runtime import equal_files, expected_file, neighbours
from cuvee.runtime.failure import USAGE, InstallError
from cuvee.runtime.hashing import sha256
from cuvee.runtime.installer_run import InstallerRun
from cuvee.runtime.payload_manifest import (
    Frame,
    PayloadFile,
    PayloadManifest,
    PayloadPackage,
    PayloadSettings,
)
from cuvee.runtime.prefix_writer import PrefixWriter
from needed_programs import need_root

DATA = {"lib/a": b"first", "lib/b": b"second", "top": b"third"}
LATER = 10_000_000_000


def manifest(*names: str) -> PayloadManifest:
    files = [PayloadFile(path, 0o664, 0, len(data), "plain", sha256(data)) for path, data in DATA.items()]
    return PayloadManifest(
        distribution="tiny",
        version="2",
        title="Tiny",
        platform="linux-64",
        interpreter="bin/python",
        raw_size=0,
        source_time=0,
        prefix_limit=None,
        requested=[],
        folders=["lib"],
        stage0=[],
        stage0_sha256="",
        key=None,
        settings=PayloadSettings("", "", "", {}, None, keep_installer=False),
        packages=[PayloadPackage(name, "1", "0", "noarch", "", [], []) for name in names],
        extras=[Frame(0, 0, sum(map(len, DATA.values())), "", files)],
        records=[],
    )


def run(prefix: Path, *options: str) -> InstallerRun:
    return InstallerRun(
        "install", "x.sh", "", str(prefix), str(prefix.parent), "-", 0, 0, 0, "", frozenset(options)
    )


def a_release(prefix: Path, *names: str) -> Path:
    (prefix / "conda-meta/cuvee").mkdir(parents=True)
    marker = {"distribution": "tiny", "packages": [f"{name}-1-0" for name in names]}
    (prefix / "conda-meta/cuvee/release.json").write_text(json.dumps(marker))
    return prefix


def test_the_release_beside_it_with_the_most_packages_in_common(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mounts"
    monkeypatch.setattr(neighbours, "_MOUNTS", str(mounts))
    mounts.write_text(f"server {tmp_path}/r/on\\040a\\134server nfs rw 0 0\n")
    ours, new = manifest("a", "b", "c"), tmp_path / "r" / "new"
    assert neighbours.find_other(run(new), ours) == ""
    a_release(tmp_path / "r" / "other", "x", "y")
    assert neighbours.find_other(run(new), ours) == ""
    one = a_release(tmp_path / "r" / "one", "a")
    two = a_release(tmp_path / "r" / "two", "a", "b", "x")
    for name in (".hidden", "new", "on a\\server", "writable"):
        a_release(tmp_path / "r" / name, "a", "b", "c")
    (tmp_path / "r" / "writable").chmod(0o777)
    a_release(tmp_path / "elsewhere", "a", "b", "c")
    (tmp_path / "r" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "r" / "damaged").mkdir()
    assert neighbours.find_other(run(new), ours) == str(two)
    assert neighbours.find_other(run(new, "--share"), ours) == str(two)
    assert neighbours.find_other(run(new, f"--share={one}"), ours) == str(one)
    link = tmp_path / "r" / "link"
    assert neighbours.find_other(run(new, f"--share={link}"), ours) == str(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("name", "message", "code"),
    [
        ("nothing", "There is no release in", USAGE),
        ("new", "must name another prefix", USAGE),
        ("writable", "all may write there", 1),
    ],
)
def test_one_that_is_named_must_be_one(tmp_path: Path, name: str, message: str, code: int) -> None:
    for prefix in ("new", "writable"):
        a_release(tmp_path / prefix, "a")
    (tmp_path / "writable").chmod(0o757)
    with pytest.raises(InstallError, match=message) as caught:
        neighbours.find_other(run(tmp_path / "new", f"--share={tmp_path / name}"), manifest("a"))
    assert caught.value.code == code


def test_nothing_is_taken_from_another_user(tmp_path: Path) -> None:
    need_root("to give a release to another user")
    other = a_release(tmp_path / "other", "a")
    os.chown(other, 65534, 65534)
    assert neighbours.find_other(run(tmp_path / "new"), manifest("a")) == ""
    with pytest.raises(InstallError, match="another user's"):
        neighbours.find_other(run(tmp_path / "new", f"--share={other}"), manifest("a"))


class Pair:
    """Another release with all files, and a new prefix without any."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.other, self.new = folder / "other", folder / "new"
        self._patch = monkeypatch
        for path, data in DATA.items():
            (self.other / path).parent.mkdir(exist_ok=True, parents=True)
            (self.other / path).write_bytes(data)
        (self.new / "lib").mkdir(parents=True)
        self.writer = PrefixWriter(str(self.new), str(self.new), manifest())

    def take(
        self, *, link: bool = False, settled: bool = True, on_clone: Callable[[int, int], None] | None = None
    ) -> set[str]:
        """Take what is good. `time_ns` says that all files were changed long ago, or just now."""
        now = max(path.stat().st_ctime_ns for path in self.other.rglob("*"))
        self._patch.setattr("time.time_ns", lambda: now + (LATER if settled else 0))
        self._patch.setattr(equal_files, "_ioctl_clone", on_clone or copied)
        taken = equal_files._Taking(str(self.other), self.writer, link=link).take_all()
        left = {str(path.relative_to(self.new)) for path in self.new.rglob("*") if not path.is_dir()}
        assert left == set(taken)
        assert all((self.new / path).read_bytes() == DATA[path] for path in left)
        return left


def copied(made: int, old: int) -> None:
    os.pwrite(made, os.pread(old, 1000, 0), 0)


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    return Pair(tmp_path, monkeypatch)


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize("settled", [False, True])
def test_what_has_other_bytes_is_not_taken(pair: Pair, *, link: bool, settled: bool) -> None:
    (pair.other / "lib/a").write_bytes(b"FIRST")
    assert pair.take(link=link, settled=settled) == {"lib/b", "top"}
    assert (pair.other / "lib/a").read_bytes() == b"FIRST"


@pytest.mark.parametrize("link", [False, True])
def test_nor_what_is_no_file_or_behind_a_link(pair: Pair, *, link: bool) -> None:
    (pair.other / "top").unlink()
    os.mkfifo(pair.other / "top")
    (pair.other / "lib").rename(pair.other.parent / "lib")
    (pair.other / "lib").symlink_to(pair.other.parent / "lib")
    assert pair.take(link=link) == set()


@pytest.mark.parametrize("link", [False, True])
def test_nor_what_others_may_change(pair: Pair, *, link: bool) -> None:
    need_root("to give files to another user")
    os.chown(pair.other / "lib/a", 65534, -1)
    (pair.other / "lib/b").chmod(0o666)
    assert pair.take(link=link) == {"top"}


def test_a_link_has_the_right_mode_owner_and_time(pair: Pair) -> None:
    before = (pair.other / "lib/a").stat()
    (pair.other / "lib/b").chmod(0o600)
    assert pair.take(link=True) == {"lib/a", "top"}
    assert os.path.samestat(before, (pair.new / "lib/a").stat())
    assert before.st_ctime_ns != (pair.other / "lib/a").stat().st_ctime_ns


def test_what_is_changed_while_it_is_cloned(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:

    def change(handle: int, expected: expected_file.ExpectedFile) -> bool:
        found = expected_file.has_bytes(handle, expected)
        if expected.size == len(DATA["top"]) and expected.pieces[0][2] == sha256(DATA["top"]):
            (pair.other / "top").write_bytes(b"THIRD")
        return found

    monkeypatch.setattr(equal_files, "has_bytes", change)
    assert pair.take() == {"lib/a", "lib/b"}


def test_a_clone_is_read_itself_if_the_file_is_new(pair: Pair) -> None:
    def wrong(made: int, _: int) -> None:
        os.pwrite(made, b"12345", 0)

    assert pair.take(settled=False, on_clone=wrong) == set()


def test_where_the_file_system_clones_nothing(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(made: int, old: int) -> None:
        asked.append((made, old))
        raise OSError

    a_release(pair.other)
    monkeypatch.setattr(equal_files, "_ioctl_clone", refuse)
    new, other = run(pair.new), str(pair.other)
    assert equal_files.share_files(new, pair.writer, other, link=True) == ([], {})
    assert len(asked) == 1
    found = equal_files.share_files(run(pair.new, "--share"), pair.writer, other, link=False)
    assert "post_install might write into them" in found.lines[0]
    assert pair.writer.taken == set()
    found = equal_files.share_files(run(pair.new, "--share"), pair.writer, other, link=True)
    assert found.lines[0].startswith(f"3 files (0.0 MB) share their space on the disk with {other}. They are")
    assert pair.writer.taken == set(DATA)
    assert pair.writer.left(pair.writer.manifest.frames()) == []
    assert pair.writer.bytes_to_write([*pair.writer.manifest.frames(), *pair.writer.manifest.records]) == 0

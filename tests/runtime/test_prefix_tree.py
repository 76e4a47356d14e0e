"""Files below a folder are reached without following a link in any part of their path."""

import errno
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cuvee.runtime import file_operations, prefix_state
from cuvee.runtime.failure import InstallError
from cuvee.runtime.prefix_state import KEPT, LOGS, MARKER, STATE, PrefixState, read_state, write_state
from cuvee.runtime.prefix_tree import PrefixTree, is_inside, is_link

STATE_OF_A_PREFIX = PrefixState("/p", "", [0o22], 1, {}, {})


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """Return a prefix whose folder ``a/link`` leads out of it, to a folder with ``victim``."""
    prefix = tmp_path / "prefix"
    (prefix / "a" / "real").mkdir(parents=True)
    (prefix / "a" / "real" / "file").write_text("mine")
    (prefix / KEPT).mkdir(parents=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "victim").write_text("theirs")
    (prefix / "a" / "link").symlink_to("../../out")
    (prefix / "a" / "leaf").symlink_to("../../out/victim")
    return prefix


ACTIONS: dict[str, Callable[[PrefixTree, Path, str], Any]] = {
    "read": lambda tree, _, path: tree.read(path),
    "append": lambda tree, _, path: tree.append(path, b"x"),
    "write": lambda tree, _, path: tree.write(path, b"x"),
    "unlink": lambda tree, _, path: tree.unlink(path),
    "unlink_all": lambda tree, _, path: tree.unlink_all(*path.rsplit("/", 1)),
    "put": lambda tree, prefix, path: tree.put(str(prefix / "a" / "real" / "file"), path),
    "rmdir": lambda tree, _, path: tree.rmdir(path),
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("path", ["a/link/victim", "a/link/new/victim", "a/link/.."])
def test_nothing_is_done_through_a_link(action: str, path: str, prefix: Path) -> None:
    before = {path: path.lstat().st_mtime_ns for path in prefix.parent.rglob("*")}
    with pytest.raises((NotADirectoryError, ValueError)):
        ACTIONS[action](PrefixTree(str(prefix)), prefix, path)
    assert {path: path.lstat().st_mtime_ns for path in prefix.parent.rglob("*")} == before


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("path", ["../out/victim", "/etc/passwd", "a//real/file", "a/./real/file", "a\0b/x"])
def test_paths_that_are_not_below_the_prefix(action: str, path: str, prefix: Path) -> None:
    with pytest.raises(ValueError, match="is not a path below"):
        ACTIONS[action](PrefixTree(str(prefix)), prefix, path)


def test_a_link_itself_is_no_file(prefix: Path) -> None:
    tree = PrefixTree(str(prefix))
    for action in (tree.read, lambda path: tree.append(path, b"x")):
        with pytest.raises(OSError, match="symbolic"):
            action("a/leaf")
    tree.write("a/leaf", b"new")
    assert not (prefix / "a" / "leaf").is_symlink()
    tree.unlink("a/link")
    assert (prefix.parent / "out" / "victim").read_text() == "theirs"


def test_pipes_do_not_make_it_wait(prefix: Path) -> None:
    os.mkfifo(prefix / "pipe")
    with pytest.raises(OSError, match="not a file"):
        PrefixTree(str(prefix)).read("pipe")
    with pytest.raises(OSError, match="No such device"):
        PrefixTree(str(prefix)).append("pipe", b"")


def test_what_is_in_the_way(prefix: Path) -> None:
    tree = PrefixTree(str(prefix))
    expected = {
        "a/link/x": "a/link", "a/real/file/x": "a/real/file", "a/real": "a/real", "a/leaf": "", "new/x": "",
        "a/real/file": "", "a/leaf/x": "a/leaf", "a/link": "",
    }  # fmt: skip
    assert {path: tree.in_the_way(path) for path in expected} == expected


def test_files_are_brought_around_links(prefix: Path) -> None:
    """Neither a source nor a target is followed; what has no place there is saved."""
    other = prefix.parent / "other"
    (other / "a").mkdir(parents=True)
    (other / "a" / "real").symlink_to("../../out")
    assert file_operations.carry(str(prefix), str(other), ["a/real/file", "a/leaf"]) == ["a/real/file"]
    assert (other / "a" / "leaf").readlink() == Path("../../out/victim")
    saved = file_operations.save(str(prefix), str(other), ["a/real/file"], "1")
    assert (other / saved[0]).read_text() == "mine"
    (prefix / "cuvee-saved").symlink_to("../out")
    with pytest.raises(InstallError, match="cuvee-saved is a link"):
        file_operations.save(str(prefix), str(prefix), ["a/real/file"], "1")
    file_operations.remove_tree(str(other))
    file_operations.remove_tree(str(prefix))
    assert [path.name for path in prefix.parent.rglob("*")] == ["out", "victim"]


@pytest.mark.parametrize("kind", ["late", "own", "links", "gone"])
@pytest.mark.parametrize("path", ["../out/victim", "/etc/passwd", "a/../../x", "", "."])
def test_a_state_names_no_file_outside(kind: str, path: str, prefix: Path) -> None:
    values = {"late": ("0", 1), "own": (0o644, "0", 1), "links": "x"}
    (prefix / MARKER).write_text(json.dumps({"distribution": "tiny"}))
    value: Any = [path] if kind == "gone" else {path: values[kind]}
    write_state(str(prefix), STATE_OF_A_PREFIX._replace(**{kind: value}))
    with pytest.raises(ValueError, match="outside the prefix"):
        read_state(str(prefix))
    with pytest.raises(InstallError, match="has lost the list of its files"):
        prefix_state.load(str(prefix))


def test_a_state_may_name_what_the_system_allows(prefix: Path) -> None:
    own = dict.fromkeys(("share/man/man3/File::Temp.3", "a b\n", "\\", "..x", "caf\udce9"), (0o644, "0", 1))
    write_state(str(prefix), STATE_OF_A_PREFIX._replace(own=own))
    assert read_state(str(prefix)).own == own


@pytest.mark.parametrize(
    "change",
    [{"late": []}, {"own": {"x": 1}}, {"masks": []}, {"masks": ["x"]}, {"outside": [1, [], []]}, {"gone": 1},
     {"late": {"x": 1}}, {"outside": [[], [], [], []]}, {"new": 1}],
    ids=str,
)  # fmt: skip
def test_a_state_of_another_shape(change: dict[str, Any], prefix: Path) -> None:
    (prefix / MARKER).write_text(json.dumps({"distribution": "tiny"}))
    (prefix / STATE).write_text(json.dumps(STATE_OF_A_PREFIX._asdict() | change))
    with pytest.raises(InstallError, match="has lost the list of its files"):
        prefix_state.load(str(prefix))


def test_a_state_is_not_written_through_links(prefix: Path) -> None:
    victim = prefix.parent / "out" / "victim"
    for path in (STATE, f"{STATE}.new", LOGS[0]):
        (prefix / path).symlink_to(victim)
    write_state(str(prefix), STATE_OF_A_PREFIX)
    assert victim.read_text() == "theirs"
    assert not (prefix / STATE).is_symlink()


def test_windows_links_are_junctions_too(monkeypatch: pytest.MonkeyPatch, prefix: Path) -> None:
    """A junction is a folder to Python 3.11, and a file that is only in a cloud is no link."""
    folder, tags = stat.S_IFDIR | 0o755, {"junction": 0xA0000003, "cloud": 0x9000001A, "plain": 0}
    found = {name: SimpleNamespace(st_mode=folder, st_reparse_tag=tag) for name, tag in tags.items()}
    assert [name for name, one in found.items() if is_link(cast("os.stat_result", one))] == ["junction"]
    monkeypatch.setattr(os, "name", "nt")
    assert not is_inside("a:b")
    assert not is_inside("a\\b")
    assert not is_inside("a/.. /b")
    assert is_inside("Lib/site-packages/x.py")
    tree = PrefixTree(str(prefix))
    assert tree.read("a/real/file") == b"mine"
    for action in ACTIONS.values():
        with pytest.raises(NotADirectoryError, match="It is a link"):
            action(tree, prefix, "a/link/victim")


def test_what_cannot_be_written_whole_leaves_nothing(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        PrefixTree(str(prefix)).write("a/real/file", b"new")
    assert [path.name for path in (prefix / "a" / "real").iterdir()] == ["file"]
    assert (prefix / "a" / "real" / "file").read_text() == "mine"

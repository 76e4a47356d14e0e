"""A removal is done, or nothing has changed."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuvee.runtime import crash_recovery, prefix_removal
from cuvee.runtime.failure import FAILED, InstallError
from needed_programs import HANGING, need_root, needed
from tiny_release import Release

NOBODY = 65534
real = pytest.mark.real


def snapshot(folder: Path) -> dict[str, tuple[int, int, int, int]]:
    """Return what a folder holds: inode (of files), mode and owner of each path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if not path.name.startswith("log."):  # which says that it failed
            status = path.lstat()
            inode = 0 if path.is_dir() and not path.is_symlink() else status.st_ino
            found[str(path)] = (inode, status.st_mode, status.st_uid, status.st_gid)
    return found


@pytest.fixture
def prefix(release: Release, tmp_path: Path) -> Path:
    prefix = tmp_path / "place" / "prefix"
    assert release.install("-b", "-p", prefix).ok
    return prefix


def uninstall(prefix: Path, *before: str, user: int | None = None) -> "subprocess.CompletedProcess[str]":
    argv = [*before, str(prefix / "bin" / "tiny-admin"), "uninstall"]
    return subprocess.run(
        argv, capture_output=True, text=True, timeout=HANGING, check=False, user=user, cwd="/"
    )


def assert_refused(done: "subprocess.CompletedProcess[str]", prefix: Path, culprit: Path) -> None:
    assert done.returncode == FAILED
    assert done.stderr.startswith(f"Error: {culprit} cannot be removed: ")
    assert done.stderr.endswith("Nothing was changed.\n")
    tried = subprocess.run([prefix / "bin" / "tiny-admin", "verify"], capture_output=True, check=False)
    assert tried.returncode == 0, tried


@pytest.fixture
def immutable(prefix: Path) -> Iterator[Path]:
    need_root("for the attribute immutable")
    chattr = needed("chattr")
    path = prefix / "etc" / "place.conf"
    done = subprocess.run([chattr, "+i", path], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs a file system with the attribute immutable: {done.stderr}")
    yield path
    subprocess.run([chattr, "-i", path], check=True)


@real
def test_an_immutable_file(immutable: Path, prefix: Path) -> None:
    before = snapshot(prefix.parent)
    assert_refused(uninstall(prefix), prefix, immutable)
    assert snapshot(prefix.parent) == before


@real
def test_a_folder_of_somebody_else(prefix: Path, tmp_path: Path) -> None:
    """And the release that is kept: neither is touched if one cannot go."""
    folder = prefix / "etc"
    user = None
    if os.geteuid() == 0:
        user = NOBODY
        for path in [prefix.parent, *prefix.parent.rglob("*")]:
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        os.chown(folder, 0, 0)
        for above in (tmp_path, *tmp_path.parents):
            if above.stat().st_uid == 0:
                above.chmod(above.stat().st_mode | 0o011)
    else:
        folder.chmod(0o555)
    before = snapshot(prefix.parent)
    done = uninstall(prefix, user=user)
    assert done.returncode == FAILED
    assert done.stderr.startswith(f"Error: {folder}/")
    assert snapshot(prefix.parent) == before
    folder.chmod(0o777)
    assert uninstall(prefix, user=user).returncode == 0
    assert list(prefix.parent.iterdir()) == []


@real
def test_a_mount_point(prefix: Path) -> None:
    need_root("to mount")
    target = prefix / "etc" / "place.conf"
    before = snapshot(prefix.parent)
    mount = 'mount --bind "$0" "$1" && exec "$2" uninstall'
    script = (
        "sh",
        "-c",
        mount,
        str(prefix / "bin" / "tool"),
        str(target),
        str(prefix / "bin" / "tiny-admin"),
    )
    done = subprocess.run(
        [needed("unshare"), "--mount", *script], capture_output=True, text=True, timeout=HANGING, check=False
    )
    assert done.returncode in {0, FAILED}
    if done.returncode:
        assert snapshot(prefix.parent) == before
    else:  # what is mounted there is not the release's
        assert [path.name for path in prefix.rglob("*") if path.is_file()] == ["place.conf"]


@real
def test_the_release_that_is_kept(release: Release, newer: Release, prefix: Path) -> None:
    assert newer.install("-b", "-u", "-p", prefix).ok
    kept = prefix.parent / ".prefix.cuvee-kept"
    assert kept.is_dir()
    assert uninstall(prefix).returncode == 0
    assert list(prefix.parent.iterdir()) == []


@real
def test_a_folder_that_is_a_link_now(prefix: Path, tmp_path: Path) -> None:
    working = tmp_path / "working"
    (prefix / "etc").rename(working)
    (prefix / "etc").symlink_to(working)
    files = sorted(working.rglob("*"))
    assert files
    assert uninstall(prefix).returncode == 0
    assert sorted(working.rglob("*")) == files


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    prefix = tmp_path / "prefix"
    for name in ("a/b/one", "a/b/two", "a/mine", "c/d/three", "four", "e/f/five"):
        (prefix / name).parent.mkdir(parents=True, exist_ok=True)
        (prefix / name).write_text(name)
    (prefix / "e" / "link").symlink_to("f")
    (prefix / "empty").mkdir(mode=0o500)
    (prefix / "c").chmod(0o750)
    return prefix


GONE = ["a/b/one", "a/b/two", "c/d/three", "four", "e/f/five", "e/link", "absent", "not/there"]


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("moment", range(12))
def test_everything_goes_back(
    moment: int, *, killed: bool, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused, or killed, at any step: the next start finds all where it was."""
    before, steps = snapshot(tree), 0

    def step(action: object, *paths: str) -> None:
        nonlocal steps
        steps += 1
        if steps > moment:
            raise PermissionError(1, "no", paths[0])
        action(*paths)  # type: ignore[operator]

    rename, rmdir, back = prefix_removal._rename, prefix_removal._rmdir, prefix_removal.put_back
    monkeypatch.setattr(prefix_removal, "_rename", lambda *paths: step(rename, *paths))
    monkeypatch.setattr(prefix_removal, "_rmdir", lambda *paths: step(rmdir, *paths))
    if killed:
        monkeypatch.setattr(prefix_removal, "put_back", lambda _: None)
    with pytest.raises(InstallError, match=r"Nothing was changed\."):
        prefix_removal.take_away(str(tree), str(tree), GONE)
    monkeypatch.setattr(prefix_removal, "put_back", back)
    if killed:
        crash_recovery.recover(str(tree))
    assert snapshot(tree) == before
    assert list(tree.parent.iterdir()) == [tree]


def test_what_stays(tree: Path) -> None:
    prefix_removal.take_away(str(tree), str(tree), GONE)
    assert [str(path.relative_to(tree)) for path in sorted(tree.rglob("*"))] == ["a", "a/mine"]
    prefix_removal.remove_taken(str(tree))
    shutil.rmtree(tree)
    assert list(tree.parent.iterdir()) == []


def test_killed_when_nothing_goes_back_any_more(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix_removal.take_away(str(tree), str(tree), GONE)
    monkeypatch.setattr(prefix_removal, "remove_tree", lambda _: None)
    prefix_removal.remove_taken(str(tree))
    assert len(list(tree.parent.iterdir())) == 2
    crash_recovery.recover(str(tree))
    assert [path.name for path in tree.parent.iterdir()] == ["prefix"]
    assert (tree / "a" / "mine").exists()

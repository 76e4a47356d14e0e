"""Files in a home: what was there keeps owner, group and mode, and root writes nothing anywhere else."""

import os
import stat
from pathlib import Path

import pytest

from cuvee.runtime import outside_files, shell_startup, user_files
from needed_programs import need_root

USER, GROUP, OTHER = 65534, 12345, 54321


def owned(path: Path) -> tuple[int, int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)


def line(before: bytes) -> bytes:
    return before + b"new\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the home of a user, for tests that root runs."""
    need_root()
    folder = tmp_path / "home" / "user"
    folder.mkdir(parents=True)
    os.chown(folder, USER, GROUP)
    folder.chmod(0o750)
    return folder


def test_what_is_there_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "dotfiles" / "bashrc"
    path.parent.mkdir()
    path.write_bytes(b"old\n")
    path.chmod(0o640)
    (tmp_path / ".bashrc").symlink_to("dotfiles/bashrc")
    user_files.edit(str(tmp_path / ".bashrc"), line)
    assert (tmp_path / ".bashrc").is_symlink()
    assert path.read_bytes() == b"old\nnew\n"
    assert owned(path)[2] == 0o640
    user_files.edit(str(tmp_path / ".bashrc"), lambda _: b"")
    assert not path.exists()
    assert list(path.parent.iterdir()) == []


def test_nothing_is_made_for_nothing(tmp_path: Path) -> None:
    user_files.edit(str(tmp_path / "new" / "file"), lambda before: before)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="not a regular file"):
        os.mkfifo(tmp_path / "pipe")
        user_files.edit(str(tmp_path / "pipe"), line)


def test_private_homes_stay_private(tmp_path: Path) -> None:
    for mode, made in ((0o700, 0o600), (0o755, 0o644), (0o2775, 0o644)):
        folder = tmp_path / str(mode)
        folder.mkdir()
        folder.chmod(mode)
        user_files.edit(str(folder / ".local" / "share" / "x.desktop"), line)
        assert owned(folder / ".local" / "share" / "x.desktop")[2] == made
        assert owned(folder / ".local")[2] & 0o777 == mode & 0o755


def test_in_a_home_all_is_its_owners(home: Path) -> None:
    (home / ".bashrc").write_bytes(b"old\n")
    os.chown(home / ".bashrc", USER, OTHER)
    (home / ".bashrc").chmod(0o600)
    for name in (".bashrc", ".profile", ".config/fish/config.fish"):
        user_files.edit(str(home / name), line)
    assert owned(home / ".bashrc") == (USER, OTHER, 0o600)
    assert owned(home / ".profile") == (USER, GROUP, 0o640)
    assert owned(home / ".config") == (USER, GROUP, 0o750)
    assert owned(home / ".config" / "fish") == (USER, GROUP, 0o750)
    assert owned(home / ".config" / "fish" / "config.fish") == (USER, GROUP, 0o640)
    assert sorted(path.name for path in home.iterdir()) == [".bashrc", ".config", ".profile"]


def test_a_folder_of_root_in_a_home_is_no_model(home: Path) -> None:
    (home / ".local").mkdir()
    user_files.edit(str(home / ".local" / "share" / "x.desktop"), line)
    assert owned(home / ".local")[:2] == (0, 0)
    assert owned(home / ".local" / "share") == (USER, GROUP, 0o750)
    assert owned(home / ".local" / "share" / "x.desktop") == (USER, GROUP, 0o640)


@pytest.mark.parametrize("kind", ["file", "folder", "dangling"])
def test_links_out_of_a_home_are_not_followed(kind: str, home: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"root's\n")
    link = home / (".config" if kind == "folder" else ".bashrc")
    link.symlink_to({"file": outside / "file", "folder": outside, "dangling": outside / "new"}[kind])
    with pytest.raises(ValueError, match="leads out of"):
        user_files.edit(str(link / "file" if kind == "folder" else link), line)
    assert [path.name for path in outside.iterdir()] == ["file"]
    assert (outside / "file").read_bytes() == b"root's\n"


def test_a_link_that_is_made_meanwhile_is_not_followed(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outside").mkdir()
    (home / ".config").symlink_to(tmp_path / "outside")
    (home / ".bashrc").symlink_to(tmp_path / "outside" / "file")
    monkeypatch.setattr(os.path, "realpath", str)  # as if there had been no link yet
    for name in (".config/file", ".bashrc"):
        with pytest.raises(OSError, match=r"symbolic|Not a directory"):
            user_files.edit(str(home / name), line)
    assert list((tmp_path / "outside").iterdir()) == []


def test_what_is_somebody_elses_stays(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".bashrc").write_bytes(b"theirs\n")
    (home / "theirs").mkdir()
    for name in (".bashrc", "theirs"):
        os.chown(home / name, OTHER, OTHER)
    for name in (".bashrc", "theirs/file"):
        with pytest.raises(ValueError, match="somebody else"):
            user_files.edit(str(home / name), line)
    os.chown(home / ".bashrc", 0, 0)
    with pytest.raises(ValueError, match="somebody else"):
        user_files.edit(str(home / ".bashrc"), line)
    assert (home / ".bashrc").read_bytes() == b"theirs\n"
    warnings = outside_files._each([str(home / ".bashrc")], lambda path: shell_startup.remove(path, "/x"))
    assert warnings == [f"{home}/.bashrc was left as it was: it belongs to somebody else"]


def test_failures_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no"):
        user_files.edit(str(tmp_path / "file"), line)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"

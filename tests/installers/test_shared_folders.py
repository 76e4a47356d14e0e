"""Prefixes in folders that others may write to, and environments that would lead an installer astray."""

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from cuvee import process
from cuvee.runtime import crash_recovery, file_operations, install_checks, installer_log
from cuvee.runtime.failure import InstallError
from cuvee.runtime.prefix_lock import hold
from cuvee.runtime.prefix_state import KEPT, LOGS, MARKER, is_ours, load
from cuvee.runtime.verify import verify
from needed_programs import need_root
from tiny_release import Release

DEAD = 2**22 + 1  # no process has it
NOBODY = 65534


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder like ``/tmp``."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing on this machine be ours."""
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)


def needs_root() -> None:
    need_root()


def test_what_is_ours(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shared / "mine").mkdir()
    (shared / "link").symlink_to("mine")
    (tmp_path / "link").symlink_to("shared")
    assert is_ours(str(shared / "mine"))
    assert not is_ours(str(shared / "link"))
    assert not is_ours(str(shared / "absent"))
    assert is_ours(str(tmp_path / "link"))
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert not is_ours(str(shared / "mine"))
    assert is_ours(str(shared)), "only its owner could put it there"


@pytest.mark.parametrize("kind", ["partial", "run", "old"])
def test_what_others_left_stays(kind: str, shared: Path, somebody: None) -> None:
    place = shared / f".prefix.cuvee-{DEAD}.{kind}"
    place.mkdir()
    (place / "evil").touch()
    crash_recovery.recover(str(shared / "prefix"))
    assert [path.name for path in shared.iterdir()] == [place.name]
    assert (place / "evil").exists()


@pytest.mark.parametrize("kind", ["partial", "run", "old"])
def test_links_are_not_followed(kind: str, shared: Path, tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "file").touch()
    (shared / f".prefix.cuvee-{DEAD}.{kind}").symlink_to("../victim")
    crash_recovery.recover(str(shared / "prefix"))
    file_operations.remove_tree(str(shared / f".prefix.cuvee-{DEAD}.{kind}"))
    assert (tmp_path / "victim" / "file").exists()
    assert not (shared / "prefix").is_symlink()


def test_release_of_somebody_else_is_left_alone(shared: Path, tmp_path: Path, somebody: None) -> None:
    prefix = shared / "prefix"
    (prefix / KEPT).mkdir(parents=True)
    (prefix / MARKER).write_text(json.dumps({"distribution": "tiny", "version": "1"}))
    with pytest.raises(InstallError, match="everybody may write"):
        install_checks.holds_older_release(str(prefix), "tiny", replace=True)
    (prefix / LOGS[0]).symlink_to(tmp_path / "passwd")
    installer_log.note(str(prefix), "install", 1, "no")
    assert not (tmp_path / "passwd").exists()


def test_lock_is_no_link(shared: Path, tmp_path: Path) -> None:
    (shared / ".prefix.cuvee-lock").symlink_to(tmp_path / "made")
    with pytest.raises(OSError, match="symbolic"), hold(str(shared / "prefix")):
        pass
    assert not (tmp_path / "made").exists()


def test_log_lines_are_lines(tmp_path: Path) -> None:
    (tmp_path / KEPT).mkdir(parents=True)
    installer_log.note(str(tmp_path), "install", 1, "holds A\nroot::0:0::/:\x1b[2J, not B")
    assert (tmp_path / LOGS[0]).read_text().count("\n") == 1


@pytest.mark.real
def test_others_can_not_slip_in_a_release(release: Release, shared: Path, tmp_path: Path) -> None:
    needs_root()
    prefix = shared / "prefix"
    foreign = [shared / f".prefix.cuvee-{DEAD}.old", shared / ".prefix.cuvee-kept"]
    for place in foreign:
        (place / "conda-meta").mkdir(parents=True)
        shutil.chown(place, NOBODY)
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "file").touch()
    (shared / f".prefix.cuvee-{DEAD}.partial").symlink_to(tmp_path / "victim")
    assert release.install("-b", "-p", prefix).ok
    assert prefix.stat().st_uid == 0
    for verb in ("rollback", "clean"):
        done = process.run(process.Request(argv=(str(prefix / "bin" / "tiny-admin"), verb)))
        assert verb != "rollback" or "No older release is kept" in done.stderr
    assert (tmp_path / "victim" / "file").exists()
    assert foreign[0].stat().st_uid == NOBODY
    shutil.chown(prefix, NOBODY)
    refused = release.install("-b", "-f", "-p", prefix)
    assert refused.exit_code == 1
    assert "everybody may write" in refused.stderr


@pytest.mark.real
def test_nothing_is_writable_for_everybody(release: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    argv: list[str | Path] = ["sh", "-c", 'umask 0; exec sh "$@"', "-", release.installer, "-b", "-p", prefix]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    paths = [prefix, *prefix.rglob("*")]
    assert not [path for path in paths if not path.is_symlink() and path.stat().st_mode & stat.S_IWOTH]
    assert verify(load(str(prefix))).good


@pytest.mark.real
def test_environments_that_lead_astray(release: Release, tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    evil.mkdir()
    witness = tmp_path / "it ran"
    for name in ("os.py", "sitecustomize.py", "json.py"):
        (evil / name).write_text(f"open({str(witness)!r}, 'w')\n")
    for name in ("libcrypto.so.3", "libz.so.1", "libzstd.so.1", "libffi.so.8"):
        (evil / name).write_bytes(b"no library")
    (evil / "start.sh").write_text(f": >'{witness}'\n")
    environment = {
        "CDPATH": "/", "IFS": "/-e", "TAR_OPTIONS": "--strip-components=9", "GZIP": "-v", "PS4": "$(id)",
        "LD_LIBRARY_PATH": str(evil), "PYTHONPATH": str(evil), "PYTHONHOME": str(evil),
        "PYTHONSTARTUP": str(evil / "os.py"), "TMPDIR": "-there", "HOME": str(tmp_path),
    }  # fmt: skip
    (tmp_path / "-there").mkdir()
    shutil.copy(release.installer, tmp_path / "-Tiny.sh")
    for arguments in (("--info",), ("-b", "-p", "-prefix")):
        argv = ("dash" if shutil.which("dash") else "sh", "--", "-Tiny.sh", *arguments)
        done = process.run(process.Request(argv=argv, cwd=tmp_path, environment=environment_of(environment)))
        assert (done.exit_code, done.stderr) == (0, "")
    prefix = tmp_path / "-prefix"
    argv = (str(prefix / "bin" / "tiny-admin"), "verify")
    done = process.run(process.Request(argv=argv, environment=environment_of(environment)))
    assert done.exit_code == 0, done.stdout + done.stderr
    assert not witness.exists()
    assert list((tmp_path / "-there").iterdir()) == []


def environment_of(variables: dict[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"]} | variables


@pytest.mark.real
def test_places_with_control_characters(release: Release, tmp_path: Path) -> None:
    folder = tmp_path / "two\nlines"
    folder.mkdir()
    for prefix in (str(folder / "prefix"), "prefix", "pre\nfix"):
        done = release.install("-b", "-p", prefix, cwd=folder)
        assert done.exit_code == 2
        assert "control characters" in done.stderr
    assert list(folder.iterdir()) == []

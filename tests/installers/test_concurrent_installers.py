"""Installers that share a folder: in other containers, on other machines, killed, or at work right now."""

import errno
import fcntl
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from cuvee.runtime import crash_recovery, staged_folder
from cuvee.runtime.failure import FAILED, InstallError
from cuvee.runtime.prefix_lock import hold
from cuvee.runtime.prefix_state import beside
from measuring_work import wait_until
from needed_programs import HANGING, need_root, needed
from tiny_release import Release

Word = str | Path
CONTAINER = ("unshare", "--pid", "--fork", "--kill-child")
"""Runs a program as process 1, as containers do."""


@pytest.fixture
def container() -> tuple[str, ...]:
    need_root("for a namespace of processes")
    needed("unshare")
    return CONTAINER


class SlowTar:
    """A `tar` for installers that waits until it is allowed to go on."""

    def __init__(self, folder: Path) -> None:
        self._gate = folder / "gate"
        os.mkfifo(self._gate)
        programs = folder / "programs"
        programs.mkdir()
        text = f'#!/bin/sh\nread -r line <"{self._gate}"\nexec {shutil.which("tar")} "$@"\n'
        (programs / "tar").write_text(text)
        (programs / "tar").chmod(0o755)
        self.environment = {"PATH": f"{programs}:{os.environ['PATH']}", "TMPDIR": str(folder)}

    def open(self) -> None:
        self._gate.write_text("go\n")


@pytest.fixture
def slow(tmp_path: Path) -> SlowTar:
    folder = tmp_path / "slow"
    folder.mkdir()
    return SlowTar(folder)


def start(argv: tuple[Word, ...], environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
    )


def kill(running: subprocess.Popen[bytes]) -> None:
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=HANGING)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.real
@pytest.mark.parametrize("moment", ["", "bin", "conda-meta"])
def test_killed_in_a_container(
    moment: str, release: Release, container: tuple[str, ...], tmp_path: Path
) -> None:
    """Each of them is process 1, so no such number tells the left-over from a live installer."""
    place = tmp_path / "place"
    argv: tuple[Word, ...] = (*container, "sh", release.installer, "-b", "-p", place / "prefix")
    for _ in range(2):
        running = start(argv)
        wait_until(lambda: any((path / moment).exists() for path in place.glob(".prefix.*.partial")), running)
        kill(running)
    assert not (place / "prefix").exists()
    done = subprocess.run(argv, capture_output=True, text=True, timeout=HANGING, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert names(place) == ["prefix"]


@pytest.mark.real
def test_two_containers_at_once(
    release: Release, container: tuple[str, ...], slow: SlowTar, tmp_path: Path
) -> None:
    """While the first unpacks its Python, the second installs: the first one's folder stays."""
    place = tmp_path / "place"
    argv: tuple[Word, ...] = (*container, "sh", release.installer, "-b", "-p", place / "prefix")
    first = start(argv, slow.environment)
    wait_until(lambda: any(place.glob(".prefix.*.partial/.alive.*")), first)
    (alive,) = place.glob(".prefix.*.partial/.alive.*")
    assert alive.name == f".alive.{staged_folder.host_name()}.{staged_folder.boot_id()}"
    second = subprocess.run(argv, capture_output=True, text=True, timeout=HANGING, check=False)
    assert (second.returncode, second.stderr) == (0, "")
    assert names(place) == [alive.parent.name, "prefix"]
    slow.open()
    _, errors = first.communicate(timeout=HANGING)
    assert first.returncode == FAILED
    assert errors.startswith(b"Error:")
    assert b"exists already" in errors
    assert names(place) == ["prefix"]


@pytest.mark.real
def test_the_second_says_who_works(release: Release, container: tuple[str, ...], tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    with hold(str(prefix)):
        argv: tuple[Word, ...] = (*container, "sh", release.installer, "-b", "-p", prefix)
        done = subprocess.run(argv, capture_output=True, text=True, timeout=HANGING, check=False)
    assert done.returncode == FAILED
    assert f"process {os.getpid()} on {staged_folder.host_name()}" in done.stderr
    assert done.stderr.count("\n") == 1
    assert names(tmp_path) == []


@pytest.mark.real
def test_what_only_reads_is_killed(release: Release, slow: SlowTar) -> None:
    """Starting one that reads removes what is left in the folder for temporary files, unless it is alive."""
    folder = Path(slow.environment["TMPDIR"])
    before = names(folder)
    argv = ("sh", release.installer, "--info")
    both = [start(argv, slow.environment) for _ in range(2)]
    for running in both:
        wait_until(lambda: len(list(folder.glob("cuvee-*.partial/.alive.*"))) == 2, running)
    kill(both[0])
    assert release.install("--info", environment={"TMPDIR": str(folder)}).ok
    assert names(folder) == sorted([*before, f"cuvee-{both[1].pid}.partial"])
    kill(both[1])
    assert release.install("--info", environment={"TMPDIR": str(folder)}).ok
    assert names(folder) == before


@pytest.fixture
def claimed(tmp_path: Path) -> Path:
    folder = Path(staged_folder.claim(str(tmp_path / "prefix")))
    (folder / "file").touch()
    return folder


def closed(folder: Path, name: str = "") -> Path:
    """Make a folder as an installer has left it that was killed before it had the lock."""
    folder.mkdir()
    os.mkfifo(folder / (name or f".alive.{staged_folder.host_name()}.{staged_folder.boot_id()}"))
    return folder


def test_claimed_until_settled(claimed: Path, tmp_path: Path) -> None:
    prefix = str(tmp_path / "prefix")
    assert staged_folder.is_left_over(str(claimed)) is False
    crash_recovery.recover(prefix)
    assert (claimed / "file").exists()
    crash_recovery.recover(prefix, str(claimed))
    assert names(claimed) == ["file"]
    crash_recovery.recover(prefix)
    assert names(tmp_path) == []


def test_numbers_of_processes_repeat(tmp_path: Path) -> None:
    prefix = str(tmp_path / "prefix")
    for _ in range(2):
        closed(Path(beside(prefix, f"{os.getpid()}.partial")))
        staged = Path(staged_folder.claim(prefix))
        assert staged.name == f".prefix.cuvee-{os.getpid()}-1.partial"
        (tmp_path / f".prefix.cuvee-{os.getpid()}-1.old").mkdir()
        (tmp_path / f".prefix.cuvee-{os.getpid()}-1.old" / "older").touch()
        (tmp_path / "prefix").mkdir(exist_ok=True)
        crash_recovery.recover(prefix, str(staged))
        assert names(tmp_path) == [staged.name, ".prefix.cuvee-kept", "prefix"]
        staged.rmdir()


@pytest.mark.parametrize("name", [".alive.elsewhere.0b-1", ".alive.elsewhere.", ".alive"])
def test_other_machines_are_not_judged(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = closed(tmp_path / ".prefix.cuvee-7.partial", name)
    crash_recovery.recover(str(tmp_path / "prefix"))
    assert names(left) == [name]
    assert f"{left} stays" in capsys.readouterr().err


def test_folders_of_other_users_are_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their mode is 700, so whether an installer works in there cannot be seen."""
    left = closed(tmp_path / ".prefix.cuvee-7.partial")
    listdir = os.listdir

    def refuse(path: str) -> list[str]:
        if path == str(left):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refuse)
    crash_recovery.recover(str(tmp_path / "prefix"))
    assert left.exists()
    assert f"{left} stays" in capsys.readouterr().err


def test_file_systems_without_fifos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "mkfifo", refuse)
    staged = staged_folder.claim(str(tmp_path / "prefix"))
    assert staged_folder.is_left_over(staged) is None
    staged_folder.settle_in(staged)
    assert staged_folder.is_left_over(staged) is True


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_file_systems_without_locks(
    error: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(fcntl, "flock", refuse)
    prefix = str(tmp_path / "prefix")
    with hold(prefix):
        assert "has no locks" in capsys.readouterr().err
        told = f"process {os.getpid()} on .*has no locks.*remove"
        with pytest.raises(InstallError, match=told) as caught, hold(prefix):
            pass
        assert beside(prefix, "lock") in caught.value.message
    assert names(tmp_path) == []


def test_what_the_lock_says_is_printable(tmp_path: Path) -> None:
    prefix = str(tmp_path / "prefix")
    with hold(prefix), open(beside(prefix, "lock"), "a") as stream:  # noqa: PTH123 - a path of the runtime
        stream.write("\x1b[2J\n" + "x" * 1000)
        stream.flush()
        with pytest.raises(InstallError) as caught, hold(prefix):
            pass
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 500

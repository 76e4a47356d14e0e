"""The folder of a build has the same path everywhere, and belongs to one build at a time."""

import fcntl
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from cuvee.build.fixed_folder import fixed_folder
from cuvee.errors import StorageError


@pytest.fixture(autouse=True)
def _below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cuvee.build.fixed_folder._ROOT", tmp_path)


def test_it_is_named_by_the_key_and_removed_afterwards(tmp_path: Path) -> None:
    with fixed_folder("k" * 64) as folder:
        assert folder == tmp_path / f"cuvee-build-{'k' * 20}"
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").write_bytes(b"")
    assert not list(tmp_path.iterdir())


def test_what_a_killed_run_has_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / f"cuvee-build-{'k' * 20}"
    (left / "work").mkdir(parents=True)
    (left / "link").symlink_to(tmp_path)
    with fixed_folder("k" * 64) as folder:
        assert not list(folder.iterdir())
    assert tmp_path.is_dir()


def test_another_build_of_the_same_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as other:
        (other.enter_context(fixed_folder("k" * 64)) / "file").write_bytes(b"")
        # It ends, and removes its folder, when this one has found that it must wait.
        monkeypatch.setattr("cuvee.process.pause", lambda _: other.close())
        with fixed_folder("k" * 64) as folder:
            assert not list(folder.iterdir())
            with pytest.raises(_MustWaitError):
                must_wait(monkeypatch)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_removed_and_made_again_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, flock = tmp_path / f"cuvee-build-{'k' * 20}", fcntl.flock

    def late(handle: int, operation: int) -> None:
        monkeypatch.setattr("fcntl.flock", flock)
        folder.rmdir()
        folder.mkdir()
        flock(handle, operation)

    monkeypatch.setattr("fcntl.flock", late)
    with fixed_folder("k" * 64), pytest.raises(_MustWaitError):
        must_wait(monkeypatch)


def test_waiting_ends_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    stopping = threading.Event()
    stopping.set()
    monkeypatch.setattr("cuvee.process._stopping", stopping)
    with fixed_folder("k" * 64), pytest.raises(KeyboardInterrupt), fixed_folder("k" * 64):
        pass


class _MustWaitError(Exception):
    pass


def must_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise if the folder is locked."""

    def pause(_: float) -> None:
        raise _MustWaitError

    monkeypatch.setattr("cuvee.process.pause", pause)
    with fixed_folder("k" * 64):
        pass


def test_a_link_that_somebody_has_put_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_bytes(b"")
    (tmp_path / f"cuvee-build-{'k' * 20}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="belongs to somebody else"), fixed_folder("k" * 64):
        pass
    assert (tmp_path / "elsewhere" / "file").exists()

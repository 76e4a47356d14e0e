"""Temporary folders: what a killed run has left goes, and nothing else does."""

import logging
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cuvee import temporary_folders
from cuvee.errors import StorageError
from cuvee.temporary_folders import sweep, temporary_folder
from needed_programs import HANGING

SOURCE = Path(temporary_folders.__file__).parent
LEFT = "cuvee-test-abcdefg1.tmp"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(temporary_folders, "_swept", set())
    return tmp_path


def test_it_is_removed_afterwards(place: Path) -> None:
    with temporary_folder("test") as folder:
        assert folder.parent == place
        assert re.fullmatch(r"cuvee-test-\w{8}\.tmp", folder.name)
        (folder / "file").touch()
    with temporary_folder("test", within=place) as folder:
        assert folder.name.startswith(".cuvee-test-")
    assert list(place.iterdir()) == []


def test_a_left_over_is_removed_and_named(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    (place / LEFT / "release").mkdir(parents=True)
    with caplog.at_level(logging.WARNING, "cuvee"), temporary_folder("uv") as folder:
        assert list(place.iterdir()) == [folder]
    assert caplog.messages == [f"Removed {place / LEFT}, which a killed run had left"]


def test_what_a_live_process_holds_stays(place: Path) -> None:
    with temporary_folder("test") as held:
        temporary_folders._swept.clear()
        with temporary_folder("uv"):
            assert held.exists()


@pytest.mark.parametrize("name", ["cuvee-attack-scenario", "cuvee-test-abcdefg1", "other-test-abcdefg1.tmp"])
def test_what_has_another_name_stays(name: str, place: Path) -> None:
    (place / name).mkdir()
    sweep(place)
    assert (place / name).exists()


def test_links_and_folders_of_others_stay(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "mine").mkdir()
    (place / LEFT).symlink_to("mine")
    sweep(place)
    assert (place / "mine").exists()
    (place / LEFT).unlink()
    (place / LEFT).mkdir()
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    temporary_folders._swept.clear()
    sweep(place)
    assert (place / LEFT).exists()


def test_no_folder_can_be_made(place: Path) -> None:
    with pytest.raises(StorageError), temporary_folder("test", within=place / ("x" * 300)):
        pass


@pytest.mark.real
def test_a_run_is_killed(place: Path) -> None:
    code = "from cuvee.temporary_folders import temporary_folder as f\n"
    code += "with f('test') as p: print(p, flush=True); input()"
    environment = {**os.environ, "TMPDIR": str(place)}
    running = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    assert running.stdout is not None
    left = Path(running.stdout.readline().strip())
    again = [sys.executable, "-c", code]
    beside = subprocess.run(again, input="\n", capture_output=True, text=True, env=environment, check=True)
    assert (left.exists(), beside.stderr) == (True, "")
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=HANGING)
    after = subprocess.run(again, input="\n", capture_output=True, text=True, env=environment, check=True)
    assert after.stderr == f"Removed {left}, which a killed run had left\n"
    assert list(place.iterdir()) == []


def test_all_temporary_folders_are_made_here() -> None:
    others = re.compile(r"mkdtemp\(|TemporaryDirectory\(")
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if others.search(path.read_text())
    }
    assert found == {"files.py", "temporary_folders.py"}, "use cuvee.temporary_folders"

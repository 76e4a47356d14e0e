"""What a prefix says of its registration with Windows is believed only as far as it is its own."""

from pathlib import Path

import pytest

from cuvee.runtime.failure import InstallError
from cuvee.runtime.prefix_state import KEPT
from cuvee.runtime.windows.registration import Registration, read_registration

PROGRAM = r"Software\Microsoft\Windows\CurrentVersion\Uninstall\Tiny 2"
PYTHON = r"Software\Python\Tiny\2026.11.0"


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    (tmp_path / KEPT).mkdir(parents=True)
    return str(tmp_path)


def test_what_was_registered_is_read_back(prefix: str) -> None:
    path = [prefix, f"{prefix}\\Scripts"]
    written = Registration(False, PROGRAM, PYTHON, path, ["C:\\Menu"], ["python.exe", "Lib/os.py"])
    written.write(prefix)
    assert read_registration(prefix) == written


def test_keys_and_folders_of_others_are_left_alone(prefix: str) -> None:
    path = [r"C:\Windows\System32", prefix, f"{prefix}2", f"{prefix}\\Library"]
    for program, python in (
        (r"Software\Other", r"Software\Python\Tiny"),
        (rf"{PROGRAM}\deeper", rf"{PYTHON}\InstallPath"),
        ("", r"Software\Python\Tiny\2026.11.0\..\.."),
    ):
        Registration(True, program, python, path, []).write(prefix)
        found = read_registration(prefix)
        assert (found.program, found.python, found.path) == ("", "", [prefix])


@pytest.mark.parametrize("path", ["../evil.dll", "/etc/passwd", "a/../../b"])
def test_files_outside_are_not_copied(path: str, prefix: str) -> None:
    Registration(True, "", "", [], [], ["python.exe", path]).write(prefix)
    with pytest.raises(InstallError, match="holds no release"):
        read_registration(prefix)

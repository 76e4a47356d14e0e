"""What only administrators may decide of a release for all users, whoever asks for it: under Wine."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuvee.process import Completed
from wine_desktop import Wine, windows

pytestmark = pytest.mark.real

NOTE = r"HKLM\Software\cuvee\Tiny"
ALL = "/InstallationType=AllUsers"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    assert not list(tmp_path.rglob(".*cuvee-*"))


@pytest.fixture
def noted(wine: Wine, desk: Path) -> Iterator[Path]:
    """The folder that the machine's registry notes, as an .msi does; nothing is there."""
    note(wine, windows(desk / "noted") + "\\")
    yield desk / "noted"
    wine.run("reg", "delete", NOTE, "/f")


def note(wine: Wine, text: str) -> None:
    assert wine.run("reg", "add", NOTE, "/v", "InstallLocation", "/d", text, "/f").exit_code == 0


def managed(wine: Wine, exe: Path, place: Path, *options: str) -> Completed:
    return wine.install(exe, place, "/NoProgram=1", "/NoShortcuts=1", "/Managed=1", ALL, *options)


def test_held_to_what_the_machine_notes(win_exe: Path, wine: Wine, noted: Path, desk: Path) -> None:
    other = desk / "other"
    refused = managed(wine, win_exe, other)
    assert (refused.exit_code, "must not work in" in refused.stderr) == (1, True), refused
    assert not other.exists()
    # Upper and lower case are the same to Windows.
    note(wine, (windows(noted) + "\\").replace("noted", "NOTED"))
    assert managed(wine, win_exe, noted).exit_code == 0
    assert managed(wine, win_exe, noted, "/repair").exit_code == 0

    # One user's own folder, with all that makes it look like the release.
    noted.rename(other)
    (other / ".nonadmin").touch()
    (other / "python.exe").write_bytes(b"not ours")
    for verb in ("/repair", "/uninstall"):
        refused = managed(wine, win_exe, other, verb)
        assert (refused.exit_code, "must not work in" in refused.stderr) == (1, True), refused
        assert (other / "python.exe").read_bytes() == b"not ours"
    other.rename(noted)
    # It is said to be one user's: what Windows Installer brought is gone, and it may forget it.
    assert managed(wine, win_exe, noted, "/uninstall").exit_code == 0
    assert (noted / "python.exe").exists()
    (noted / ".nonadmin").unlink()
    assert managed(wine, win_exe, noted, "/uninstall").exit_code == 0
    assert not (noted / "conda-meta" / "cuvee" / "release.json").exists()


def test_nothing_is_repaired_that_is_not_noted(win_exe: Path, wine: Wine, desk: Path) -> None:
    refused = managed(wine, win_exe, desk / "place", "/repair")
    assert (refused.exit_code, "does not say where" in refused.stderr) == (1, True), refused
    assert not (desk / "place").exists()


def test_one_users_own_folder_is_not_taken_for_all(win_exe: Path, wine: Wine, desk: Path) -> None:
    place = desk / "place"
    (place / "conda-meta" / "cuvee").mkdir(parents=True)
    (place / "conda-meta" / "cuvee" / "release.json").write_text("{}")
    (place / ".nonadmin").touch()
    refused = wine.install(win_exe, place, ALL)
    assert (refused.exit_code, "for one user" in refused.stderr) == (1, True), refused
    (place / ".nonadmin").unlink()
    os.chown(place, 12345, 12345)
    refused = wine.install(win_exe, place, ALL)
    assert (refused.exit_code, "does not belong to an administrator" in refused.stderr) == (1, True), refused
    assert [path.name for path in place.rglob("*")] == ["conda-meta", "cuvee", "release.json"]

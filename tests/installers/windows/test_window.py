"""The `.exe` installer's window, driven with keys, and a picture of each page, kept for people to look at."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from needed_programs import need
from picture_folder import PICTURES
from wine_desktop import windows
from wine_window import Dialog, Screen

pytestmark = pytest.mark.real

NAME = "Tiny & Söhne 2026.11.1"
PROGRAM = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Tiny"
PYTHON = r"HKCU\Software\Python\Tiny"
MENU = "users/*/AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Tiny*/*.lnk"
WELCOME, LICENCE, SCOPE = f"Welcome to {NAME} Setup", "License Agreement", "Who Is It For?"
FOLDER, OPTIONS, DONE = "Choose Install Location", "Options", "Installation Complete"
ACCEPT = "I accept the terms of the License Agreement"
REGISTER, SHORTCUTS = "Register its Python", "Put its programs into the Start menu"


@pytest.fixture(scope="module")
def screen(win_exe: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    need("wine", "Xvfb", "xdotool", "import")
    screen = Screen(tmp_path_factory.mktemp("screen"), PICTURES)
    try:
        python = screen.wine.drive / "reader"
        done = screen.wine.run(win_exe, rf"/extract=C:\{python.name}")
        assert done.exit_code == 0, done.stderr
        screen.read_with(python / "python.exe", python)
        yield screen
    finally:
        screen.stop()


def forward(screen: Screen, title: str) -> Dialog:
    """Go to the next page."""
    screen.press("alt+n")
    return screen.wait(title)


def to_folder(screen: Screen, *, pictures: bool = False) -> Dialog:
    """Go from the start to the page with the folder."""
    screen.wait(WELCOME)
    if pictures:
        screen.picture("1-welcome")
    forward(screen, LICENCE)
    screen.press("alt+a")
    screen.wait(LICENCE, until=lambda dialog: "Next >" in dialog.buttons)
    if pictures:
        screen.picture("2-licence")
    forward(screen, SCOPE)
    if pictures:
        screen.picture("3-for-whom")
    return forward(screen, FOLDER)


def finish(program: "subprocess.Popen[bytes]", screen: Screen) -> int:
    screen.press("alt+f")
    return program.wait(60)


def test_licence_must_be_accepted_and_back_works(win_newer: Path, screen: Screen) -> None:
    program = screen.start(win_newer)
    screen.wait(WELCOME)
    licence = forward(screen, LICENCE)
    assert any("„Gern“ & $HOME" in text for text in licence.texts), licence
    assert ACCEPT in licence.buttons - licence.checked
    assert "Next >" not in licence.buttons
    screen.press("alt+n", "alt+b")  # the first has no effect
    screen.wait(WELCOME)
    forward(screen, LICENCE)
    screen.press("alt+a")
    screen.wait(LICENCE, until=lambda dialog: "Next >" in dialog.buttons)
    assert forward(screen, SCOPE).checked == {"Just me"}
    screen.press("alt+a")
    screen.wait(SCOPE, until=lambda dialog: "All users of this computer" in dialog.checked)
    assert r"C:\Program Files\Tiny" in forward(screen, FOLDER).texts
    options = forward(screen, OPTIONS)
    assert "Put it on PATH" not in options.buttons
    screen.press("alt+b")
    screen.wait(FOLDER)
    screen.press("Escape")
    screen.wait("Are you sure you want to quit")
    screen.press("alt+y")
    assert program.wait(60) == 130
    assert not (screen.wine.drive / "Program Files" / "Tiny").exists()


def test_pages_in_their_order(win_newer: Path, screen: Screen) -> None:
    full = screen.wine.drive / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    program = screen.start(win_newer)
    folder = to_folder(screen, pictures=True)
    assert any(text.startswith("Space required:") for text in folder.texts), folder
    screen.write(r"C:\full")
    screen.press("alt+n")
    screen.wait(r"C:\full is not empty. Choose another folder.")
    screen.picture("4-folder-refused")
    screen.press("Return")
    screen.wait(FOLDER)
    screen.write(r"C:\Bits & Pieces\tiny")
    screen.picture("4-folder")
    options = forward(screen, OPTIONS)
    assert options.checked == {REGISTER, SHORTCUTS}
    assert "Next >" not in options.buttons
    screen.press("alt+r", "alt+s")
    screen.wait(OPTIONS, until=lambda dialog: not dialog.checked)
    screen.picture("5-options")
    screen.press("alt+i")
    screen.wait(until=lambda dialog: any("% done" in text or text == DONE for text in dialog.texts))
    screen.picture("6-progress", moving=True)
    screen.wait(DONE)
    screen.picture("7-complete")
    last = forward(screen, f"{NAME} is ready")
    assert any(text.startswith(f"{NAME} was installed in\nC:\\Bits & Pieces\\tiny\n") for text in last.texts)
    screen.picture("8-finish")
    assert finish(program, screen) == 0
    wine = screen.wine
    assert [path.name for path in full.iterdir()] == ["mine.txt"]
    assert wine.registry(PROGRAM)["InstallLocation"] == r"C:\Bits & Pieces\tiny"
    assert not wine.has_key(PYTHON)
    assert list(wine.drive.glob(MENU)) == []


def test_uninstaller(win_newer: Path, screen: Screen) -> None:
    prefix = screen.wine.drive / "Bits & Pieces" / "tiny"
    if not prefix.exists():
        done = screen.wine.run(win_newer, "/S", r"/D=C:\Bits & Pieces\tiny")
        assert done.exit_code == 0, done
    screen.start(prefix / "Uninstall-Tiny.exe")
    screen.wait(f"Uninstall {NAME}")
    screen.picture("9-uninstall")
    screen.press("alt+u")
    screen.wait("Uninstallation Complete")
    screen.picture("9-uninstalled")
    screen.press("alt+c")
    assert not prefix.exists()
    assert not screen.wine.has_key(PROGRAM)


def test_ticked_options_have_their_effect(win_newer: Path, screen: Screen) -> None:
    wine = screen.wine
    prefix = wine.drive / "Käse" / "tiny"
    program = screen.start(win_newer, f"/D={windows(prefix)}")
    assert windows(prefix) in to_folder(screen).texts
    forward(screen, OPTIONS)
    screen.press("alt+p")
    screen.wait(OPTIONS, until=lambda dialog: "Put it on PATH" in dialog.checked)
    screen.press("alt+i")
    screen.wait(DONE)
    forward(screen, f"{NAME} is ready")
    assert finish(program, screen) == 0
    assert wine.has_key(PYTHON)
    assert len(list(wine.drive.glob(MENU))) == 2
    path = wine.registry(r"HKCU\Environment")["Path"].split(";")
    assert [entry.rpartition("se")[2] for entry in path[:2]] == [r"\tiny", r"\tiny\Scripts"]
    assert wine.install(win_newer, prefix, "/uninstall").exit_code == 0


def test_upgrade_is_announced(win_exe: Path, win_newer: Path, screen: Screen) -> None:
    wine = screen.wine
    prefix = wine.drive / "Old & New" / "tiny"
    assert wine.install(win_exe, prefix, "/RegisterPython=0").exit_code == 0
    program = screen.start(win_newer, f"/D={windows(prefix)}")
    to_folder(screen)
    upgrade = forward(screen, "There is a release in that folder already.")
    assert "Install" in upgrade.buttons - upgrade.checked
    assert f"replace the release in\n{windows(prefix)}\n" in "\n".join(upgrade.texts)
    screen.picture("5-upgrade")
    screen.press("alt+i")
    screen.wait(DONE)
    forward(screen, f"{NAME} is ready")
    assert finish(program, screen) == 0
    assert wine.registry(PROGRAM)["DisplayVersion"] == "2026.11.1"
    assert not wine.has_key(PYTHON)
    assert wine.install(win_newer, prefix, "/uninstall").exit_code == 0


def test_failure_is_seen(win_newer: Path, screen: Screen) -> None:
    prefix = screen.wine.drive / "fails"
    program = screen.start(win_newer, f"/D={windows(prefix)}", TINY_FAILS="1")
    to_folder(screen)
    forward(screen, OPTIONS)
    screen.press("alt+i")
    screen.wait("Installation Aborted")
    screen.picture("7-failed")
    screen.press("Escape")
    assert program.wait(60) == 1
    assert not prefix.exists()

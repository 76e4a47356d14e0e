"""Windows at its edges: scripts that fail, a long PATH, long paths, who may write, shortcuts."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import LnkParse3
import pytest

from wine_desktop import Wine, windows

pytestmark = pytest.mark.real

ENVIRONMENT = r"HKCU\Environment"
PROGRAM = r"Software\Microsoft\Windows\CurrentVersion\Uninstall\Tiny"
MINE = "users/*/AppData/Roaming/Microsoft/Windows/Start Menu/Programs"
ALL = "ProgramData/Microsoft/Windows/Start Menu/Programs"
FAILS = {"TINY_FAILS": "1"}

GRANTS = """
import ctypes, sys
api, made, text = ctypes.windll.advapi32, ctypes.c_void_p(), ctypes.c_wchar_p()
assert api.GetNamedSecurityInfoW(sys.argv[1], 1, 4, None, None, None, None, ctypes.byref(made)) == 0
assert api.ConvertSecurityDescriptorToStringSecurityDescriptorW(made, 1, 4, ctypes.byref(text), None)
print(text.value)
"""
"""Prints the access list of a folder, as Windows writes it."""
GRANT = re.compile(r"\(A;\w*;(\w+);;;([\w-]+)\)")
GRANTEE = re.compile(r"S-1-5-21-[\d-]+")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "tiny"
    assert list(tmp_path.iterdir()) == []


def remove(wine: Wine, installer: Path, place: Path | None, *options: str) -> None:
    done = wine.install(installer, place, "/uninstall", *options)
    assert done.exit_code == 0, done.stderr


def test_a_script_that_fails(win_exe: Path, win_newer: Path, wine: Wine, place: Path) -> None:
    where = f"/D={windows(place)}"
    done = wine.run(win_newer, "/S", where, environment=FAILS)
    assert (done.exit_code, "7" in done.stderr) == (1, True), done
    assert list(place.parent.iterdir()) == []
    assert not wine.has_key(rf"HKCU\{PROGRAM}")

    assert wine.install(win_exe, place).exit_code == 0
    mine = place / "mine.txt"
    mine.write_text("mine")
    done = wine.run(win_newer, "/S", where, environment=FAILS)
    assert (done.exit_code, "7" in done.stderr) == (1, True), done
    assert [path.name for path in place.parent.iterdir()] == ["tiny"]
    assert wine.registry(rf"HKCU\{PROGRAM}")["DisplayVersion"] == "2026.11.0"
    verified = wine.run(place / "Scripts" / "tiny-admin.cmd", "verify", "--json")
    assert json.loads(verified.stdout)["extra"] == ["mine.txt"]
    assert list(wine.drive.glob(f"{MINE}/Tiny*/*.lnk")) == []
    mine.unlink()
    remove(wine, win_exe, place)


def test_a_path_variable_that_no_command_line_bears(
    win_exe: Path, win_newer: Path, wine: Wine, place: Path
) -> None:
    before = ";".join(rf"C:\tools and more\{number:04}" for number in range(400)) + r";%HOME%\bin;;"
    assert len(before) > 8191
    wine.run("reg", "add", ENVIRONMENT, "/v", "Path", "/t", "REG_EXPAND_SZ", "/d", before, "/f")
    during = f"{windows(place)};{windows(place)}\\Scripts;{before}"
    assert wine.install(win_exe, place, "/AddToPath=1").exit_code == 0
    assert wine.registry(ENVIRONMENT)["Path"] == during
    assert wine.install(win_newer, place, "/NoKeep=1").exit_code == 0
    assert wine.registry(ENVIRONMENT)["Path"] == during
    remove(wine, win_newer, place)
    assert wine.registry(ENVIRONMENT)["Path"] == before
    wine.run("reg", "delete", ENVIRONMENT, "/v", "Path", "/f")


def test_paths_of_more_than_260_characters(win_exe: Path, wine: Wine, tmp_path: Path) -> None:
    key = r"HKLM\SYSTEM\CurrentControlSet\Control\FileSystem"
    wine.run("reg", "add", key, "/v", "LongPathsEnabled", "/t", "REG_DWORD", "/d", "1", "/f")
    folder = tmp_path / ("Käse und Wein, " * 6).strip()
    # A folder of its own in which Python still starts under Wine, wherever the test runs.
    left = 219 - len(windows(folder / "_" / "tiny"))
    place = folder / ("Größe " * 20)[:left].strip() / "tiny"
    assert wine.install(win_exe, place).exit_code == 0, wine.log("Tiny", "install")
    assert max(len(windows(path)) for path in place.rglob("*")) > 260
    admin = wine.run(place / "Scripts" / "tiny-admin.cmd", "verify")
    assert admin.exit_code == 0, admin
    remove(wine, win_exe, place)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    wine.run("reg", "delete", key, "/v", "LongPathsEnabled", "/f")


def test_others_may_not_write_to_what_all_users_have(win_newer: Path, wine: Wine) -> None:
    assert wine.install(win_newer, None, "/InstallationType=AllUsers").exit_code == 0
    prefix = wine.drive / "Program Files" / "Tiny"
    for folder in (r"C:\Program Files\Tiny", r"C:\Program Files\Tiny\Lib\site-packages"):
        shown = wine.run(prefix / "python.exe", "-c", GRANTS, folder)
        grants = {who: rights for rights, who in GRANT.findall(shown.stdout)}
        owner = GRANTEE.search(shown.stdout)
        assert owner is not None, shown
        # Wine keeps what fits into Unix permissions: it names the owner where Windows has administrators.
        ours = {"SY", "BA", owner[0]}
        assert {grants[who] for who in ours & set(grants)} == {"FA"}
        assert {grants[who] for who in set(grants) - ours} <= {"0x1200a9"}
    links = shortcuts(wine, ALL)
    assert {name: link["target"] for name, link in links.items()} == {
        "Tiny Prompt Käse": r"C:\Program Files\Tiny\python.exe",
        "Tiny Window": r"C:\Program Files\Tiny\pythonw.exe",
    }
    assert list(wine.drive.glob(f"{MINE}/Tiny*")) == []
    remove(wine, win_newer, None, "/InstallationType=AllUsers")
    assert shortcuts(wine, ALL) == {}


def shortcuts(wine: Wine, menu: str) -> dict[str, dict[str, str]]:
    """What a reader of the format finds in the shortcuts below a folder."""
    found = {}
    for path in wine.drive.glob(f"{menu}/Tiny*/*.lnk"):
        with path.open("rb") as stream:
            content = LnkParse3.lnk_file(stream).get_json()
        found[path.stem] = {"target": content["link_info"]["local_base_path"], **content["data"]}
    return found


def test_what_is_in_shortcuts(win_newer: Path, wine: Wine, place: Path) -> None:
    assert wine.install(win_newer, place).exit_code == 0
    links = shortcuts(wine, MINE)
    prompt, window = links["Tiny Prompt Käse"], links["Tiny Window"]
    here = windows(place)
    assert prompt["target"] == rf"{here}\python.exe"
    assert (prompt["command_line_arguments"], prompt["description"]) == ("-c \"print('a b')\"", "A prompt")
    assert prompt["working_directory"] == here
    assert prompt["icon_location"] == rf"{here}\Menu\tiny.ico"
    assert window["target"] == rf"{here}\pythonw.exe"
    assert window["command_line_arguments"].endswith(
        rf"\installed_python\start_activated.py {here}\pythonw.exe -m tqdm"
    )
    assert len(list(wine.drive.glob("users/*/Desktop/Tiny Window.lnk"))) == 1

    assert wine.install(win_newer, place, "/NoShortcuts=1", "/Force=1").exit_code == 0
    assert shortcuts(wine, MINE) == {}
    assert wine.install(win_newer, place, "/NoShortcuts=0", "/Force=1").exit_code == 0
    assert len(shortcuts(wine, MINE)) == 2
    remove(wine, win_newer, place)
    assert shortcuts(wine, MINE) == {}
    assert list(wine.drive.glob(f"{MINE}/Tiny*")) == []

"""A release whose folder was moved or copied, and what Windows knows of its old place: under Wine."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuvee.process import Completed
from cuvee.runtime.failure import FAILED
from wine_desktop import Wine, windows

pytestmark = pytest.mark.real

PROGRAM = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Tiny"
PYTHON = r"HKCU\Software\Python\Tiny\2026.11.1\InstallPath"
ENVIRONMENT = r"HKCU\Environment"
MENU = "users/*/AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Tiny (64-bit)"
LINKS = ["Tiny Prompt Käse.lnk", "Tiny Window.lnk"]


def admin(wine: Wine, prefix: Path, *arguments: str | Path) -> Completed:
    words = [windows(word) if isinstance(word, Path) else word for word in arguments]
    return wine.run(prefix / "Scripts" / "tiny-admin.cmd", *words)


def links(wine: Wine) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in wine.drive.glob(f"{MENU}/*.lnk")}


def on_path(wine: Wine) -> list[str]:
    return [entry for entry in wine.registry(ENVIRONMENT).get("Path", "").split(";") if "test_" in entry]


def check_registered(wine: Wine, prefix: Path) -> None:
    """Whether Windows knows this place, and no other."""
    place = windows(prefix)
    assert wine.registry(PROGRAM)["InstallLocation"] == place
    assert wine.registry(PYTHON)["ExecutablePath"] == rf"{place}\python.exe"
    assert on_path(wine) == [place, rf"{place}\Scripts"]
    found = links(wine)
    assert sorted(found) == LINKS
    assert all(f"{place}\\".encode("utf-16-le") in data for data in found.values())


def check_forgotten(wine: Wine) -> None:
    assert not wine.has_key(PROGRAM)
    assert not wine.has_key(PYTHON)
    assert (on_path(wine), links(wine)) == ([], {})


@pytest.fixture
def places(tmp_path: Path) -> Iterator[tuple[Path, Path, Path]]:
    names = ("old", "new", "third")
    for name in names:
        (tmp_path / name).mkdir()
    old, new, third = (tmp_path / name / "tiny" for name in names)
    yield old, new, third
    assert not list(tmp_path.rglob(".*cuvee-*"))


def test_moved(win_newer: Path, wine: Wine, places: tuple[Path, Path, Path]) -> None:
    old, new, third = places
    assert wine.install(win_newer, old, "/AddToPath=1", "/RegisterPython=1").exit_code == 0
    check_registered(wine, old)
    old.rename(new)

    found = admin(wine, new, "verify", "--json")
    value = json.loads(found.stdout)
    assert (found.exit_code, value["good"], value["moved_from"]) == (FAILED, False, windows(old))
    assert (value["changed"], value["missing"]) == ([], [])
    for done in (
        admin(wine, new, "repair", "--from", win_newer),
        wine.install(win_newer, new, "/repair"),
        admin(wine, new, "rollback"),
    ):
        assert (done.exit_code, f"/D={windows(new)}" in done.stderr) == (FAILED, True), done

    assert wine.install(win_newer, new).exit_code == 0, wine.log("Tiny", "install")
    value = json.loads(admin(wine, new, "verify", "--json").stdout)
    assert (value["good"], value["moved_from"]) == (True, None), value
    names = [str(old), windows(old), windows(old).replace("\\", "/")]
    kept = [
        path for path in new.rglob("*") if path.is_file() and not path.name.startswith(("log.", "state."))
    ]
    texts = {path.name: path.read_bytes() for path in kept}
    assert [path for path, data in texts.items() for name in names if name.encode() in data] == []
    check_registered(wine, new)

    new.rename(third)
    removed = admin(wine, third, "uninstall")
    assert (removed.exit_code, removed.stderr) == (0, "")
    assert list(third.parent.iterdir()) == []
    check_forgotten(wine)


def test_copied(win_newer: Path, wine: Wine, places: tuple[Path, Path, Path]) -> None:
    old, new, _ = places
    assert wine.install(win_newer, old, "/AddToPath=1", "/RegisterPython=1").exit_code == 0
    before = links(wine)
    shutil.copytree(old, new)
    assert admin(wine, new, "verify").exit_code == FAILED
    assert admin(wine, new, "uninstall").exit_code == 0
    assert list(new.parent.iterdir()) == []
    check_registered(wine, old)
    assert links(wine) == before
    assert admin(wine, old, "verify").exit_code == 0
    assert admin(wine, old, "uninstall").exit_code == 0
    check_forgotten(wine)

"""One release by the next, in place; repair, rollback and removal with the command that stays: under Wine."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuvee.files import sha256_file
from cuvee.process import Completed
from wine_desktop import Wine, windows

pytestmark = pytest.mark.real

PROGRAM = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Tiny"
PYTHON = r"HKCU\Software\Python\Tiny"
MENU = "users/*/AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Tiny (64-bit)"
CHANGED = "Lib/site-packages/attrs/__init__.py"


def admin(wine: Wine, prefix: Path, *arguments: str | Path) -> Completed:
    words = [windows(word) if isinstance(word, Path) else word for word in arguments]
    return wine.run(prefix / "Scripts" / "tiny-admin.cmd", *words)


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256_file(path) for path in folder.rglob("*") if path.is_file()
    }


def links(wine: Wine) -> list[str]:
    return sorted(path.name for path in wine.drive.glob(f"{MENU}/*.lnk"))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "Käse & Wein" / "tiny"
    assert not list(tmp_path.rglob(".*cuvee-*"))


def test_upgraded_repaired_rolled_back_and_removed(
    win_exe: Path, win_newer: Path, wine: Wine, place: Path
) -> None:
    before = wine.registry(r"HKCU\Environment")
    assert wine.install(win_exe, place, "/AddToPath=1").exit_code == 0
    (place / "mine.txt").write_text("mine")
    original = (place / CHANGED).read_bytes()
    (place / CHANGED).write_text("edited")
    # As earlier releases have it: where conda's tools expect a record.
    (place / "conda-meta/cuvee/release.json").rename(place / "conda-meta/cuvee.json")

    said = wine.run(win_newer, "/dryrun", "/json", f"/D={windows(place)}")
    plan = json.loads(said.stdout)
    assert (said.exit_code, plan["action"], plan["before"]) == (0, "upgrade", "2026.11.0")
    assert (plan["changed"], plan["carried"]) == ([CHANGED], ["mine.txt"])

    assert wine.install(win_newer, place).exit_code == 0, wine.log("Tiny", "install")
    assert not (place / "conda-meta/cuvee.json").exists()
    assert (place / "mine.txt").read_text() == "mine"
    assert (place / CHANGED).read_bytes() == original
    assert (place / "cuvee-saved/2026.11.0" / CHANGED).read_text() == "edited"
    assert (place / "post.txt").read_text().split() == ["2026.11.1", "1"]
    assert (place / ".condarc").exists()
    check_windows(wine, place, "2026.11.1")
    assert links(wine) == ["Tiny Prompt Käse.lnk", "Tiny Window.lnk"]

    then = files(place)
    refused = wine.install(win_exe, place)
    assert (refused.exit_code, "is installed, which is newer than 2026.11.0" in refused.stderr) == (1, True)
    assert files(place).keys() == then.keys()
    # The refusal is told in the log.
    changed = [path for path, digest in files(place).items() if digest != then[path]]
    assert [path for path in changed if not path.startswith("conda-meta/cuvee/log.")] == []

    (place / CHANGED).write_text("damaged")
    found = json.loads(admin(wine, place, "verify", "--json").stdout)
    assert (found["changed"], found["extra"]) == ([CHANGED], ["mine.txt"])
    assert admin(wine, place, "repair", "--from", win_exe).exit_code == 1
    done = admin(wine, place, "repair", "--from", win_newer)
    assert (done.exit_code, f"restored: {CHANGED}" in done.stdout) == (0, True), done
    assert (place / CHANGED).read_bytes() == original

    done = admin(wine, place, "rollback")
    # The command comes back when the work is done: a script goes by its exit code.
    assert (done.exit_code, "was rolled back to 2026.11.0" in done.stdout) == (0, True), done
    check_windows(wine, place, "2026.11.0", marker="conda-meta/cuvee.json")
    assert links(wine) == []
    assert not (place / ".condarc").exists()
    done = admin(wine, place, "rollback")
    assert (done.exit_code, "was rolled back to 2026.11.1" in done.stdout) == (0, True), done
    check_windows(wine, place, "2026.11.1")
    assert len(links(wine)) == 2

    assert admin(wine, place, "uninstall").exit_code == 0
    assert {path.split("/")[0] for path in files(place)} == {"cuvee-saved", "mine.txt"}
    assert wine.registry(r"HKCU\Environment") == before
    assert not wine.has_key(PROGRAM)
    assert not wine.has_key(PYTHON)
    assert links(wine) == []
    assert not list(wine.drive.glob("users/*/Desktop/Tiny*.lnk"))


def check_windows(
    wine: Wine, place: Path, version: str, marker: str = "conda-meta/cuvee/release.json"
) -> None:
    """What Windows is told of the one release, and nothing of the other."""
    program = wine.registry(PROGRAM)
    # `reg` writes in an encoding of its own.
    assert (program["DisplayVersion"], program["InstallLocation"][-10:]) == (version, windows(place)[-10:])
    assert wine.has_key(rf"{PYTHON}\{version}\InstallPath")
    other = "2026.11.1" if version == "2026.11.0" else "2026.11.0"
    assert not wine.has_key(rf"{PYTHON}\{other}")
    path = wine.registry(r"HKCU\Environment")["Path"].split(";")
    assert [entry.rpartition("Wein")[2] for entry in path[:2]] == [r"\tiny", r"\tiny\Scripts"]
    assert json.loads((place / marker).read_text())["version"] == version

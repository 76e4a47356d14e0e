"""One folder has one name on Windows, however /D= or INSTALLDIR writes it."""

from pathlib import Path

import pytest

from cuvee.image.model import Image
from cuvee.installers.branding import Branding
from cuvee.installers.windows.msi import build_msi
from cuvee.progress import SILENT
from cuvee.runtime.prefix_state import load
from msi_desktop import msiexec
from needed_programs import need
from wine_desktop import Wine, windows

pytestmark = pytest.mark.real

ENVIRONMENT = r"HKCU\Environment"
PROGRAM = r"Software\Microsoft\Windows\CurrentVersion\Uninstall\Tiny"
LINKS = "users/*/AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Tiny*/*.lnk"


def test_an_exe_registers_and_removes_one_name(win_newer: Path, wine: Wine, tmp_path: Path) -> None:
    place, here = tmp_path / "tiny", windows(tmp_path)
    (tmp_path / "a").mkdir()
    before = wine.registry(ENVIRONMENT).get("Path", "")
    done = wine.run(win_newer, "/S", "/AddToPath=1", rf"/D={here}\a\..\.\\tiny\\")
    assert done.exit_code == 0, wine.log("Tiny", "install")
    assert load(str(place)).state.prefix == windows(place)
    assert wine.registry(rf"HKCU\{PROGRAM}")["InstallLocation"] == windows(place)
    path = wine.registry(ENVIRONMENT)["Path"].split(";")
    assert path[:2] == [windows(place), rf"{windows(place)}\Scripts"]
    assert b"..\\" not in (place / "Scripts" / "tqdm.exe").read_bytes()
    assert len(list(wine.drive.glob(LINKS))) == 2

    done = wine.run(win_newer, "/S", "/uninstall", f"/D={here}/a/../tiny/")
    assert done.exit_code == 0, done
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert not wine.has_key(rf"HKCU\{PROGRAM}")
    assert wine.registry(ENVIRONMENT).get("Path", "") == before
    assert list(wine.drive.glob(LINKS)) == []


def test_an_msi_installs_repairs_and_removes_one_name(
    win_newer: Path, win_images: tuple[Image, Image], branding: Branding, wine: Wine, tmp_path: Path
) -> None:
    need("wixl", "msibuild")
    msi = build_msi(
        win_images[1], exe=win_newer, branding=branding, target=tmp_path / "Tiny.msi", reporter=SILENT
    )
    place, log = tmp_path / "b" / "tiny", tmp_path / "msi.log"
    written = rf"INSTALLDIR={windows(tmp_path)}\a\..\b\.\tiny"
    assert msiexec(wine, "/i", msi, log, written, "NOSHORTCUTS=1") == 0
    assert load(str(place)).state.prefix == windows(place)
    damaged = place / "Lib" / "site-packages" / "attrs" / "__init__.py"
    damaged.write_text("broken")
    assert msiexec(wine, "/i", msi, log, "REINSTALL=ALL", "REINSTALLMODE=amus") == 0
    assert damaged.read_text() != "broken"
    assert msiexec(wine, "/x", msi, log) == 0
    assert {path.name for path in place.iterdir()} <= {"cuvee-saved"}

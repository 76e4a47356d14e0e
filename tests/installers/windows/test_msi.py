"""The `.msi` installer under Wine's Windows Installer."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuvee import process
from cuvee.errors import TooLargeError, ToolMissingError, UsageError
from cuvee.files import sha256_file
from cuvee.image import Image
from cuvee.installers.looks import Looks
from cuvee.installers.windows.msi import build_msi, msi_version, product_code, upgrade_code
from cuvee.installers.windows.wixl import Wixl
from cuvee.process import Request
from cuvee.progress import SILENT
from wine_desktop import Wine, windows

PROGRAMS = r"Software\Microsoft\Windows\CurrentVersion\Uninstall"


@pytest.fixture(scope="session")
def win_msi(win_image: Image, win_exe: Path, looks: Looks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("wixl") is None or shutil.which("msibuild") is None:
        pytest.skip("needs wixl and msibuild, Debian's packages wixl and msitools")
    target = tmp_path_factory.mktemp("msi") / "Tiny.msi"
    return build_msi(win_image, exe=win_exe, looks=looks, target=target, reporter=SILENT)


@pytest.fixture(scope="session")
def win_newer_msi(win_images: tuple[Image, Image], win_newer: Path, looks: Looks, win_msi: Path) -> Path:
    target = win_msi.parent / "Tiny newer.msi"
    return build_msi(win_images[1], exe=win_newer, looks=looks, target=target, reporter=SILENT)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "Käse & Wein" / "tiny"
    assert not list(tmp_path.rglob(".*cuvee-*"))


def msiexec(wine: Wine, what: str, msi: Path, log: Path, *properties: str) -> int:
    return wine.run(
        "msiexec", what, windows(msi), "/qn", "/l*v", windows(log), *properties, timeout=300
    ).exit_code


def version(place: Path) -> str:
    return str(json.loads((place / "conda-meta" / "cuvee.json").read_text())["version"])


def programs(wine: Wine, root: str) -> list[str]:
    """The versions among the programs that can be removed."""
    found = []
    for number in ("2026.11.0", "2026.11.1"):
        entry = wine.registry(rf"{root}\{PROGRAMS}\{{{product_code('tiny', number)}}}")
        found += [entry["DisplayVersion"]] if entry else []
    return found


def left(place: Path) -> list[str]:
    found = [path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()]
    return [path for path in found if not path.startswith("cuvee-saved/")]


@pytest.mark.real
def test_installed_upgraded_repaired_and_removed(
    win_msi: Path, win_newer_msi: Path, wine: Wine, place: Path, tmp_path: Path
) -> None:
    log = tmp_path / "msi.log"
    options = (f"INSTALLDIR={windows(place)}", "REGISTERPYTHON=0", "NOSHORTCUTS=1")
    assert msiexec(wine, "/i", win_msi, log, *options) == 0
    assert b"InstallFinalize. Return value 1" in log.read_bytes()
    assert wine.run(place / "python.exe", "-c", "import attrs").exit_code == 0
    assert programs(wine, "HKLM") == ["26.11.0"]
    assert not wine.has_key(rf"HKLM\{PROGRAMS}\Tiny")
    assert not wine.has_key(r"HKLM\Software\Python\Tiny")
    (place / "mine.txt").write_text("mine")

    # The place and the options are found again.
    assert msiexec(wine, "/i", win_newer_msi, log) == 0
    assert (version(place), programs(wine, "HKLM")) == ("2026.11.1", ["26.11.1"])
    assert (place / "mine.txt").read_text() == "mine"
    assert not wine.has_key(r"HKLM\Software\Python\Tiny")
    assert not wine.has_key(rf"HKLM\{PROGRAMS}\Tiny")
    assert wine.registry(r"HKLM\Software\cuvee\Tiny")["InstallLocation"].endswith("Wein\\tiny\\")
    assert msiexec(wine, "/i", win_msi, log) != 0
    assert b"LaunchConditions. Return value 0" in log.read_bytes()
    assert (version(place), programs(wine, "HKLM")) == ("2026.11.1", ["26.11.1"])

    damaged = place / "Lib" / "site-packages" / "attrs" / "__init__.py"
    damaged.write_text("broken")
    # What `msiexec /fa` calls with the product's code, which Wine 8's own msiexec does not.
    code = product_code("tiny", "2026.11.1")
    call = "import ctypes; m = ctypes.windll.msi; m.MsiSetInternalUI(2, None); "
    call += f"print(m.MsiReinstallProductW('{{{code}}}', 0x382))"
    done = wine.run(place / "python.exe", "-c", call)
    assert done.stdout.split()[-1] == "0", done
    assert damaged.read_text() != "broken"
    damaged.write_text("broken")
    assert msiexec(wine, "/i", win_newer_msi, log, "REINSTALL=ALL", "REINSTALLMODE=amus") == 0
    assert damaged.read_text() != "broken"

    assert msiexec(wine, "/x", win_newer_msi, log) == 0
    assert (left(place), programs(wine, "HKLM")) == (["mine.txt"], [])


@pytest.mark.real
def test_for_one_user(win_msi: Path, wine: Wine, tmp_path: Path) -> None:
    log = tmp_path / "msi.log"
    options = ("ALLUSERS=", "MSIINSTALLPERUSER=1", "ADDTOPATH=1")
    assert msiexec(wine, "/i", win_msi, log, *options) == 0
    (place,) = wine.drive.glob("users/*/AppData/Local/Programs/Tiny")
    assert (place / ".nonadmin").exists()
    assert wine.has_key(r"HKCU\Software\cuvee\Tiny")
    assert wine.registry(r"HKCU\Environment")["Path"].split(";")[0].endswith(r"\Programs\Tiny")
    assert msiexec(wine, "/x", win_msi, log, "ALLUSERS=") == 0
    assert not place.exists()
    assert not wine.has_key(r"HKCU\Software\cuvee\Tiny")
    assert "Tiny" not in wine.registry(r"HKCU\Environment").get("Path", "")


@pytest.mark.real
def test_a_failure_fails_the_installation(win_msi: Path, wine: Wine, place: Path, tmp_path: Path) -> None:
    place.mkdir(parents=True)
    (place / "mine.txt").write_text("mine")
    assert msiexec(wine, "/i", win_msi, tmp_path / "msi.log", f"INSTALLDIR={windows(place)}") != 0
    assert [path.name for path in place.iterdir()] == ["mine.txt"]
    assert not wine.has_key(r"HKLM\Software\cuvee\Tiny")
    assert programs(wine, "HKLM") == []


@pytest.mark.real
def test_two_builds_are_the_same(
    win_msi: Path, win_image: Image, win_exe: Path, looks: Looks, tmp_path: Path
) -> None:
    again = build_msi(win_image, exe=win_exe, looks=looks, target=tmp_path / "x.msi", reporter=SILENT)
    assert sha256_file(again) == sha256_file(win_msi)


@pytest.mark.real
def test_what_windows_installer_reads(win_msi: Path) -> None:
    msiinfo = process.find("msiinfo", hint="Debian's package msitools")
    shown = process.run(Request(argv=(msiinfo, "export", str(win_msi), "Property"))).stdout
    properties = dict(line.split("\t") for line in shown.splitlines() if line.count("\t") == 1)
    assert properties["UpgradeCode"].strip("{}\r") == upgrade_code("tiny")
    assert properties["ProductName"].strip() == "Tiny & Söhne 2026.11.0"
    assert "INSTALLDIR" in properties["SecureCustomProperties"]


def test_identifiers_never_change() -> None:
    assert upgrade_code("starter") == "5C834A38-78E5-5069-BEDD-A16658CC91E9"
    assert product_code("starter", "2026.11.0") == "CE9BFD30-529E-5EEC-B221-AF9C13A61EE6"
    assert product_code("starter", "2026.11.1") != product_code("starter", "2026.11.0")


def test_numbers() -> None:
    good = {"2026.11.0": "26.11.0", "2255.1.65535": "255.1.65535", "3.1": "3.1.0", "24.3.0-0": "24.3.0"}
    assert {number: msi_version(number) for number in good} == good
    # Windows would not tell them from others, or not order them so.
    for bad in ("1999.1.0", "2300.1.0", "1.256.0", "1.0.65536", "24.3.0-1", "3.1rc1", "v3", "3..1"):
        with pytest.raises(UsageError, match="orders releases by three numbers"):
            msi_version(bad)


@pytest.mark.real
def test_what_is_too_large_is_refused(win_image: Image, looks: Looks, tmp_path: Path) -> None:
    large = tmp_path / "large.exe"
    with large.open("wb") as stream:
        stream.truncate(1 << 31)
    with pytest.raises(TooLargeError, match="bears less than 2"):
        build_msi(win_image, exe=large, looks=looks, target=tmp_path / "x.msi", reporter=SILENT)


@pytest.mark.real
def test_the_tools_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match="wixl is not installed"):
        Wixl.find()
    for name in ("wixl", "msibuild"):
        (tmp_path / name).write_text("#!/bin/sh\necho wixl 0.100\n")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(ToolMissingError, match="too old"):
        Wixl.find()

"""The `.msi` installer under Wine's Windows Installer."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuvee import process
from cuvee.errors import BlockedError, ToolMissingError, UsageError
from cuvee.files import sha256_file
from cuvee.image import Image
from cuvee.installers.looks import Looks
from cuvee.installers.windows.msi import build_msi, msi_version, product_code, upgrade_code
from cuvee.installers.windows.wixl import Wixl
from cuvee.process import Request
from cuvee.progress import SILENT
from wine_desktop import Wine, windows


@pytest.fixture(scope="session")
def win_msi(win_image: Image, win_exe: Path, looks: Looks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("wixl") is None or shutil.which("msibuild") is None:
        pytest.skip("needs wixl and msibuild, Debian's packages wixl and msitools")
    target = tmp_path_factory.mktemp("msi") / "Tiny.msi"
    return build_msi(win_image, exe=win_exe, looks=looks, target=target, reporter=SILENT)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "Käse & Wein" / "tiny"
    assert not list(tmp_path.rglob(".*cuvee-*"))


def msiexec(wine: Wine, what: str, msi: str | Path, *properties: str) -> int:
    return wine.run("msiexec", what, msi, "/qn", *properties).exit_code


@pytest.mark.real
def test_installed_repaired_and_removed(win_msi: Path, wine: Wine, place: Path) -> None:
    assert msiexec(wine, "/i", win_msi, f"INSTALLDIR={windows(place)}", "ADDTOPATH=1") == 0
    assert wine.run(place / "python.exe", "-c", "import attrs").exit_code == 0
    program = rf"Software\Microsoft\Windows\CurrentVersion\Uninstall\{{{product_code('tiny', '2026.11.0')}}}"
    assert wine.registry(rf"HKLM\{program}")["DisplayVersion"] == "26.11.0"
    assert not wine.has_key(r"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall\Tiny")
    assert wine.registry(r"HKLM\Software\cuvee\Tiny")["InstallLocation"].endswith("Wein\\tiny\\")
    damaged = place / "Lib" / "site-packages" / "attrs" / "__init__.py"
    damaged.write_text("broken")
    # What /fa stands for, which Wine 8 does not take.
    assert msiexec(wine, "/i", win_msi, "REINSTALL=ALL", "REINSTALLMODE=amus") == 0
    assert damaged.read_text() != "broken"
    assert msiexec(wine, "/x", win_msi) == 0
    assert [path for path in place.rglob("*") if path.is_file() and "cuvee-saved" not in path.parts] == []
    assert not wine.has_key(rf"HKLM\{program}")
    assert not wine.has_key(r"HKLM\Software\Python\Tiny")


@pytest.mark.real
def test_a_failure_fails_the_installation(win_msi: Path, wine: Wine, place: Path) -> None:
    place.mkdir(parents=True)
    (place / "mine.txt").write_text("mine")
    assert msiexec(wine, "/i", win_msi, f"INSTALLDIR={windows(place)}") != 0
    assert [path.name for path in place.iterdir()] == ["mine.txt"]
    assert not wine.has_key(r"HKLM\Software\cuvee\Tiny")


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
    assert msi_version("2026.11.0") == "26.11.0"
    for bad in ("1999.1.0", "2300.1.0", "2026.11"):
        with pytest.raises(UsageError):
            msi_version(bad)


@pytest.mark.real
def test_what_is_too_large_is_refused(win_image: Image, looks: Looks, tmp_path: Path) -> None:
    large = tmp_path / "large.exe"
    with large.open("wb") as stream:
        stream.truncate(1 << 31)
    with pytest.raises(BlockedError, match="bears less than 2"):
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

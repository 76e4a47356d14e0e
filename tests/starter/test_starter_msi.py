"""The `.msi` of a part of the starter under Wine, as administrators deploy it, with a log.

It is installed and upgraded here, and repaired and removed in test_starter_exe.py, by the same `.exe`.
Windows Installer repairs and removes the tiny release, in tests/installers/windows/test_msi.py.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuvee.installers.windows.msi import product_code, upgrade_code
from msi_desktop import UNINSTALL, Database, ended, msiexec, products, related, told
from needed_programs import HANGING, need
from starter_release import Starter
from wine_desktop import Wine

pytestmark = [pytest.mark.real, pytest.mark.minutes(2)]

OLD, NEW = "2026.11.0", "2026.11.1"
CODES = {version: f"{{{product_code('starter', version)}}}" for version in (OLD, NEW)}
UPGRADE = f"{{{upgrade_code('starter')}}}"
EDITED, UNCHANGED = "Lib/site-packages/attrs/__init__.py", "Lib/site-packages/numpy/__init__.py"


@pytest.fixture(scope="module")
def packages(part: Starter) -> dict[str, Path]:
    """The `.msi` of both releases."""
    need("wine", "msiinfo", "wixl")
    return {version: part.installer("win-64", "msi", version) for version in (OLD, NEW)}


@pytest.fixture(scope="module")
def wine(packages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    assert packages
    desktop = Wine(tmp_path_factory.mktemp("wine"))
    yield desktop
    desktop.stop()


def entries(wine: Wine) -> dict[str, str]:
    """The names and numbers of what Add or Remove Programs lists, for all users and for this one."""
    shown = (wine.registry(rf"{root}\{UNINSTALL}\{key}") for root in ("HKLM", "HKCU") for key in keys())
    return {entry["DisplayName"]: entry["DisplayVersion"] for entry in shown if entry}


def keys() -> tuple[str, ...]:
    """What may be listed: by Windows Installer, and by the `.exe`, which must not do so as well."""
    return (*CODES.values(), "Starter")


def test_deployed_and_upgraded(packages: dict[str, Path], wine: Wine, tmp_path: Path) -> None:
    prefix = wine.drive / "Program Files" / "Starter"
    log = tmp_path / "install.log"
    assert msiexec(wine, "/i", packages[OLD], log, "REGISTERPYTHON=1") == 0
    assert {*ended(log, "InstallAll"), *ended(log, "InstallFinalize"), *ended(log, "INSTALL")} == {"1"}
    assert told(wine, "Starter", "install") == ("install", 0, OLD)
    check(wine, prefix, OLD)
    entry = wine.registry(rf"HKLM\{UNINSTALL}\{CODES[OLD]}")
    assert entry["Publisher"] == Database(packages[OLD]).properties()["Manufacturer"]
    assert entry["InstallLocation"] == "C:\\Program Files\\Starter\\"
    # Kilobytes; Windows Installer's own estimate knows nothing of what the `.exe` writes.
    assert int(entry["Size"]) > 100_000
    assert entry["UninstallString"].lower() == f"msiexec.exe /x{CODES[OLD]}".lower()

    (prefix / "mine.txt").write_text("mine")
    (prefix / EDITED).write_text("edited")
    log = tmp_path / "upgrade.log"
    assert msiexec(wine, "/i", packages[NEW], log) == 0
    assert {*ended(log, "RemoveExistingProducts"), *ended(log, "INSTALL")} == {"1"}
    assert told(wine, "Starter", "install") == ("install", 0, NEW)
    check(wine, prefix, NEW)
    assert (prefix / "mine.txt").read_text() == "mine"
    assert (prefix / EDITED).read_text() != "edited"
    assert (prefix / "cuvee-saved" / OLD / EDITED).read_text() == "edited"
    kept = prefix.parent / ".Starter.cuvee-kept"
    assert (prefix / UNCHANGED).samefile(kept / UNCHANGED), "it was not linked but made anew"
    # An older release is refused by its own conditions, before anything is done.
    log = tmp_path / "downgrade.log"
    assert msiexec(wine, "/i", packages[OLD], log) != 0
    assert ended(log, "LaunchConditions")[-1] == "0"
    done = wine.run(prefix / "Scripts" / "starter-admin.cmd", "verify", "--json", timeout=HANGING)
    found = json.loads(done.stdout)
    assert {key: found[key] for key in ("version", "changed", "missing", "modes", "extra")} == {
        "version": NEW,
        "changed": [],
        "missing": [],
        "modes": [],
        "extra": ["mine.txt"],
    }


def check(wine: Wine, prefix: Path, version: str) -> None:
    """Look at a release as Windows, Windows Installer and its own interpreter see it."""
    number = version.removeprefix("20")
    assert entries(wine) == {f"Starter PyData {version}": number}
    known = products(wine, prefix / "python.exe", UPGRADE)
    assert {code: list(contexts) for code, contexts in known.items()} == {CODES[version]: ["4"]}
    assert known[CODES[version]]["4"]["VersionString"] == number
    assert related(wine, UPGRADE) == 1
    assert wine.registry(r"HKLM\Software\cuvee\Starter")["InstallLocation"] == "C:\\Program Files\\Starter\\"
    place = wine.registry(rf"HKLM\Software\Python\Starter\{version}\InstallPath")
    assert place["ExecutablePath"] == r"C:\Program Files\Starter\python.exe"
    assert json.loads((prefix / "conda-meta" / "cuvee" / "release.json").read_bytes())["version"] == version
    run = wine.run(prefix / "python.exe", "-c", "import attrs, sys; print(sys.prefix, attrs.__name__)")
    assert (run.exit_code, run.stdout.strip()) == (0, r"C:\Program Files\Starter attrs"), run


def test_what_two_releases_have_in_common(packages: dict[str, Path]) -> None:
    old, new = (Database(packages[version]).properties() for version in (OLD, NEW))
    assert (old["UpgradeCode"], new["UpgradeCode"]) == (UPGRADE, UPGRADE)
    assert {OLD: old["ProductCode"], NEW: new["ProductCode"]} == CODES
    assert (old["ProductVersion"], new["ProductVersion"]) == ("26.11.0", "26.11.1")
    assert len({Database(package).summary()["Revision number (UUID)"] for package in packages.values()}) == 2


def test_it_is_made_around_the_exe(part: Starter, packages: dict[str, Path]) -> None:
    for version, package in packages.items():
        exe = part.installer("win-64", "exe", version)
        # Sectors of 512 bytes, 4 bytes about each, and a few kilobytes of tables.
        assert 0 < package.stat().st_size - exe.stat().st_size < exe.stat().st_size // 100

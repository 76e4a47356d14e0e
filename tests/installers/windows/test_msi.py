"""The `.msi` installer under Wine's Windows Installer."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuvee.errors import TooLargeError, ToolMissingError, UsageError
from cuvee.files import sha256_file
from cuvee.image.model import Image
from cuvee.installers.branding import Branding
from cuvee.installers.windows.msi import build_msi, msi_version, product_code, upgrade_code
from cuvee.installers.windows.wixl import Wixl
from cuvee.progress import SILENT
from msi_desktop import UNINSTALL, ended, msiexec, products, reinstall, related, told
from needed_programs import need
from wine_desktop import Wine, windows

CODE, NEWER_CODE = (f"{{{product_code('tiny', number)}}}" for number in ("2026.11.0", "2026.11.1"))
MENU = "users/*/AppData/Roaming/Microsoft/Windows/Start Menu/Programs"
UPGRADE = f"{{{upgrade_code('tiny')}}}"


@pytest.fixture(scope="session")
def win_msi(
    win_image: Image, win_exe: Path, branding: Branding, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    need("wixl", "msibuild")
    target = tmp_path_factory.mktemp("msi") / "Tiny.msi"
    return build_msi(win_image, exe=win_exe, branding=branding, target=target, reporter=SILENT)


@pytest.fixture(scope="session")
def win_newer_msi(
    win_images: tuple[Image, Image], win_newer: Path, branding: Branding, win_msi: Path
) -> Path:
    target = win_msi.parent / "Tiny newer.msi"
    return build_msi(win_images[1], exe=win_newer, branding=branding, target=target, reporter=SILENT)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "Käse & Wein" / "tiny"
    assert not list(tmp_path.rglob(".*cuvee-*"))


def version(place: Path) -> str:
    return str(json.loads((place / "conda-meta" / "cuvee" / "release.json").read_text())["version"])


def programs(wine: Wine, root: str) -> list[str]:
    """The versions among the programs that can be removed."""
    found = []
    for code in (CODE, NEWER_CODE):
        entry = wine.registry(rf"{root}\{UNINSTALL}\{code}")
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
    assert set(ended(log, "InstallFinalize")) == {"1"}
    assert wine.run(place / "python.exe", "-c", "import attrs").exit_code == 0
    assert programs(wine, "HKLM") == ["26.11.0"]
    assert not wine.has_key(rf"HKLM\{UNINSTALL}\Tiny")
    assert not wine.has_key(r"HKLM\Software\Python\Tiny")
    (place / "mine.txt").write_text("mine")

    # The place and the options are found again.
    assert msiexec(wine, "/i", win_newer_msi, log) == 0
    assert (version(place), programs(wine, "HKLM")) == ("2026.11.1", ["26.11.1"])
    assert (place / "mine.txt").read_text() == "mine"
    assert not wine.has_key(r"HKLM\Software\Python\Tiny")
    assert not wine.has_key(rf"HKLM\{UNINSTALL}\Tiny")
    assert wine.registry(r"HKLM\Software\cuvee\Tiny")["InstallLocation"].endswith("Wein\\tiny\\")
    assert msiexec(wine, "/i", win_msi, log) != 0
    assert b"LaunchConditions. Return value 0" in log.read_bytes()
    assert (version(place), programs(wine, "HKLM")) == ("2026.11.1", ["26.11.1"])

    damaged = place / "Lib" / "site-packages" / "attrs" / "__init__.py"
    damaged.write_text("broken")
    repair_log = tmp_path / "repair.log"
    assert reinstall(wine, place / "python.exe", NEWER_CODE, repair_log) == 0
    assert set(ended(repair_log, "INSTALL")) == {"1"}
    assert told(wine, "Tiny", "repair") == ("repair", 0, "2026.11.1")
    assert damaged.read_text() != "broken"
    damaged.write_text("broken")
    assert msiexec(wine, "/i", win_newer_msi, log, "REINSTALL=ALL", "REINSTALLMODE=amus") == 0
    assert damaged.read_text() != "broken"

    removal_log = tmp_path / "remove.log"
    assert msiexec(wine, "/x", NEWER_CODE, removal_log) == 0
    assert {*ended(removal_log, "RemoveAll"), *ended(removal_log, "INSTALL")} == {"1"}
    assert told(wine, "Tiny", "uninstall") == ("uninstall", 0, "2026.11.1")
    assert (left(place), programs(wine, "HKLM")) == (["mine.txt"], [])
    assert related(wine, UPGRADE) == 0
    assert not wine.has_key(r"HKLM\Software\cuvee\Tiny")


@pytest.mark.real
@pytest.mark.parametrize(
    "what",
    [("/x",), ("/i", "REMOVE=ALL"), ("/i", "REINSTALL=ALL", "REINSTALLMODE=amus"), ("/i", "ADVERTISE=ALL")],
    ids=["remove", "remove-by-property", "repair", "advertise"],
)
def test_what_is_not_installed_is_installed_by_an_installation_only(
    what: tuple[str, ...], win_msi: Path, wine: Wine, place: Path, tmp_path: Path
) -> None:
    log, folder = tmp_path / "msi.log", f"INSTALLDIR={windows(place)}"
    code = msiexec(wine, what[0], win_msi, log, folder, *what[1:])
    assert not place.exists()
    if "ADVERTISE=ALL" not in what:
        assert code != 0
        assert b"LaunchConditions. Return value 0" in (tmp_path / "msi.log").read_bytes()
    assert programs(wine, "HKLM") + programs(wine, "HKCU") == []
    assert not wine.has_key(r"HKLM\Software\cuvee\Tiny")


@pytest.mark.real
def test_to_remove_a_newer_release_leaves_the_older_one(
    win_msi: Path, win_newer_msi: Path, wine: Wine, place: Path, tmp_path: Path
) -> None:
    log = tmp_path / "msi.log"
    assert msiexec(wine, "/i", win_msi, log, f"INSTALLDIR={windows(place)}") == 0
    assert msiexec(wine, "/x", win_newer_msi, log) != 0
    assert (version(place), programs(wine, "HKLM")) == ("2026.11.0", ["26.11.0"])
    assert wine.run(place / "python.exe", "-c", "import attrs").exit_code == 0
    assert msiexec(wine, "/x", win_msi, log) == 0
    assert (left(place), programs(wine, "HKLM")) == ([], [])


MINE = ("ALLUSERS=", "MSIINSTALLPERUSER=1")


def traces(wine: Wine, root: str) -> set[str]:
    """What we have written of the distribution into a part of the registry, or should not have."""
    keys = (rf"{UNINSTALL}\Tiny", r"Software\cuvee\Tiny", r"Software\Python\Tiny")
    return {key for key in keys if wine.has_key(rf"{root}\{key}")}


@pytest.mark.real
def test_for_one_user(win_msi: Path, win_newer_msi: Path, wine: Wine, tmp_path: Path) -> None:
    log = tmp_path / "msi.log"
    before = (traces(wine, "HKLM"), wine.registry(r"HKCU\Environment").get("Path", ""))
    assert msiexec(wine, "/i", win_msi, log, *MINE, "ADDTOPATH=1", "REGISTERPYTHON=1") == 0
    (place,) = wine.drive.glob("users/*/AppData/Local/Programs/Tiny")
    assert (place / ".nonadmin").exists()
    home = f"C:\\users\\{place.parts[-5]}"
    check_mine(wine, place, CODE, "2026.11.0")
    assert wine.registry(r"HKCU\Environment")["Path"].split(";")[:2] == [
        rf"{home}\AppData\Local\Programs\Tiny",
        rf"{home}\AppData\Local\Programs\Tiny\Scripts",
    ]
    # The log of who did the work is the user's too.
    assert wine.log("Tiny", "install", "json")
    assert before[0] == traces(wine, "HKLM") == set()
    assert not list(wine.drive.glob("Program Files/Tiny"))

    # The next release follows the user's, with the user's own choices.
    assert msiexec(wine, "/i", win_newer_msi, log, *MINE) == 0
    check_mine(wine, place, NEWER_CODE, "2026.11.1")
    assert list(wine.drive.glob(f"{MENU}/Tiny*/*.lnk"))
    (place / "mine.txt").write_text("mine")
    again = ("REINSTALL=ALL", "REINSTALLMODE=amus")
    assert msiexec(wine, "/i", win_newer_msi, log, *MINE, *again) == 0

    assert msiexec(wine, "/x", NEWER_CODE, log, *MINE) == 0
    assert left(place) == ["mine.txt"]
    assert (traces(wine, "HKLM"), traces(wine, "HKCU")) == (set(), set())
    assert programs(wine, "HKLM") + programs(wine, "HKCU") == []
    assert wine.registry(r"HKCU\Environment").get("Path", "") == before[1]
    assert not list(wine.drive.glob(f"{MENU}/Tiny*"))
    shutil.rmtree(place)


def check_mine(wine: Wine, place: Path, code: str, number: str) -> None:
    """Look at an installation for one user, as Windows Installer and others see it."""
    here = f"C:\\users\\{place.parts[-5]}\\AppData\\Local\\Programs\\Tiny"
    assert traces(wine, "HKCU") == {r"Software\cuvee\Tiny", r"Software\Python\Tiny"}
    assert wine.registry(r"HKCU\Software\cuvee\Tiny")["InstallLocation"] == f"{here}\\"
    # Windows lists it for this user; Wine 8 lists whatever it has installed for all of them.
    assert sorted(programs(wine, "HKCU") + programs(wine, "HKLM")) == [msi_version(number)]
    entry = wine.registry(rf"HKCU\{UNINSTALL}\{code}") or wine.registry(rf"HKLM\{UNINSTALL}\{code}")
    assert entry["DisplayName"].startswith("Tiny & S")  # `reg` writes no UTF-8
    assert entry["DisplayName"].endswith(f" {number}")
    assert (entry["DisplayVersion"], entry["InstallLocation"]) == (msi_version(number), f"{here}\\")
    assert int(entry["Size"]) > 10_000
    python = wine.registry(rf"HKCU\Software\Python\Tiny\{number}\InstallPath")
    assert python["ExecutablePath"] == rf"{here}\python.exe"
    known = products(wine, place / "python.exe", UPGRADE)
    assert {code: list(contexts) for code, contexts in known.items()} == {code: ["2"]}
    assert version(place) == number


@pytest.mark.real
def test_who_removes_it_need_not_say_for_whom_it_was(win_msi: Path, wine: Wine, tmp_path: Path) -> None:
    assert msiexec(wine, "/i", win_msi, tmp_path / "msi.log", *MINE) == 0
    (place,) = wine.drive.glob("users/*/AppData/Local/Programs/Tiny")
    # As Add or Remove Programs does.
    assert msiexec(wine, "/x", CODE, tmp_path / "msi.log") == 0
    assert not place.exists()
    assert programs(wine, "HKLM") + programs(wine, "HKCU") == []
    # Windows knows whose it is; Wine 8 takes it for the machine's, and leaves the user's own note of it.
    wine.run("reg", "delete", r"HKCU\Software\cuvee", "/f")
    assert traces(wine, "HKCU") == set()


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
    win_msi: Path, win_image: Image, win_exe: Path, branding: Branding, tmp_path: Path
) -> None:
    again = build_msi(win_image, exe=win_exe, branding=branding, target=tmp_path / "x.msi", reporter=SILENT)
    assert sha256_file(again) == sha256_file(win_msi)


def test_identifiers_never_change() -> None:
    assert upgrade_code("starter") == "5C834A38-78E5-5069-BEDD-A16658CC91E9"
    assert product_code("starter", "2026.11.0") == "CE9BFD30-529E-5EEC-B221-AF9C13A61EE6"
    assert product_code("starter", "2026.11.1") != product_code("starter", "2026.11.0")


def test_numbers() -> None:
    good = {"2026.11.0": "26.11.0", "2255.1.65535": "255.1.65535", "3.1": "3.1.0", "24.3.0-0": "24.3.0"}
    assert {number: msi_version(number) for number in good} == good
    # Windows would not tell them from others, or not order them so.
    for bad in ("1999.1.0", "2300.1.0", "1.256.0", "1.0.65536", "24.3.0-1", "3.1rc1", "v3", "3..1"):
        with pytest.raises(UsageError, match="compares three numbers"):
            msi_version(bad)


@pytest.mark.real
def test_what_is_too_large_is_refused(win_image: Image, branding: Branding, tmp_path: Path) -> None:
    need("wixl", "msibuild")
    large = tmp_path / "large.exe"
    with large.open("wb") as stream:
        stream.truncate(1 << 31)
    with pytest.raises(TooLargeError, match="supports less than 2"):
        build_msi(win_image, exe=large, branding=branding, target=tmp_path / "x.msi", reporter=SILENT)


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

"""Titles that hold what NSIS, wixl and Windows Installer replace are shown as they are."""

from dataclasses import replace
from pathlib import Path

import pytest

from cuvee.image.model import Image
from cuvee.installers.branding import Branding
from cuvee.installers.windows.exe import build_exe
from cuvee.installers.windows.msi import build_msi
from cuvee.progress import SILENT
from msi_desktop import Database
from needed_programs import need

pytestmark = pytest.mark.real

TITLE = "T `x` $x 5$ $$ $(env.HOME) $(x) ${x} $INSTDIR [WindowsFolder] {a} <b> \"c\" 'd' %TEMP% \\n"


@pytest.fixture(scope="module")
def titled(win_image: Image) -> Image:
    return replace(win_image, label=replace(win_image.label, title=TITLE))


def test_exe(titled: Image, branding: Branding, tmp_path: Path) -> None:
    need("makensis")
    branding = replace(branding, publisher=f"{TITLE} Ltd", welcome=f"{TITLE}\nWelcome.")
    exe = build_exe(
        titled, branding=branding, target=tmp_path / "T.exe", reporter=SILENT, compression="quick"
    )
    assert TITLE.encode("utf-16-le") in exe.read_bytes()  # in the version's resource


def test_msi(titled: Image, branding: Branding, tmp_path: Path) -> None:
    need("wixl", "msibuild")
    (tmp_path / "setup.exe").write_bytes(b"MZ")
    target = build_msi(
        titled,
        exe=tmp_path / "setup.exe",
        branding=replace(branding, publisher=f"{TITLE} Ltd", url="https://example.org/$(env.HOME)"),
        target=tmp_path / "x.msi",
        reporter=SILENT,
    )
    package = Database(target)
    properties = package.properties()
    assert properties["ProductName"] == f"{TITLE} {titled.label.version}"
    assert properties["Manufacturer"] == f"{TITLE} Ltd"
    assert properties["ARPURLINFOABOUT"] == "https://example.org/$(env.HOME)"
    (message,) = (
        row["Description"] for row in package.table("LaunchCondition") if row["Condition"] == "NOT NEWER"
    )
    # https://learn.microsoft.com/windows/win32/msi/formatted
    escaped = TITLE.replace("[WindowsFolder] {a}", r"[\[]WindowsFolder[\]] [\{]a[\}]").replace(
        "${x}", r"$[\{]x[\}]"
    )
    assert message == f"A newer release of {escaped} is installed already."

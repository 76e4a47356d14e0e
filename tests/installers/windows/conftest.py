"""The tiny distribution's win-64 image and installer, made once for all workers, and a Wine for each."""

import json
from collections.abc import Iterator
from pathlib import Path
from platform import libc_ver

import pytest

from cuvee import platforms
from cuvee.image.model import Image
from cuvee.installers.branding import Branding
from cuvee.installers.windows.exe import build_exe
from cuvee.progress import SILENT
from needed_programs import need
from run_folder import RUN
from tiny_distribution import MANIFEST, Distribution, Recorder
from wine_desktop import Wine

BRANDING = Branding(
    license_text="Use it.\n„Gern“ & $HOME", publisher='Müller "and" Sons', url="https://example.org"
)


SETTINGS = {
    "installer.yaml": """\
pre_install: before.bat
post_install: after.bat
condarc: {channels: [conda-forge]}
extra_files:
  - menu.json: Menu/tiny.json
  - menu.json: share/tiny/menu.json
""",
    # What fails on request: the variable comes from whoever starts the installer.
    "before.bat": '@echo off\r\nif exist "%PREFIX%\\conda-meta\\history" echo an upgrade\r\n',
    "after.bat": '@echo off\r\n>"%PREFIX%\\post.txt" echo %INSTALLER_VER% %INSTALLER_UNATTENDED%\r\n'
    "if defined TINY_FAILS exit /b 7\r\n",
    "menu.json": json.dumps(
        {
            "$id": "https://schemas.conda.org/menuinst-1.schema.json",
            "$schema": "https://json-schema.org/draft-07/schema",
            "menu_name": "{{ DISTRIBUTION_NAME }} (64-bit)",
            "menu_items": [
                {
                    "name": "Tiny Prompt: Käse",
                    "description": "A prompt",
                    "command": ["{{ PYTHON }}", "-c", "print('a b')"],
                    "icon": "{{ MENU_DIR }}/tiny.{{ ICON_EXT }}",
                    "activate": False,
                    "platforms": {"win": {}, "linux": {}},
                },
                {
                    "name": "Tiny Window",
                    "description": "With the environment",
                    "command": ["{{ PREFIX }}/pythonw.exe", "-m", "tqdm"],
                    "activate": True,
                    "platforms": {"win": {"desktop": True}},
                },
            ],
        }
    ),
}


@pytest.fixture(scope="session")
def win_images() -> tuple[Image, Image]:
    """The images of two releases of the tiny distribution for Windows, of which the second does more."""
    host = platforms.host()
    if host is None or host.system != "linux":
        pytest.skip("needs Linux on a machine that cuvee knows")
    text = MANIFEST.format(host=host.name, glibc=libc_ver()[1]).replace(
        "title: Tiny", 'title: "Tiny & Söhne"'
    )

    def cut(root: Path) -> None:
        distribution = Distribution(root, Recorder())
        distribution.cut(distribution.write(text), "win-64")
        folder = root / "branding"
        folder.mkdir()
        for name, content in SETTINGS.items():
            (folder / name).write_text(content, encoding="utf-8", newline="")
        more = text.replace("2026.11.0", "2026.11.1").replace(
            "{linux: [sh]}", f"{{linux: [sh]}}, branding: {folder}"
        )
        distribution.cut(distribution.write(more, "2026.11.1"), "win-64")

    dist = RUN.made_once("tiny-win", cut) / "dist"
    first, second = (Image.load(dist / f"tiny-2026.11.{number}" / "images" / "win-64") for number in (0, 1))
    return first, second


@pytest.fixture(scope="session")
def win_image(win_images: tuple[Image, Image]) -> Image:
    """The image of the tiny distribution for Windows; read-only."""
    return win_images[0]


@pytest.fixture(scope="session")
def branding() -> Branding:
    return BRANDING


@pytest.fixture(scope="session")
def win_exe(win_images: tuple[Image, Image]) -> Path:
    """The installer of the tiny distribution for Windows; read-only."""
    need("makensis")

    def make(folder: Path) -> None:
        folder.mkdir()
        for image, name in zip(win_images, ("Tiny.exe", "Tiny newer.exe"), strict=True):
            build_exe(image, branding=BRANDING, target=folder / name, reporter=SILENT, compression="quick")

    return RUN.made_once("tiny-exe", make) / "Tiny.exe"


@pytest.fixture(scope="session")
def win_newer(win_exe: Path) -> Path:
    """The installer of the next release; read-only."""
    return win_exe.parent / "Tiny newer.exe"


@pytest.fixture(scope="session")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    need("wine")
    desktop = Wine(tmp_path_factory.mktemp("wine"))
    yield desktop
    desktop.stop()

"""The tiny distribution's win-64 image and installer, and one Wine for all tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from platform import libc_ver

import pytest

from cuvee import platforms
from cuvee.image import Image
from cuvee.installers.looks import Looks
from cuvee.installers.windows.exe import build_exe
from cuvee.progress import SILENT
from tiny_distribution import MANIFEST, Distribution, Recorder
from wine_desktop import Wine

LOOKS = Looks(
    license_text="Use it.\n„Gern“ & $HOME", publisher='Müller "and" Sons', url="https://example.org"
)


@pytest.fixture(scope="session")
def win_image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image of the tiny distribution for Windows; read-only."""
    host = platforms.host()
    if host is None or host.system != "linux":
        pytest.skip("needs Linux on a machine that cuvee knows")
    distribution = Distribution(tmp_path_factory.mktemp("tiny-win"), Recorder())
    text = MANIFEST.format(host=host.name, glibc=libc_ver()[1]).replace(
        "title: Tiny", 'title: "Tiny & Söhne"'
    )
    distribution.cut(distribution.write(text), "win-64")
    return Image.load(distribution.dist / "tiny-2026.11.0" / "images" / "win-64")


@pytest.fixture(scope="session")
def looks() -> Looks:
    return LOOKS


@pytest.fixture(scope="session")
def win_exe(win_image: Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installer of the tiny distribution for Windows; read-only."""
    if shutil.which("makensis") is None:
        pytest.skip("needs makensis, Debian's package nsis")
    target = tmp_path_factory.mktemp("exe") / "Tiny.exe"
    return build_exe(win_image, looks=LOOKS, target=target, reporter=SILENT, compression="quick")


@pytest.fixture(scope="session")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    if shutil.which("wine") is None:
        pytest.skip("needs Wine, Debian's packages wine and wine64")
    desktop = Wine(tmp_path_factory.mktemp("wine"))
    yield desktop
    desktop.stop()

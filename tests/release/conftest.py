"""The tiny distribution, cut once for all workers."""

import shutil
from collections.abc import Callable
from pathlib import Path
from platform import libc_ver

import pytest

from cuvee import platforms
from cuvee.release.record import Release
from run_folder import RUN
from tiny_distribution import MANIFEST, Distribution, Recorder


@pytest.fixture(scope="session")
def host_platform() -> str:
    host = platforms.host()
    if host is None or host.system != "linux":
        pytest.skip("needs a Linux host on x86-64 or ARM64")
    return host.name


@pytest.fixture(scope="session")
def tiny_text(host_platform: str) -> str:
    return MANIFEST.format(host=host_platform, glibc=libc_ver()[1])


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory, tiny_text: str) -> tuple[Distribution, Release]:
    """The tiny distribution and the result of cutting its first release; treat both as read-only.

    Each worker has a copy, since commands lock the folder of a release while they read it.
    """

    def cut(folder: Path) -> None:
        distribution = Distribution(folder, Recorder())
        distribution.cut(distribution.write(tiny_text))

    root = tmp_path_factory.mktemp("tiny") / "tiny"
    shutil.copytree(RUN.made_once("tiny", cut), root, symlinks=True)
    return Distribution(root, Recorder()), Release.open(root / "dist" / "tiny-2026.11.0")


@pytest.fixture
def copied(tiny: tuple[Distribution, Release], tmp_path: Path) -> Callable[[], Distribution]:
    """Return a copy of the tiny distribution that a test may change; modification times are kept."""

    def copy() -> Distribution:
        target = tmp_path / "copy"
        shutil.copytree(tiny[0].root, target, symlinks=True)
        return Distribution(target, Recorder())

    return copy

"""Installers past the sizes at which 32-bit numbers end: 2 GiB for NSIS's own data, 4 GiB for a program.

The real ones hold 2.1 GiB of noise. They take minutes and 10 GB of disk, so they are made only where
``CUVEE_LARGE`` is set.
"""

import os
import random
import shutil
import tracemalloc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cuvee import process
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.conda.package_record import LockedPackage
from cuvee.errors import TooLargeError
from cuvee.files import sha256_file
from cuvee.image.model import Image
from cuvee.installers.branding import Branding
from cuvee.installers.sh import build_sh
from cuvee.installers.windows import exe
from cuvee.installers.windows.exe import build_exe
from cuvee.lock.model import PlatformLock
from cuvee.lock.pixi_lock import read_lock
from cuvee.process import Request
from cuvee.progress import SILENT
from cuvee.runtime.windows.exe_container import open_container
from needed_programs import HANGING, need
from tiny_release import TIME, Release, build, locked
from wine_desktop import Wine, windows

MIB, GIB = 1 << 20, 1 << 30
FILES, SIZE = 45, 48 * MIB
MEMORY = 700 * MIB
"""What an installation may need, far below what the installer holds."""

MAKING = 128 * MIB
"""What making an image may need at a time, far below what its largest package holds."""


pytestmark = pytest.mark.real

large = pytest.mark.skipif(
    not os.environ.get("CUVEE_LARGE"), reason="takes minutes and 10 GB of disk: set CUVEE_LARGE=1 for it"
)


def sparse(image: Image, folder: Path, size: int) -> Image:
    """The image with a payload of ``size`` zeros, which take no disk."""
    folder.mkdir()
    for part in (image.stage0, image.manifest):
        shutil.copy(part, folder)
    found = replace(image, folder=folder)
    with found.payload.open("wb") as stream:
        stream.truncate(size)
    return found


@pytest.mark.parametrize("below", [-1, 2 * MIB], ids=["by its payload", "with its program"])
def test_a_program_of_four_gib_is_refused_before_it_is_written(
    below: int, win_image: Image, branding: Branding, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 4 * GIB - 64 * MIB
    image = sparse(win_image, tmp_path / "image", most - below - win_image.manifest.stat().st_size)
    if below < 0:  # then nothing is compiled, either
        monkeypatch.setenv("PATH", "")
    else:
        need("makensis")
    monkeypatch.setattr(exe, "digest", None)
    with pytest.raises(TooLargeError, match=r"would have 3\.9 GiB, .* 4 GiB or more"):
        build_exe(image, branding=branding, target=tmp_path / "x.exe", reporter=SILENT, compression="quick")
    assert [path.name for path in tmp_path.iterdir()] == ["image"]


@pytest.mark.parametrize(
    "shell",
    [("dash",), ("bash", "--posix"), ("busybox", "sh"), ("zsh", "--emulate", "sh")],
    ids=lambda s: s[0],
)
def test_shells_count_past_four_gib(shell: tuple[str, ...], release: Release, tmp_path: Path) -> None:
    need(shell[0])
    installer = tmp_path / "Tiny.sh"
    shutil.copy(release.installer, installer)
    size = installer.stat().st_size
    # To 32 bits these are the same number.
    with installer.open("r+b") as stream:
        stream.truncate(size + 4 * GIB)
    done = release.install("-b", "-p", tmp_path / "tiny", installer=installer, shell=shell)
    assert done.exit_code == 5
    assert f"has {size + 4 * GIB} bytes instead of {size}." in done.stderr
    assert not (tmp_path / "tiny").exists()


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Images of 2.1 GiB for Windows and this machine; ``digests`` are those of the noise, by path."""

    windows: Image
    host: Image
    digests: Mapping[str, str]

    def is_in(self, prefix: Path) -> bool:
        return all(sha256_file(prefix / path) == digest for path, digest in self.digests.items())


@pytest.fixture(scope="module")
def noise(release: Release, win_image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Noise]:
    root = tmp_path_factory.mktemp("noise")
    path, digests = _write_noise(root)
    cut = win_image.folder.parent.parent
    lock = next(lock for lock in read_lock(cut / "lock" / "pixi.lock").platforms if lock.platform == "win-64")
    archives = {package.identifier: cut / package.url for package in lock.packages}
    images = [
        _image(lock, archives, path, root / "windows"),
        _image(release.lock, release.archives, path, root / "host"),
    ]
    shutil.rmtree(root / "cache")
    path.unlink()
    yield Noise(windows=images[0], host=images[1], digests=digests)
    shutil.rmtree(root)


def _write_noise(root: Path) -> tuple[Path, dict[str, str]]:
    """Write one package that holds all of it; give its path and the digests of its files."""
    chance = random.Random(0)  # noqa: S311 - noise that is the same each time
    files, digests = [], {}
    for number in range(FILES):
        path, source = f"share/noise/{number:02}", root / f"{number:02}"
        source.write_bytes(chance.randbytes(SIZE))
        files.append(PackageFile(path=path, content=source))
        digests[path] = sha256_file(source)
    content = PackageContent(
        name="noise",
        version="1",
        build="0",
        subdir="noarch",
        noarch="generic",
        timestamp=TIME,
        files=tuple(files),
    )
    archive = write_package(content, root)
    for number in range(FILES):
        (root / f"{number:02}").unlink()
    return archive, digests


def _image(lock: PlatformLock, archives: Mapping[str, Path], path: Path, folder: Path) -> Image:
    added = locked(path, lock.platform)
    packages: list[LockedPackage] = sorted([*lock.packages, added], key=lambda package: str(package.name))
    tracemalloc.start()
    try:
        image = build(
            replace(lock, packages=tuple(packages)),
            {**archives, added.identifier: path},
            {"python": "python"},
            folder=folder,
            cache=folder.parent / "cache",
        )
        assert tracemalloc.get_traced_memory()[1] < MAKING
    finally:
        tracemalloc.stop()
    return image


def install(wine: Wine, installer: Path, prefix: Path, *options: str) -> int:
    return wine.run(installer, "/S", *options, f"/D={windows(prefix)}", timeout=HANGING).exit_code


def flip(path: Path, position: int) -> None:
    with path.open("r+b") as stream:
        stream.seek(position)
        (byte,) = stream.read(1)
        stream.seek(position)
        stream.write(bytes([byte ^ 1]))


@large
def test_exe(noise: Noise, wine: Wine, tmp_path: Path) -> None:
    installer = tmp_path / "Large.exe"
    build_exe(noise.windows, branding=Branding(), target=installer, reporter=SILENT, compression="quick")
    assert installer.stat().st_size > 2 * GIB
    assert open_container(str(installer)).manifest_at < 32 * MIB, "the payload is no part of NSIS's own"

    prefix = tmp_path / "new" / "tiny"
    for position in (2 * GIB + 16 * MIB, installer.stat().st_size - MIB):
        flip(installer, position)
        assert install(wine, installer, prefix) == 5
        assert "is damaged" in wine.log("Tiny", "install")
        assert not prefix.parent.exists()
        flip(installer, position)

    assert install(wine, installer, prefix) == 0, wine.log("Tiny", "install")
    assert noise.is_in(prefix)
    command = prefix / "Scripts" / "tiny-admin.cmd"
    assert wine.run("cmd", "/c", command, "verify", timeout=HANGING).exit_code == 0
    # What is beyond 2 GiB is found there again.
    far = prefix / max(noise.digests)
    flip(far, SIZE - 1)
    assert wine.run("cmd", "/c", command, "verify", timeout=HANGING).exit_code == 1
    assert install(wine, installer, prefix, "/repair") == 0
    assert noise.is_in(prefix)
    assert wine.uninstall(prefix / "Uninstall-Tiny.exe", timeout=HANGING) == 0
    assert [path.name for path in prefix.iterdir()] == ["cuvee-saved"], "what was changed is kept"
    shutil.rmtree(prefix)
    installer.unlink()


@large
@pytest.mark.parametrize("shell", [("dash",), ("busybox", "sh")], ids=lambda shell: shell[0])
def test_sh(shell: tuple[str, ...], noise: Noise, tmp_path: Path) -> None:
    need(shell[0], "prlimit")
    installer = build_sh(noise.host, license_text="", target=tmp_path / "Large.sh", reporter=SILENT)
    assert installer.stat().st_size > 2 * GIB
    prefix = tmp_path / "new" / "tiny"

    def run(*argv: str | Path) -> int:
        limited = ("prlimit", f"--as={MEMORY}", *shell, *map(str, argv))
        return process.run(Request(argv=limited, timeout=HANGING)).exit_code

    flip(installer, 2 * GIB + 16 * MIB)
    assert run(installer, "-b", "-p", prefix) == 5
    assert not prefix.parent.exists()
    flip(installer, 2 * GIB + 16 * MIB)
    assert run(installer, "-b", "-p", prefix) == 0
    assert noise.is_in(prefix)
    for verb in ("verify", "uninstall"):
        assert run(prefix / "bin" / "tiny-admin", verb) == 0
    assert not prefix.exists()
    installer.unlink()

"""Installers past the sizes at which 32-bit numbers end: 2 GiB for NSIS's own data, 4 GiB for a program.

The real ones hold 2.1 GiB of noise. They take minutes and 10 GB of disk, so they are made only where
``CUVEE_LARGE`` is set.
"""

import hashlib
import os
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cuvee import process
from cuvee.channel.package import PackageContent, PackageFile, write_package
from cuvee.errors import TooLargeError
from cuvee.files import sha256_file
from cuvee.image import Image
from cuvee.installers.looks import Looks
from cuvee.installers.sh import build_sh
from cuvee.installers.windows import exe
from cuvee.installers.windows.desktop.container import open_container
from cuvee.installers.windows.exe import build_exe
from cuvee.lock.model import LockedPackage, PlatformLock
from cuvee.lock.pixi import read_lock
from cuvee.process import Request
from cuvee.progress import SILENT
from tiny_release import TIME, Release, build, locked
from wine_desktop import Wine, windows

MIB, GIB = 1 << 20, 1 << 30
PACKAGES, FILES, SIZE = 9, 5, 48 * MIB
MEMORY = 700 * MIB
"""What an installation may need, far below what the installer holds."""

TIMEOUT = 900.0

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
    below: int, win_image: Image, looks: Looks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 4 * GIB - 64 * MIB
    image = sparse(win_image, tmp_path / "image", most - below - win_image.manifest.stat().st_size)
    if below < 0:  # then nothing is compiled, either
        monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(exe, "digest", None)
    with pytest.raises(TooLargeError, match=r"would have 3\.9 GiB, .* 4 GiB or more"):
        build_exe(image, looks=looks, target=tmp_path / "x.exe", reporter=SILENT, compression="quick")
    assert [path.name for path in tmp_path.iterdir()] == ["image"]


@pytest.mark.parametrize(
    "shell",
    [("dash",), ("bash", "--posix"), ("busybox", "sh"), ("zsh", "--emulate", "sh")],
    ids=lambda s: s[0],
)
def test_shells_count_past_four_gib(shell: tuple[str, ...], release: Release, tmp_path: Path) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"needs {shell[0]}")
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
    digests: dict[str, str] = {}
    paths = [_write_noise(number, root, digests) for number in range(PACKAGES)]
    cut = win_image.folder.parent.parent
    lock = next(lock for lock in read_lock(cut / "lock" / "pixi.lock").platforms if lock.platform == "win-64")
    archives = {package.identifier: cut / package.url for package in lock.packages}
    images = [
        _image(lock, archives, paths, root / "windows"),
        _image(release.lock, release.archives, paths, root / "host"),
    ]
    shutil.rmtree(root / "cache")
    for path in paths:
        path.unlink()
    yield Noise(windows=images[0], host=images[1], digests=digests)
    shutil.rmtree(root)


def _write_noise(number: int, root: Path, digests: dict[str, str]) -> Path:
    """Write one package of many: an image reads a package whole, and keeps two in memory at a time."""
    chance = random.Random(number)  # noqa: S311 - noise that is the same each time
    files = []
    for name in range(FILES):
        data = chance.randbytes(SIZE)
        files.append(PackageFile(path=f"share/noise/{number}-{name}", content=data))
        digests[files[-1].path] = hashlib.sha256(data).hexdigest()
    content = PackageContent(
        name=f"noise-{number}",
        version="1",
        build="0",
        subdir="noarch",
        noarch="generic",
        timestamp=TIME,
        files=tuple(files),
    )
    return write_package(content, root, level=1)


def _image(lock: PlatformLock, archives: Mapping[str, Path], paths: Sequence[Path], folder: Path) -> Image:
    added = {locked(path, lock.platform): path for path in paths}
    packages: list[LockedPackage] = sorted([*lock.packages, *added], key=lambda package: str(package.name))
    return build(
        replace(lock, packages=tuple(packages)),
        {**archives, **{package.identifier: path for package, path in added.items()}},
        {"python": "python"},
        folder=folder,
        cache=folder.parent / "cache",
    )


def install(wine: Wine, installer: Path, prefix: Path, *options: str) -> int:
    return wine.run(installer, "/S", *options, f"/D={windows(prefix)}", timeout=TIMEOUT).exit_code


def flip(path: Path, position: int) -> None:
    with path.open("r+b") as stream:
        stream.seek(position)
        (byte,) = stream.read(1)
        stream.seek(position)
        stream.write(bytes([byte ^ 1]))


@large
def test_exe(noise: Noise, wine: Wine, tmp_path: Path) -> None:
    installer = tmp_path / "Large.exe"
    build_exe(noise.windows, looks=Looks(), target=installer, reporter=SILENT, compression="quick")
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
    assert wine.run("cmd", "/c", command, "verify", timeout=TIMEOUT).exit_code == 0
    # What is beyond 2 GiB is found there again.
    far = prefix / max(noise.digests)
    flip(far, SIZE - 1)
    assert wine.run("cmd", "/c", command, "verify", timeout=TIMEOUT).exit_code == 1
    assert install(wine, installer, prefix, "/repair") == 0
    assert noise.is_in(prefix)
    assert wine.uninstall(prefix / "Uninstall-Tiny.exe", timeout=TIMEOUT) == 0
    assert [path.name for path in prefix.iterdir()] == ["cuvee-saved"], "what was changed is kept"
    shutil.rmtree(prefix)
    installer.unlink()


@large
@pytest.mark.parametrize("shell", [("dash",), ("busybox", "sh")], ids=lambda shell: shell[0])
def test_sh(shell: tuple[str, ...], noise: Noise, tmp_path: Path) -> None:
    if shutil.which(shell[0]) is None or shutil.which("prlimit") is None:
        pytest.skip(f"needs {shell[0]} and prlimit")
    installer = build_sh(noise.host, license_text="", target=tmp_path / "Large.sh", reporter=SILENT)
    assert installer.stat().st_size > 2 * GIB
    prefix = tmp_path / "new" / "tiny"

    def run(*argv: str | Path) -> int:
        limited = ("prlimit", f"--as={MEMORY}", *shell, *map(str, argv))
        return process.run(Request(argv=limited, timeout=TIMEOUT)).exit_code

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

"""The tiny release for this machine, made once for all workers."""

from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from cuvee.channel.interpreter import pack_interpreters
from cuvee.channel.model import Interpreter
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.image.settings import InstallerSettings
from cuvee.installers.sh import build_sh
from cuvee.lock.model import PlatformLock
from cuvee.platforms import host
from cuvee.progress import SILENT
from lean_interpreter import lean_interpreter
from run_folder import RUN
from tiny_release import (
    LICENSE,
    RattlerPrefixes,
    Release,
    build,
    decoder,
    locked,
    places,
    tools,
    twin,
)


class Dress(Protocol):
    """Makes a release with settings and more packages; ``upgrade`` for the newer one."""

    def __call__(
        self, settings: InstallerSettings, *contents: PackageContent, upgrade: bool = False
    ) -> Release: ...


@pytest.fixture(scope="session")
def release() -> Release:
    """The tiny release for this machine, with its `.sh` installer; read-only."""
    platform = host()
    if platform is None or platform.system != "linux":
        pytest.skip("needs Linux on a machine that cuvee knows")
    return RUN.value("release", lambda folder: make_release(platform.name, folder, RUN.path / "cache"))


def make_release(platform: str, root: Path, cache: Path) -> Release:
    """Make it, with what the cache has."""
    (interpreter,) = pack_interpreters([platform], cache=cache, reporter=SILENT)
    if not isinstance(interpreter, Interpreter):
        pytest.skip(f"needs an interpreter that can be packed: {interpreter.reason}")
    contents = [decoder(platform), tools(), places(platform), twin("a"), twin("b")]
    python = lean_interpreter(interpreter.archive, root / platform)
    paths = [python, *(write_package(content, root / content.subdir) for content in contents)]
    packages = sorted((locked(path, platform) for path in paths), key=lambda package: package.name)
    archives = {locked(path, platform).identifier: path for path in paths}
    lock = PlatformLock(
        platform=platform,
        packages=tuple(packages),
        virtual_packages=(VirtualPackage(name="__glibc", version="2.17"),),
    )
    requested = {"tools": "tools >=1", "python": "python"}
    image = build(lock, archives, requested, folder=root / "image", cache=cache)
    installer = build_sh(image, license_text=LICENSE, target=root / "Tiny.sh", reporter=SILENT)
    return Release(
        lock=lock, archives=archives, requested=requested, image=image, installer=installer, cache=cache
    )


@pytest.fixture(scope="session")
def newer(release: Release) -> Release:
    """The next release, read-only: `tools` has another version, one twin is gone, all else is as it was."""
    return RUN.value("newer", lambda folder: make_newer(release, folder))


def make_newer(release: Release, root: Path) -> Release:
    """Make it of the packages of the first."""
    content = tools()
    files = [
        replace(file, content=b"second") if file.path.endswith("data.txt") else file
        for file in content.files
        if "readme" not in file.path
    ]
    files.append(PackageFile(path="share/tools/new", content=b"new"))
    path = write_package(replace(content, version="1.1", files=tuple(files)), root)
    platform = release.lock.platform
    new = locked(path, platform)
    kept = [package for package in release.lock.packages if package.name not in {"tools", "twin-b"}]
    lock = replace(release.lock, packages=tuple(sorted([*kept, new], key=lambda package: str(package.name))))
    archives = dict(release.archives) | {new.identifier: path}
    image = build(
        lock, archives, release.requested, folder=root / "image", cache=release.cache, version="2026.11.1"
    )
    installer = build_sh(image, license_text=LICENSE, target=root / "Tiny.sh", reporter=SILENT)
    return replace(release, lock=lock, archives=archives, image=image, installer=installer)


@pytest.fixture(scope="session")
def dress(release: Release, newer: Release, tmp_path_factory: pytest.TempPathFactory) -> Dress:
    """Make one of the two releases with settings, and with more packages."""

    made: dict[str, Release] = {}

    def make(settings: InstallerSettings, *contents: PackageContent, upgrade: bool = False) -> Release:
        key = repr((settings, contents, upgrade))
        if key not in made:
            made[key] = cut(settings, contents, upgrade=upgrade)
        return made[key]

    def cut(settings: InstallerSettings, contents: tuple[PackageContent, ...], *, upgrade: bool) -> Release:
        base, root = newer if upgrade else release, tmp_path_factory.mktemp("dressed")
        archives, packages = dict(base.archives), list(base.lock.packages)
        for content in contents:
            path = write_package(content, root)
            packages.append(locked(path, base.lock.platform))
            archives[packages[-1].identifier] = path
        packages.sort(key=lambda package: str(package.name))
        lock = replace(base.lock, packages=tuple(packages))
        version = "2026.11.1" if upgrade else "2026.11.0"
        image = build(
            lock,
            archives,
            base.requested,
            folder=root / "image",
            cache=base.cache,
            version=version,
            settings=settings,
        )
        installer = build_sh(image, license_text=LICENSE, target=root / "Tiny.sh", reporter=SILENT)
        return replace(base, lock=lock, archives=archives, image=image, installer=installer)

    return make


@pytest.fixture(scope="session")
def linked(release: Release, tmp_path_factory: pytest.TempPathFactory) -> RattlerPrefixes:
    """What rattler makes of the same packages, at any path."""
    return RattlerPrefixes(release, tmp_path_factory.mktemp("rattler"))

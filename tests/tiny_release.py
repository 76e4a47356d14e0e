"""A tiny real release: this machine's interpreter, a zstd decoder, and packages with every kind of file."""

import asyncio
import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cuvee import process
from cuvee.byte_code.byte_compiler import ByteCompiler, matching_compiler
from cuvee.channel.package_writer import PLACEHOLDER, PackageContent, PackageFile, is_executable
from cuvee.codec import encode
from cuvee.conda.package_archive import archive_hashes
from cuvee.conda.package_info import read_info
from cuvee.conda.package_record import LockedPackage
from cuvee.image.build import build_image
from cuvee.image.model import Image, ImageSigner, ReleaseLabel
from cuvee.image.settings import InstallerSettings
from cuvee.lock.model import PlatformLock
from cuvee.progress import SILENT
from needed_programs import HANGING

TIME = 1_700_000_000_000
LICENSE = 'Permission is granted.\nCUVEE_LICENSE\nIt\'s "free" $HOME `id`.\n'


@dataclass(frozen=True, kw_only=True)
class Release:
    """A tiny release on disk."""

    lock: PlatformLock
    archives: Mapping[str, Path]
    requested: Mapping[str, str]
    image: Image
    installer: Path
    cache: Path
    license_text: str = LICENSE

    def install(
        self,
        *arguments: str | Path,
        shell: tuple[str, ...] = ("sh",),
        environment: Mapping[str, str] | None = None,
        stdin: str = "",
        installer: Path | None = None,
        cwd: Path | None = None,
    ) -> process.Completed:
        """Run its installer under a shell, with nothing in the environment but what is given."""
        argv = (*shell, str(installer or self.installer), *map(str, arguments))
        clean = {"PATH": os.environ["PATH"]} | dict(environment or {})
        return process.run(
            process.Request(argv=argv, environment=clean, stdin=stdin.encode(), cwd=cwd, timeout=HANGING)
        )

    def build(self, folder: Path, *, cache: Path | None = None, level: int = 1) -> Image:
        """Build its image once more."""
        return build(
            self.lock, self.archives, self.requested, folder=folder, cache=cache or self.cache, level=level
        )


def build(
    lock: PlatformLock,
    archives: Mapping[str, Path],
    requested: Mapping[str, str],
    *,
    folder: Path,
    cache: Path,
    level: int = 1,
    version: str = "2026.11.0",
    sbom: bytes = b"",
    signer: ImageSigner | None = None,
    settings: InstallerSettings | None = None,
) -> Image:
    return build_image(
        lock,
        release=ReleaseLabel(distribution="tiny", version=version, title="Tiny & Sons"),
        archives=archives,
        requested=requested,
        cache=cache,
        folder=folder,
        level=level,
        compiler=matching_compiler(lock.by_name["python"].version, cache)
        or ByteCompiler(Path(sys.executable), cache),
        reporter=SILENT,
        sbom=sbom,
        signer=signer,
        settings=settings,
    )


def settings_json(settings: InstallerSettings) -> dict[str, Any]:
    """Return settings as the image's manifest has them."""
    value: dict[str, Any] = json.loads(json.dumps(encode(settings, without=frozenset({"extra_files"}))))
    return value


class RattlerPrefixes:
    """Links the release's packages with rattler, then copies the prefix away from its place."""

    def __init__(self, release: Release, folder: Path) -> None:
        self._release = release
        self._folder = folder
        self._count = 0

    def at(self, prefix: Path) -> Path:
        """Link at ``prefix``; give where the result was moved to."""
        asyncio.run(self._link(prefix))
        self._count += 1
        # What rattler links is also in its cache, which a test that changes a prefix would change for all.
        copy = Path(shutil.copytree(prefix, self._folder / str(self._count), symlinks=True))
        shutil.rmtree(prefix)
        return copy

    async def _link(self, prefix: Path) -> None:
        import rattler

        records = []
        for package in self._release.lock.packages:
            path = self._release.archives[package.identifier]
            index = read_info(path).index
            record = rattler.PackageRecord(
                package.name,
                package.version,
                rattler.BuildString(package.build),
                package.build_number,
                package.subdir,
                noarch=rattler.NoArchType(package.noarch) if package.noarch else None,
                depends=list(package.depends),
                sha256=bytes.fromhex(package.sha256),
                md5=bytes.fromhex(package.md5 or ""),
                size=package.size,
                license=package.license,
                arch=index.arch,
                platform=index.platform,
                python_site_packages_path=index.python_site_packages_path,
            )
            records.append(rattler.RepoDataRecord(record, path.name, path.as_uri(), path.parent.as_uri()))
        await rattler.install(
            records,
            prefix,
            cache_dir=self._folder / "cache",
            show_progress=False,
            platform=rattler.Subdir(self._release.lock.platform),
        )


def locked(archive: Path, platform: str) -> LockedPackage:
    index = read_info(archive).index
    sha256, md5, size = archive_hashes(archive)
    return LockedPackage(
        name=index.name,
        version=index.version,
        build=index.build,
        build_number=index.build_number,
        platform=platform,
        subdir=index.subdir or "",
        url=f"channel/{index.subdir}/{archive.name}",
        channel="channel",
        sha256=sha256,
        md5=md5,
        size=size,
        timestamp=index.timestamp,
        depends=index.depends,
        license=index.license,
        noarch=index.noarch,
    )


def decoder(platform: str) -> PackageContent:
    """The `zstandard` that cuvee itself uses, as a package."""
    spec = importlib.util.find_spec("zstandard")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent
    site = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages/zstandard"
    return PackageContent(
        name="zstandard",
        version="1.0",
        build="0",
        subdir=platform,
        timestamp=TIME,
        depends=("python",),
        files=tuple(
            PackageFile(path=f"{site}/{path.name}", content=path, executable=is_executable(path))
            for path in sorted(folder.iterdir())
            if path.suffix in {".py", ".so"} and "cffi" not in path.name
        ),
    )


def tools() -> PackageContent:
    cli = b"import sys\n\ndef main():\n    print(sys.prefix, *sys.argv[1:])\n\nclass App:\n    run = main\n"
    return PackageContent(
        name="tools",
        version="1.0",
        build="py_0",
        subdir="noarch",
        noarch="python",
        timestamp=TIME,
        depends=("python",),
        license="MIT",
        entry_points=("tool = tools.cli:main", "tool-x=tools.cli:App.run"),
        files=(
            PackageFile(path="site-packages/tools/__init__.py", content=b""),
            PackageFile(path="site-packages/tools/cli.py", content=cli),
            PackageFile(path="site-packages/tools/template.py", content=b"print 'an older Python'\n"),
            PackageFile(path="site-packages/tools/data.txt", content=b"data", executable=True),
            PackageFile(path="python-scripts/script", content=b"#!python\n", executable=True),
            PackageFile(path="share/tools/readme", content="Käse".encode()),
        ),
    )


def places(platform: str) -> PackageContent:
    """Files that name the prefix, in every way that they can."""

    def text(path: str, content: str) -> PackageFile:
        return PackageFile(
            path=path,
            content=content.replace("@", PLACEHOLDER).encode(),
            executable=path.startswith("bin/"),
            placeholder=PLACEHOLDER,
        )

    def binary(path: str, content: bytes) -> PackageFile:
        return PackageFile(
            path=path,
            content=content.replace(b"@", PLACEHOLDER.encode()),
            placeholder=PLACEHOLDER,
            placeholder_mode="binary",
        )

    return PackageContent(
        name="places",
        version="1.0",
        build="0",
        subdir=platform,
        timestamp=TIME,
        depends=("python",),
        files=(
            text("bin/place", "#!@/bin/python -E\nimport sys\nprint(sys.prefix, '@', *sys.argv[1:])\n"),
            text("bin/place-3", "#!@/bin/python3.11\n# @:@\r\n"),
            text("bin/place-perl", "#!@/bin/perl -w\n# @\n"),
            text("bin/place-env", "#!/usr/bin/env python\n# @\n"),
            text("bin/place-spaces", "#!  @/bin/sh @/bin/x\n"),
            text("bin/place-crlf", "#!@/bin/python\r\npass\r\n"),
            text("etc/place.conf", "root = @\nlib = @/lib\n"),
            binary("lib/places.bin", b"\x7f\x00@/lib:@/lib64\x00tail\x00\x00@\x00@end"),
            PackageFile(path="lib/empty", content=b""),
            PackageFile(path="lib/link", content=b"", link_target="../etc/place.conf"),
            PackageFile(path="lib/noise", content=bytes(range(256)) * 70_000),
        ),
    )


def twin(letter: str) -> PackageContent:
    """Two packages that claim one path: the second depends on the first, so it wins."""
    return PackageContent(
        name=f"twin-{letter}",
        version="1.0",
        build="0",
        subdir="noarch",
        noarch="generic",
        timestamp=TIME,
        depends=("twin-a",) if letter == "b" else (),
        files=(
            PackageFile(path="share/twin/both", content=letter.encode()),
            PackageFile(path="share/twin/same", content=b"same"),
            PackageFile(path=f"share/twin/{letter}", content=b""),
        ),
    )

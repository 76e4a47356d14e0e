"""Images for Windows of a few small packages, made without any program."""

from pathlib import Path

from cuvee.byte_code.byte_compiler import ByteCompiler
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.conda.package_archive import archive_hashes
from cuvee.conda.package_record import LockedPackage
from cuvee.image.build import build_image
from cuvee.image.model import Image, ReleaseLabel
from cuvee.image.settings import InstallerSettings
from cuvee.lock.model import PlatformLock
from cuvee.progress import SILENT, Reporter


def release(folder: Path, *contents: PackageContent) -> tuple[PlatformLock, dict[str, Path]]:
    """Write packages; give their lock, and their archives."""
    packages, archives = [], {}
    for content in contents:
        archive = write_package(content, folder)
        sha256, md5, size = archive_hashes(archive)
        package = LockedPackage(
            name=content.name, version=content.version, build=content.build, build_number=0,
            platform="win-64", subdir=content.subdir, url=f"channel/{content.subdir}/{archive.name}",
            channel="channel", sha256=sha256, md5=md5, size=size, noarch=content.noarch,
            depends=content.depends,
        )  # fmt: skip
        packages.append(package)
        archives[package.identifier] = archive
    return PlatformLock(platform="win-64", packages=tuple(packages), virtual_packages=()), archives


def windows(name: str, *paths: str, version: str = "1", points: tuple[str, ...] = ()) -> PackageContent:
    """Return a package whose files have their path as content."""
    return PackageContent(
        name=name, version=version, build="0", subdir="noarch" if points else "win-64",
        noarch="python" if points else None, timestamp=0, entry_points=points,
        files=tuple(PackageFile(path=path, content=path.encode()) for path in paths),
    )  # fmt: skip


def build(
    tmp_path: Path,
    *contents: PackageContent,
    compiler: ByteCompiler | None = None,
    reporter: Reporter = SILENT,
    settings: InstallerSettings | None = None,
) -> Image:
    """Build the image of packages in ``tmp_path``, with the cache there."""
    lock, archives = release(tmp_path, *contents)
    return build_image(
        lock,
        release=ReleaseLabel(distribution="tiny", version="1", title="Tiny"),
        archives=archives,
        requested={},
        cache=tmp_path / "cache",
        folder=tmp_path / "image",
        level=1,
        compiler=compiler,
        reporter=reporter,
        settings=settings,
    )


PYTHON = windows(
    "python",
    "python.exe",
    "python311.dll",
    "Lib/os.pyc",
    "Lib/test/big.pyc",
    "DLLs/_ctypes.pyd",
    version="3.11.9",
)
DECODER = windows("zstandard", "Lib/site-packages/zstandard/__init__.py", "Lib/site-packages/other/x.py")
TOOL = windows("tool", "site-packages/tool.py", points=("go = tool:main",))

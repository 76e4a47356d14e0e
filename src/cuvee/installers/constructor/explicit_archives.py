"""Archives of an ``@EXPLICIT`` list: fetched, checked against their hashes, and locked by their metadata."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cuvee.channel.archive_download import download
from cuvee.channel.connection import Connection
from cuvee.conda.explicit_list import ExplicitArchive
from cuvee.conda.package_archive import archive_hashes
from cuvee.conda.package_info import read_index
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.url_secrets import clean_url, without_secrets
from cuvee.conda.virtual_packages import virtual_packages
from cuvee.errors import IntegrityError, SourceUnreachableError, UsageError
from cuvee.files import replacing, sha256_file, storage_errors
from cuvee.lock.model import PlatformLock
from cuvee.progress import Reporter
from cuvee.temporary_folders import temporary_folder

_SUFFIXES = (".conda", ".tar.bz2")
_LATEST = 10**14  # milliseconds: the year 5138


def lock_archives(
    archives: Sequence[ExplicitArchive],
    platform: str,
    floor: Mapping[str, str],
    *,
    cache: Path,
    connection: Connection,
    reporter: Reporter,
) -> PlatformLock:
    """Fetch archives and lock them as the closure of a platform.

    Parameters
    ----------
    cache
        Downloads are stored in ``archives/<sha256>/``, where `fetch_archives` finds them.

    Raises
    ------
    UsageError
        If one is for another platform, or two are of the same package.
    SourceUnreachableError
        If one cannot be fetched.
    IntegrityError
        If one does not fit its hash or its name.
    """
    task = "Fetching packages"
    reporter.start(task, total=len(archives))
    packages: dict[str, LockedPackage] = {}
    for archive in archives:
        package = _lock(archive, platform, _obtain(archive, cache, connection, reporter))
        if package.name in packages:
            raise UsageError(f"{package.stem} and {packages[package.name].stem} are both in the list")
        packages[package.name] = package
        reporter.advance(task, note=package.stem)
    reporter.finish(task, note=f"{len(packages)} archives")
    return PlatformLock(
        platform=platform,
        packages=tuple(packages[name] for name in sorted(packages)),
        virtual_packages=virtual_packages(platform, floor),
    )


def _obtain(archive: ExplicitArchive, cache: Path, connection: Connection, reporter: Reporter) -> Path:
    """Return the archive on disk; a download is stored under its SHA-256."""
    parts = urlsplit(archive.url)
    name = unquote(parts.path.rpartition("/")[2])
    if not name.endswith(_SUFFIXES) or "/" in name or "\\" in name:
        raise UsageError(f"{without_secrets(archive.url)} is not the URL of a package")
    kept = cache / "archives" / archive.sha256 / name
    if archive.sha256 and kept.is_file():
        if sha256_file(kept) == archive.sha256:
            _verify(archive, kept)
            return kept
        reporter.warn(f"{kept} is not the archive that its folder names; it is fetched again")
    if parts.scheme == "file":
        path = Path(unquote(parts.path))
        if not path.is_file():
            raise SourceUnreachableError(f"There is no package at {path}")
        _verify(archive, path)
        return path
    return _fetch(archive, name, cache, connection)


def _fetch(archive: ExplicitArchive, name: str, cache: Path, connection: Connection) -> Path:
    folder = cache / "archives"
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with temporary_folder("incoming", within=folder) as scratch:
        fetched = scratch / "archive"
        download(archive.url, fetched, connection)
        target = folder / _verify(archive, fetched) / name
        with replacing(target) as beside:
            fetched.replace(beside)
    return target


def _verify(archive: ExplicitArchive, path: Path) -> str:
    """Check a file against the hashes in the list; return its SHA-256."""
    name = clean_url(archive.url).rpartition("/")[2]
    sha256, md5, _ = archive_hashes(path)
    for promised, actual in ((archive.md5, md5), (archive.sha256, sha256)):
        if promised and promised != actual:
            raise IntegrityError(
                f"{name} does not have the hash in the list\n  listed: {promised}\n  found:  {actual}",
                hint=f"Check its source: {without_secrets(archive.url)}",
            )
    return sha256


def _lock(archive: ExplicitArchive, platform: str, path: Path) -> LockedPackage:
    index = read_index(path)
    found = f"{index.name}-{index.version}-{index.build}"
    stem = next(path.name.removesuffix(suffix) for suffix in _SUFFIXES if path.name.endswith(suffix))
    if found != stem:
        raise IntegrityError(f"{path.name} holds {found}")
    url = clean_url(archive.url)
    subdir = index.subdir or url.rsplit("/", 2)[-2]
    if subdir not in {platform, "noarch"}:
        raise UsageError(f"{path.name} is for {subdir}, not for {platform}")
    sha256, md5, size = archive_hashes(path)
    return LockedPackage(
        name=index.name,
        version=index.version,
        build=index.build,
        build_number=max(index.build_number, 0),
        platform=platform,
        subdir=subdir,
        url=url,
        channel=url.rsplit("/", 2)[0],
        sha256=sha256,
        md5=md5,
        size=size,
        timestamp=index.timestamp if 0 <= (index.timestamp or 0) < _LATEST else None,
        depends=index.depends,
        constrains=index.constrains,
        license=index.license,
        noarch=index.noarch,
    )

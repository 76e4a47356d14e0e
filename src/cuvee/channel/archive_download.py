"""Finding or downloading the archives of a lock, each of which is verified before it is used."""

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cuvee.channel.connection import Connection
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.url_secrets import without_secrets
from cuvee.conda.url_trust import check_archive_url
from cuvee.errors import CuveeError, IntegrityError, SourceUnreachableError
from cuvee.files import replacing, sha256_file
from cuvee.progress import SILENT, Reporter

MOST_ARCHIVE = 16 << 30
"""Bytes of an archive whose size is not known."""

_AT_ONCE = 8


def all_or_raise(found: Mapping[str, Path | CuveeError]) -> dict[str, Path]:
    """Return the archives that were found; raise the first error that stands for a missing one."""
    paths = {}
    for identifier, path in found.items():
        if isinstance(path, CuveeError):
            raise path
        paths[identifier] = path
    return paths


class LockedArchives(Mapping[str, Path]):
    """The archives of packages by their ``identifier``, each verified before its path is known.

    What is not asked for is neither fetched nor read.

    Raises
    ------
    CuveeError
        When an archive is asked for that cannot be had, or is another one; see `fetch_archives`.
    """

    def __init__(
        self,
        packages: Iterable[LockedPackage],
        *,
        release: Path,
        cache: Path,
        connection: Connection,
        reporter: Reporter,
    ) -> None:
        self._packages = {package.identifier: package for package in packages}
        self._fetch = partial(
            fetch_archives, release=release, cache=cache, connection=connection, reporter=reporter
        )
        self._found: dict[str, Path] = {}
        self._locks = {identifier: threading.Lock() for identifier in self._packages}

    def __getitem__(self, identifier: str) -> Path:
        with self._locks[identifier]:
            if identifier not in self._found:
                self.ask_for([identifier])
            return self._found[identifier]

    def __iter__(self) -> Iterator[str]:
        return iter(self._packages)

    def __len__(self) -> int:
        return len(self._packages)

    def ask_for(self, identifiers: Iterable[str]) -> None:
        """Fetch and verify several archives at once."""
        wanted = [self._packages[name] for name in identifiers if name not in self._found]
        self._found |= all_or_raise(self._fetch(wanted))


def fetch_archives(
    packages: Iterable[LockedPackage],
    *,
    release: Path,
    cache: Path,
    connection: Connection,
    reporter: Reporter,
) -> dict[str, Path | CuveeError]:
    """Return the verified archive of each package by its identifier, or why there is none.

    Parameters
    ----------
    release
        The release folder, which holds the release's own channel.
    cache
        Where downloads are cached, by their SHA-256. One that has another is fetched again.

    Raises
    ------
    SourceUnreachableError
        If several had to be fetched, and none could be: then the source is at fault, not one package.
    """
    found: dict[str, Path | CuveeError] = {}
    wanted: dict[str, LockedPackage] = {}
    shared: dict[str, list[str]] = defaultdict(list)
    own: dict[str, tuple[Path, LockedPackage]] = {}
    for package in packages:
        try:
            path = archive_path(package, release, cache)
        except IntegrityError as error:
            found[package.identifier] = error
            continue
        found[package.identifier] = path
        if path.is_relative_to(cache):
            shared[package.sha256].append(package.identifier)
            wanted[package.sha256] = package
        else:
            own[package.identifier] = path, package
    with ThreadPoolExecutor() as pool:  # hashlib releases the GIL
        found |= zip(own, pool.map(lambda item: _own(*item), own.values()), strict=True)
        kept = pool.map(
            lambda package: _is_kept(archive_path(package, release, cache), package, reporter),
            wanted.values(),
        )
        missing = {name: wanted[name] for name, good in zip(wanted, kept, strict=True) if not good}
    if missing:
        failed = _fetch_all(missing.values(), cache, connection, reporter)
        if len(failed) == len(missing) > 1:
            raise next(iter(failed.values()))
        found |= {name: error for sha256, error in failed.items() for name in shared[sha256]}
    return found


def _is_kept(path: Path, package: LockedPackage, reporter: Reporter) -> bool:
    """Whether the cache has an archive; a line says if it has another file in its place."""
    if not path.exists():
        return False
    if sha256_file(path) == package.sha256:
        return True
    reporter.warn(f"{path} is not the archive that its folder names; it is fetched again")
    return False


def _own(path: Path, package: LockedPackage) -> Path | CuveeError:
    """Verify an archive that is in a folder of this machine."""
    if not path.exists():
        return SourceUnreachableError(
            f"The archive of {package.identifier} is missing: {path}",
            hint="Run `cuvee release` again; it makes what is missing.",
        )
    try:
        _verify(path, package)
    except IntegrityError as error:
        return error
    return path


def archive_path(package: LockedPackage, release: Path, cache: Path) -> Path:
    """Return where a package's archive is, or will be once it has been fetched.

    Raises
    ------
    IntegrityError
        If its channel is on another machine, and its URL is that of a local file, or not protected.
    """
    if package.is_local:
        return release / package.url
    check_archive_url(package.url, package.channel)
    parts = urlsplit(package.url)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return cache / "archives" / package.sha256 / package.file_name


def _verify(path: Path, package: LockedPackage) -> None:
    actual = sha256_file(path)
    if actual != package.sha256:
        raise IntegrityError(
            f"{path.name} is not what the lock names\n"
            f"  locked: sha256 {package.sha256}\n  found:  sha256 {actual}",
            hint=f"Check its source: {without_secrets(package.url)}",
        )


def _fetch_all(
    packages: Collection[LockedPackage], cache: Path, connection: Connection, reporter: Reporter
) -> dict[str, CuveeError]:
    """Fetch archives; return why some could not be fetched, by SHA-256."""
    from cuvee.channel.file_transfer import host_of

    task = "Fetching packages"
    reporter.start(task, total=len(packages))
    failed: dict[str, CuveeError] = {}

    def one(package: LockedPackage) -> None:
        reporter.advance(task, 0, note=f"{package.file_name} from {host_of(package.url)}")
        try:
            _fetch(package, cache / "archives" / package.sha256 / package.file_name, connection, reporter)
        except CuveeError as error:
            failed[package.sha256] = error
        reporter.advance(task, note=package.file_name)

    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        for done in [pool.submit(one, package) for package in packages]:
            done.result()
    except BaseException:
        connection.transfer.stop()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    reporter.finish(task, note=f"{len(packages) - len(failed)} archives")
    return failed


def _fetch(package: LockedPackage, target: Path, connection: Connection, reporter: Reporter) -> None:
    with replacing(target) as beside:
        download(package.url, beside, connection, size=package.size, reporter=reporter)
        _verify(beside, package)


def download(
    url: str, target: Path, connection: Connection, *, size: int = 0, reporter: Reporter = SILENT
) -> None:
    """Fetch a package's archive, and no more than its size, where that is known.

    Raises
    ------
    SourceUnreachableError
        If it cannot be fetched.
    IntegrityError
        If it is larger, or a redirect leads out of HTTPS.
    """
    from cuvee.channel.file_transfer import WantedFile

    wanted = WantedFile(
        url=url,
        name=unquote(urlsplit(url).path.rpartition("/")[2]),
        most=size or MOST_ARCHIVE,
        limit="the size in the lock" if size else "the most that an archive may have",
    )
    connection.transfer.fetch(wanted, target, reporter)

"""Inspecting all archives of a release: what is cached is not read again, the others are read in parallel."""

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cuvee.channel.inspection.inspect_archive import inspect_archive
from cuvee.channel.inspection.inspection_cache import load, save
from cuvee.channel.inspection.model import ArchiveContents, UnreadableArchive
from cuvee.conda.package_record import LockedPackage
from cuvee.errors import CuveeError, IntegrityError
from cuvee.progress import Reporter

Inspection = Mapping[str, ArchiveContents | UnreadableArchive]
"""Package identifier to what is known of its archive."""

_TASK = "Looking into archives"
_MOST_WORKERS = 8


def inspect_archives(
    packages: Iterable[LockedPackage],
    archives: Callable[[str], Mapping[str, Path | CuveeError]],
    *,
    cache: Path,
    reporter: Reporter,
) -> Inspection:
    """Return what is known of each package's archive, by identifier.

    What was read is cached at once, so an interrupted run continues where it was.

    Parameters
    ----------
    archives
        Returns the archives of a platform by identifier, or why one cannot be had; called only for platforms
        with archives that are not cached.
    cache
        Where results are cached, by the archive's SHA-256.
    """
    by_digest: dict[str, list[LockedPackage]] = {}
    for package in packages:
        by_digest.setdefault(package.sha256, []).append(package)
    known: dict[str, ArchiveContents | UnreadableArchive] = {}
    missing = []
    for sha256, (first, *_) in by_digest.items():
        contents = load(cache, sha256, reporter)
        if contents is None:
            missing.append(first)
        else:
            known[sha256] = contents
    if missing:
        paths = {item.sha256: archives(item.platform)[item.identifier] for item in missing}
        known |= _inspect_all(missing, paths, cache, reporter)
    return {package.identifier: known[sha256] for sha256, many in by_digest.items() for package in many}


def _inspect_all(
    packages: list[LockedPackage], paths: Mapping[str, Path | CuveeError], cache: Path, reporter: Reporter
) -> dict[str, ArchiveContents | UnreadableArchive]:
    """Inspect archives, the largest first, so that no worker is left with one at the end."""

    def one(package: LockedPackage) -> tuple[str, ArchiveContents | UnreadableArchive]:
        contents = _inspect(package, paths[package.sha256])
        if isinstance(contents, ArchiveContents):
            save(cache, contents)
        reporter.advance(_TASK, note=package.file_name)
        return package.sha256, contents

    reporter.start(_TASK, total=len(packages))
    largest_first = sorted(packages, key=lambda item: (-item.size, item.identifier))
    pool = ThreadPoolExecutor(min(_MOST_WORKERS, os.cpu_count() or 1), thread_name_prefix="inspection")
    try:
        found = dict(pool.map(one, largest_first))
    finally:
        pool.shutdown(cancel_futures=True)
    reporter.finish(_TASK, note=f"{len(packages)} archives")
    return found


def _inspect(package: LockedPackage, path: Path | CuveeError) -> ArchiveContents | UnreadableArchive:
    if isinstance(path, CuveeError):
        return UnreadableArchive(reason=" ".join(path.message.split()))
    try:
        contents = inspect_archive(path)
    except IntegrityError as error:
        return UnreadableArchive(reason=error.message)
    except OSError as error:
        return UnreadableArchive(reason=f"{path.name} cannot be opened: {error.strerror}")
    if contents.sha256 != package.sha256:
        reason = f"{path.name} is not what the lock names: its SHA-256 is {contents.sha256}"
        return UnreadableArchive(reason=reason)
    return contents

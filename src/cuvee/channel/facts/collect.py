"""Facts about all archives of a release: kept ones are taken from the cache, the others read in parallel."""

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cuvee.channel.facts.archive import read_facts
from cuvee.channel.facts.model import PackageFacts, Unreadable
from cuvee.channel.facts.store import load, save
from cuvee.conda.record import LockedPackage
from cuvee.errors import CuveeError, IntegrityError
from cuvee.lock.model import PlatformLock
from cuvee.progress import Reporter

Facts = Mapping[str, PackageFacts | Unreadable]
"""Package identifier to what is known of its archive."""

_TASK = "Looking into archives"
_MOST_WORKERS = 8


def collect_facts(
    locks: Iterable[PlatformLock],
    archives: Callable[[PlatformLock], Mapping[str, Path | CuveeError]],
    *,
    cache: Path,
    reporter: Reporter,
) -> Facts:
    """Give what is known of each package's archive, by identifier.

    What has been read is kept at once, so an interrupted run goes on where it was.

    Parameters
    ----------
    archives
        Gives the archives of a platform by identifier, or why one is not to be had; asked only if facts are
        missing there.
    cache
        Where facts are kept, by the archive's SHA-256.
    """
    packages: dict[str, LockedPackage] = {}
    platforms: dict[str, PlatformLock] = {}
    shared: dict[str, list[LockedPackage]] = {}
    for lock in locks:
        for package in lock.packages:
            packages.setdefault(package.sha256, package)
            platforms.setdefault(package.sha256, lock)
            shared.setdefault(package.sha256, []).append(package)
    known: dict[str, PackageFacts | Unreadable] = {}
    missing = []
    for sha256, package in packages.items():
        facts = load(cache, sha256)
        if facts is None:
            missing.append(package)
        else:
            known[sha256] = facts
    if missing:
        paths = {item.sha256: archives(platforms[item.sha256])[item.identifier] for item in missing}
        known |= _read_all(missing, paths, cache, reporter)
    return {package.identifier: known[sha256] for sha256, many in shared.items() for package in many}


def _read_all(
    packages: list[LockedPackage], paths: Mapping[str, Path | CuveeError], cache: Path, reporter: Reporter
) -> dict[str, PackageFacts | Unreadable]:
    """Read archives, the largest first, so that no worker is left with one at the end."""

    def one(package: LockedPackage) -> tuple[str, PackageFacts | Unreadable]:
        facts = _read(package, paths[package.sha256])
        if isinstance(facts, PackageFacts):
            save(cache, facts)
        reporter.advance(_TASK, note=package.file_name)
        return package.sha256, facts

    reporter.start(_TASK, total=len(packages))
    largest_first = sorted(packages, key=lambda item: (-item.size, item.identifier))
    pool = ThreadPoolExecutor(min(_MOST_WORKERS, os.cpu_count() or 1), thread_name_prefix="facts")
    try:
        found = dict(pool.map(one, largest_first))
    finally:
        pool.shutdown(cancel_futures=True)
    reporter.finish(_TASK, note=f"{len(packages)} archives")
    return found


def _read(package: LockedPackage, path: Path | CuveeError) -> PackageFacts | Unreadable:
    if isinstance(path, CuveeError):
        return Unreadable(reason=" ".join(path.message.split()))
    try:
        facts = read_facts(path)
    except IntegrityError as error:
        return Unreadable(reason=error.message)
    except OSError as error:
        return Unreadable(reason=f"{path.name} can not be opened: {error.strerror}")
    if facts.sha256 != package.sha256:
        return Unreadable(reason=f"{path.name} is not what the lock names: its SHA-256 is {facts.sha256}")
    return facts

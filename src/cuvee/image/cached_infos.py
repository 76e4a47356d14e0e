"""The metadata of packages in the cache, by the hash of their archive: unchanged ones are not opened."""

import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from operator import attrgetter
from pathlib import Path

from cuvee import checked_cache
from cuvee.codec import decode, encode_object
from cuvee.conda.garbage_collection import gc_paused
from cuvee.conda.package_info import PackageInfo, read_info
from cuvee.conda.package_paths import PathEntry
from cuvee.conda.package_record import LockedPackage
from cuvee.errors import IntegrityError
from cuvee.files import parse_json
from cuvee.folder_hashes import code_fingerprint
from cuvee.lock.model import PlatformLock
from cuvee.progress import Reporter

_WORKERS = 2
_FIELDS = tuple(field.name for field in fields(PathEntry))


def info_path(sha256: str, cache: Path) -> Path:
    """Return where in the cache the metadata of an archive is."""
    return cache / "infos" / sha256[:2] / f"{sha256}-{code_fingerprint()[:16]}"


def cached_info(archive: Callable[[], Path], sha256: str, cache: Path, reporter: Reporter) -> PackageInfo:
    """Return the metadata of an archive; for errors see `read_info`.

    Parameters
    ----------
    archive
        Returns the archive, whose hash has been checked; called if the cache has nothing.

    Returns
    -------
    PackageInfo
        From the cache, its ``archive`` is a path at which no file can be: the real one was not checked.
    """
    path = info_path(sha256, cache)
    content = checked_cache.load(path, reporter)
    if content is not None:
        value = parse_json(bytes(content))
        # Tens of thousands of entries: the codec, which checks each of them, takes four times as long.
        paths = tuple(PathEntry(**dict(zip(_FIELDS, row, strict=True))) for row in value.pop("rows"))
        info = decode(PackageInfo, value)
        return replace(info, archive=Path(os.devnull, info.archive), paths=paths)
    info = read_info(archive())
    # The archive may be elsewhere the next time.
    bare = encode_object(replace(info, archive=Path(info.archive.name), paths=()))
    rows = list(map(attrgetter(*_FIELDS), info.paths))
    checked_cache.save(path, json.dumps(bare | {"rows": rows}, separators=(",", ":")).encode())
    return info


def package_infos(
    lock: PlatformLock, archives: Mapping[str, Path], *, cache: Path, reporter: Reporter
) -> dict[str, PackageInfo]:
    """Return the metadata of each package by its name; archives in the cache are not asked for.

    Raises
    ------
    IntegrityError
        If a package is broken, or is not the one in the lock.
    """

    def read(package: LockedPackage) -> PackageInfo:
        return cached_info(lambda: archives[package.identifier], package.sha256, cache, reporter)

    with gc_paused(), ThreadPoolExecutor(_WORKERS, thread_name_prefix="infos") as pool:
        infos = {
            item.name: info for item, info in zip(lock.packages, pool.map(read, lock.packages), strict=True)
        }
    for package in lock.packages:
        info = infos[package.name]
        found = (info.index.name, info.index.version, info.index.build)
        if found != (package.name, package.version, package.build):
            raise IntegrityError(f"{info.archive} is {'-'.join(found)}, but the lock has {package.stem}")
    return infos

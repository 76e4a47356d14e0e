"""Conversions to and from rattler's records."""

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from cuvee.conda.package_record import Record
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.errors import SourceUnreachableError

if TYPE_CHECKING:
    from rattler import GenericVirtualPackage, PackageRecord, RepoDataRecord


class RecordKey(NamedTuple):
    """The fields that nearly all match specs match."""

    name: str
    version: str
    build: str
    build_number: int = 0
    subdir: str = "noarch"


def from_rattler(record: "PackageRecord", *, url: str, channel: str) -> Record:
    """Return our record of one of rattler's."""
    noarch = record.noarch
    return Record(
        name=record.name.normalized,
        version=str(record.version),
        build=str(record.build),
        build_number=record.build_number,
        subdir=str(record.subdir),
        url=url,
        channel=channel,
        sha256=record.sha256.hex() if record.sha256 else "",
        md5=record.md5.hex() if record.md5 else None,
        size=record.size or 0,
        timestamp=int(record.timestamp.timestamp() * 1000) if record.timestamp else None,
        depends=tuple(record.depends),
        constrains=tuple(record.constrains),
        license=record.license,
        noarch="python" if noarch.python else "generic" if noarch.generic else None,
        track_features=tuple(record.track_features),
    )


def from_gateway(records: "Iterable[RepoDataRecord]") -> list[Record]:
    """Return the records that a query of rattler's gateway found; of twins, only the ``.conda``.

    They come in the order of their channels' priority: the first channel that has a name is its only one.
    """
    found: dict[tuple[str, str], Record] = {}
    first: dict[str, str] = {}
    for record in records:
        item = from_rattler(record, url=str(record.url), channel=str(record.channel or "").rstrip("/"))
        if first.setdefault(item.name, item.channel) != item.channel:
            continue
        key = (item.subdir, item.stem)
        if key not in found or item.url.endswith(".conda"):
            found[key] = item
    return list(found.values())


def package_record(record: Record) -> "PackageRecord":
    """Return rattler's record with all fields of ours."""
    from rattler import BuildString, PackageRecord

    with _named(record):
        made = PackageRecord(
            record.name,
            record.version,
            BuildString(record.build),
            record.build_number,
            record.subdir,
            noarch=record.noarch,
            depends=list(record.depends),
            constrains=list(record.constrains),
            sha256=_digest(record.sha256, 32),
            md5=_digest(record.md5, 16),
            size=record.size,
            license=record.license,
        )
        made.track_features = list(record.track_features)
        if record.timestamp is not None:
            made.timestamp = dt.datetime.fromtimestamp(record.timestamp / 1000, tz=dt.UTC)
    return made


def repodata_record(record: Record, *, url: str, channel: str) -> "RepoDataRecord":
    """Return rattler's record of an archive that is at ``url``."""
    from rattler import RepoDataRecord

    return RepoDataRecord(package_record(record), record.file_name, url, channel)


def matchable(record: Record) -> "PackageRecord":
    """Return rattler's record with only what a match spec may ask for, which takes half of the time."""
    from rattler import BuildString, PackageRecord

    with _named(record):
        return PackageRecord(
            record.name,
            record.version,
            BuildString(record.build),
            record.build_number,
            "noarch" if record.is_virtual else record.subdir,
            license=record.license,
            md5=_digest(record.md5, 16),
            sha256=_digest(record.sha256, 32),
        )


@contextmanager
def _named(record: Record) -> Iterator[None]:
    """Raise an error that names the record if rattler refuses it: its channel states what CEP 26 forbids."""
    from rattler.exceptions import InvalidPackageNameError, InvalidVersionError

    try:
        yield
    except (InvalidPackageNameError, InvalidVersionError, ValueError, OverflowError, OSError) as error:
        raise SourceUnreachableError(
            f"The record {record.file_name} of {record.channel or 'the set'} is not valid: {error}",
            hint="The channel must correct it. Until then, request another build of the package.",
        ) from error


@lru_cache(maxsize=1 << 18)
def read_key(key: RecordKey) -> "PackageRecord | str":
    """Return rattler's record for matching, or why the key is not valid."""
    from rattler import BuildString, PackageRecord
    from rattler.exceptions import InvalidPackageNameError, InvalidVersionError

    try:
        return PackageRecord(key.name, key.version, BuildString(key.build), key.build_number, key.subdir)
    except (InvalidPackageNameError, InvalidVersionError, ValueError, OverflowError) as error:
        return str(error)


def link_order(packages: Iterable[Record]) -> list[str]:
    """Return names in the order in which rattler links: dependencies first.

    Of two packages with the same path, the later one wins it.
    """
    from rattler import PackageRecord

    records = PackageRecord.sort_topologically([package_record(package) for package in packages])
    return [record.name.normalized for record in records]


def generic_virtual_package(package: VirtualPackage) -> "GenericVirtualPackage":
    """Return rattler's virtual package."""
    from rattler import BuildString, GenericVirtualPackage, PackageName, Version

    return GenericVirtualPackage(
        PackageName(package.name), Version(package.version), BuildString(package.build)
    )


def _digest(text: str | None, size: int) -> bytes | None:
    try:
        digest = bytes.fromhex(text or "")
    except ValueError:
        return None
    return digest if len(digest) == size else None

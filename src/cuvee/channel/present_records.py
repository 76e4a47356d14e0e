"""The records that channels have today of packages that were locked earlier.

Channels correct and withdraw records after publication: by repodata patches (``depends``, ``constrains``),
by ``removed``, and by revoking, for which conda-index adds a dependency that no channel has:
https://github.com/conda/conda-index/blob/main/conda_index/index/__init__.py
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from cuvee.channel.connection import Connection, channel_errors, query
from cuvee.channel.source_comparison import ChangedPackage, NotCompared, SourceChange, SourceComparison
from cuvee.conda.event_loop import run
from cuvee.conda.match_spec import read_spec
from cuvee.conda.package_record import LockedPackage, Record
from cuvee.conda.rattler_records import from_rattler
from cuvee.conda.url_secrets import without_secrets
from cuvee.errors import SourceUnreachableError

if TYPE_CHECKING:
    from rattler import RepoDataRecord

_REVOKED = "package_has_been_revoked"


def compare_with_channels(packages: Iterable[LockedPackage], connection: Connection) -> SourceComparison:
    """Compare locked packages with what their channels say of them today; packages made here have none."""
    by_channel: dict[str, list[LockedPackage]] = {}
    for package in packages:
        if not package.is_local:
            by_channel.setdefault(package.channel, []).append(package)
    changed: list[ChangedPackage] = []
    not_compared: list[NotCompared] = []
    for channel, members in by_channel.items():
        try:
            with channel_errors(channel):
                changed += _changes(members, channel, connection)
        except SourceUnreachableError as error:
            identifiers = tuple(package.identifier for package in members)
            missing = NotCompared(source=without_secrets(channel), reason=error.message, packages=identifiers)
            not_compared.append(missing)
    return SourceComparison(changed=tuple(changed), not_compared=tuple(not_compared))


async def kept_records(
    packages: Sequence[LockedPackage], platform: str, sources: Sequence[str], connection: Connection
) -> "list[RepoDataRecord]":
    """Return rattler's present records of the packages that the channels still have."""
    if not packages or not sources:
        return []
    found = await _present(packages, platform, sources, connection)
    return [
        record
        for package in packages
        if (record := found.get(package.name)) is not None and not _is_replaced(package, record)
    ]


def _changes(
    packages: Sequence[LockedPackage], channel: str, connection: Connection
) -> Iterator[ChangedPackage]:
    by_platform: dict[str, list[LockedPackage]] = {}
    for package in packages:
        by_platform.setdefault(package.platform, []).append(package)
    for platform, members in by_platform.items():
        found = run(_present(members, platform, [channel], connection))
        for package in members:
            changed = _change(package, found.get(package.name))
            if changed is not None:
                yield changed


def _change(package: LockedPackage, found: "RepoDataRecord | None") -> ChangedPackage | None:
    """Return how a channel's record of a package differs from the locked one, if it does."""
    if found is None:
        return ChangedPackage(package=package, change=SourceChange.WITHDRAWN)
    present = from_rattler(found, url=str(found.url), channel=package.channel)
    if _is_replaced(package, found):
        change = SourceChange.REPLACED
    elif any(read_spec(text).name == _REVOKED for text in present.depends):
        change = SourceChange.REVOKED
    elif _stated(present) != _stated(package):
        change = SourceChange.CORRECTED
    else:
        return None
    return ChangedPackage(package=package, change=change, present=present)


def _stated(record: Record) -> tuple[object, ...]:
    """Return what a channel may correct; the order of dependencies means nothing."""
    return sorted(record.depends), sorted(record.constrains), record.license, sorted(record.track_features)


async def _present(
    packages: Sequence[LockedPackage], platform: str, sources: Sequence[str], connection: Connection
) -> "dict[str, RepoDataRecord]":
    """Return the present record of each package by name.

    It is that of the same archive, else of the same file name, else of the same build in the other format:
    rattler shows a ``.tar.bz2`` no more once there is a ``.conda`` of it.
    """
    records: dict[str, list[RepoDataRecord]] = {}
    for record in await query(sources, platform, map(_spec, packages), connection):
        records.setdefault(record.name.normalized, []).append(record)
    found: dict[str, RepoDataRecord] = {}
    for package in packages:
        same = [record for record in records.get(package.name, ()) if _is_same_build(package, record)]
        if same:
            found[package.name] = max(
                same, key=lambda record: (_has_hash(package, record), _file_name(record) == package.file_name)
            )
    return found


def _spec(package: LockedPackage) -> str:
    """Return a match spec of one build, so that not all records of a name are converted for Python."""
    text = f"{package.name} =={package.version} {package.build}"
    return text if read_spec(text).matcher is not None else package.name


def _is_same_build(package: LockedPackage, record: "RepoDataRecord") -> bool:
    return (str(record.version), str(record.build), str(record.subdir)) == (
        package.version,
        package.build,
        package.subdir,
    )


def _has_hash(package: LockedPackage, record: "RepoDataRecord") -> bool:
    return record.sha256 is not None and record.sha256.hex() == package.sha256


def _is_replaced(package: LockedPackage, record: "RepoDataRecord") -> bool:
    is_same_file = _file_name(record) == package.file_name
    return is_same_file and record.sha256 is not None and not _has_hash(package, record)


def _file_name(record: "RepoDataRecord") -> str:
    return str(record.url).rpartition("/")[2]

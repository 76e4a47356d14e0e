"""Which records of a name channels have, to explain why a lock has none."""

from collections.abc import Iterable, Mapping, Sequence

from cuvee.channel.connection import Connection, channel_errors, query
from cuvee.conda.event_loop import run
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.rattler_records import from_rattler

AvailableRecords = Mapping[tuple[str, str], tuple[LockedPackage, ...]]
"""Records by platform and name, in the channels' order."""


def available_records(
    sources: Sequence[str], platforms: Sequence[str], names: Iterable[str], connection: Connection
) -> AvailableRecords:
    """Return all records of ``names`` that channels have for ``platforms`` or as noarch.

    Raises
    ------
    SourceUnreachableError
        If a channel cannot be read.
    """
    found: dict[tuple[str, str], tuple[LockedPackage, ...]] = {}
    unique = sorted(set(names))
    for platform in platforms if unique else ():
        with channel_errors(*sources):
            records = run(query(sources, platform, unique, connection))
        for record in records:
            own = from_rattler(record, url=str(record.url), channel=str(record.channel or ""))
            found[platform, own.name] = (*found.get((platform, own.name), ()), own.locked_for(platform))
    return found

"""What channels carry of a few names, to say why the lock lacks them."""

from collections.abc import Iterable, Mapping, Sequence

from cuvee.channel.connection import Connection, channel_errors, rattler_channel
from cuvee.conda.event_loop import run
from cuvee.conda.rattler_records import from_rattler
from cuvee.conda.record import LockedPackage

Carried = Mapping[tuple[str, str], tuple[LockedPackage, ...]]
"""Records by platform and name, in the channels' order."""


def available_records(
    sources: Sequence[str], platforms: Sequence[str], names: Iterable[str], connection: Connection
) -> Carried:
    """Ask the channels for all records of ``names`` on ``platforms``, noarch ones included.

    Raises
    ------
    SourceUnreachableError
        If a channel can not be read.
    """
    from rattler import MatchSpec, Subdir

    wanted = [MatchSpec(name) for name in sorted(set(names))]
    found: dict[tuple[str, str], tuple[LockedPackage, ...]] = {}
    for platform in platforms if wanted else ():
        with channel_errors(*sources):
            answer = run(
                connection.gateway.query(
                    [rattler_channel(source) for source in sources],
                    [Subdir(platform), Subdir("noarch")],
                    wanted,
                    recursive=False,
                )
            )
        for record in (record for records in answer for record in records):
            ours = from_rattler(record, url=str(record.url), channel=str(record.channel or ""))
            key = platform, ours.name
            found[key] = (*found.get(key, ()), ours.locked_for(platform))
    return found

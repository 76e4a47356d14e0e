"""What channels carry of a few names, to say why the lock lacks them."""

from collections.abc import Iterable, Mapping, Sequence

from cuvee.channel.connection import Connection, channel, reaching, wait
from cuvee.lock.model import LockedPackage
from cuvee.lock.pixi import locked_package

Carried = Mapping[tuple[str, str], tuple[LockedPackage, ...]]
"""Records by platform and name, in the channels' order."""


def carried_records(
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
        with reaching(", ".join(sources)):
            answer = wait(
                connection.gateway.query(
                    [channel(source) for source in sources],
                    [Subdir(platform), Subdir("noarch")],
                    wanted,
                    recursive=False,
                )
            )
        for record in (record for records in answer for record in records):
            package = locked_package(record, platform, url=str(record.url), channel=str(record.channel or ""))
            key = platform, package.name
            found[key] = (*found.get(key, ()), package)
    return found

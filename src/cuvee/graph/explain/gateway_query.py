"""Query rattler's gateway, once per explanation, for the records that a problem could be solved with."""

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING

from cuvee.channel.connection import Connection, channel_errors, rattler_channel
from cuvee.conda.event_loop import run
from cuvee.conda.garbage_collection import gc_paused
from cuvee.graph.explain.channel_index import ChannelIndex
from cuvee.graph.explain.relaxable_problem import PlatformChannels
from cuvee.lock.solve import Problem

if TYPE_CHECKING:
    from rattler import RepoDataRecord


@gc_paused()
def query_channels(
    problem: Problem, first: Collection[str], connection: Connection
) -> tuple[PlatformChannels, ...]:
    """Return the records of all packages that a problem requests, and of all that these depend on.

    The platforms in ``first`` come first.

    Raises
    ------
    SourceUnreachableError
        If a channel cannot be read.
    """
    platforms = sorted((entry.name for entry in problem.platforms), key=lambda name: name not in first)

    async def query_all() -> list[PlatformChannels]:
        return await asyncio.gather(*(_query(problem, platform, connection) for platform in platforms))

    with channel_errors(*problem.sources):
        return tuple(run(query_all()))


async def _query(problem: Problem, platform: str, connection: Connection) -> PlatformChannels:
    from rattler import MatchSpec, Subdir

    requested = {item.name for item in problem.requirements if platform in item.platforms}
    sources = [rattler_channel(source) for source in problem.sources]
    subdirs = [Subdir(platform), Subdir("noarch")]
    # Only names, because suggestions are made of the records of other versions.
    answer = await connection.gateway.query(
        sources, subdirs, [MatchSpec(name) for name in sorted(requested)], recursive=True
    )
    # The answer has a list per channel and subdir, but all subdirs of a channel have the same priority.
    by_channel: dict[str, list[RepoDataRecord]] = {source.base_url.rstrip("/"): [] for source in sources}
    for found in answer:
        if found:
            by_channel.setdefault(str(found[0].channel or "").rstrip("/"), []).extend(found)
    channels = tuple(map(ChannelIndex, by_channel.values()))
    names: tuple[str, ...] = ()
    if not requested <= {name for index in channels for name in index.names}:
        names = tuple(sorted(name.normalized for name in await connection.gateway.names(sources, subdirs)))
    return PlatformChannels(platform=platform, channels=channels, names=names)

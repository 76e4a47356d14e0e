"""From the channels to an explanation: what they carry is fetched once, and looked at as often as needed."""

import asyncio
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from cuvee.channel.connection import Connection, channel_errors, rattler_channel
from cuvee.conda.event_loop import run
from cuvee.errors import BlockedError, UnsolvableError
from cuvee.graph.explain.channel_index import ChannelIndex
from cuvee.graph.explain.explanation_text import as_data, hint, message
from cuvee.graph.explain.oracle import FastSolver
from cuvee.graph.explain.relaxable_problem import PlatformChannels
from cuvee.graph.explain.unsolvable import explain
from cuvee.graph.solving.garbage_collection import gc_paused
from cuvee.lock.model import Lock
from cuvee.lock.solve import Explainer, Problem, solve
from cuvee.manifest.model import Position
from cuvee.progress import SILENT, Reporter

if TYPE_CHECKING:
    from rattler import RepoDataRecord


def explainer(
    positions: Mapping[str, Position], *, fixed: Collection[str] = (), reporter: Reporter = SILENT
) -> Explainer:
    """Give what `cuvee.lock.solve.solve` calls when a problem has no solution.

    Parameters
    ----------
    positions
        Where the manifest states each of its values, by dotted path.
    fixed
        Names that suggestions leave as they are where they can.
    """

    def said(problem: Problem, refused: Mapping[str, str], connection: Connection) -> BlockedError | None:
        task = "Looking for what conflicts"
        reporter.start(task)
        explanation = explain(
            problem,
            query_channels(problem, refused, connection),
            positions,
            fast_solver=fast_solver(connection),
            solver_text=" ".join(refused.values()),
            fixed=fixed,
        )
        reporter.finish(task)
        if explanation is None or not set(refused) <= set(explanation.platforms):
            return None  # rattler sees a conflict where we see none: its own solver_text are better than none
        details = as_data(explanation) | {"solver": dict(refused)}
        return UnsolvableError(message(explanation), hint=hint(explanation), details=details)

    return said


def fast_solver(connection: Connection) -> FastSolver:
    """Give rattler as the fast solver that explanations ask."""

    def ask(problem: Problem) -> Lock | str:
        solver_text: list[str] = []

        def keep(_: Problem, refused: Mapping[str, str], __: Connection) -> BlockedError:
            solver_text.extend(refused.values())
            return BlockedError("there is no solution")

        try:
            return solve(problem, connection, explain=keep)
        except BlockedError:
            return " ".join(solver_text)

    return ask


@gc_paused()
def query_channels(
    problem: Problem, first: Mapping[str, str], connection: Connection
) -> tuple[PlatformChannels, ...]:
    """Fetch what the channels carry of all that a problem asks for, and of all that this needs.

    The platforms in ``first`` come first.

    Raises
    ------
    SourceUnreachableError
        If a channel can not be read.
    """
    names = sorted((entry.name for entry in problem.platforms), key=lambda name: name not in first)
    with channel_errors(*problem.sources):
        return run(_all(problem, names, connection))


async def _all(
    problem: Problem, platforms: list[str], connection: Connection
) -> tuple[PlatformChannels, ...]:
    return tuple(await asyncio.gather(*(_one(problem, name, connection) for name in platforms)))


async def _one(problem: Problem, platform: str, connection: Connection) -> PlatformChannels:
    from rattler import MatchSpec, Subdir

    wanted = {item.name for item in problem.requirements if platform in item.platforms}
    sources, subdirs = (
        [rattler_channel(source) for source in problem.sources],
        [Subdir(platform), Subdir("noarch")],
    )
    # Names alone: the records of other versions are what a suggestion is made of.
    answer = await connection.gateway.query(
        sources, subdirs, [MatchSpec(name) for name in sorted(wanted)], recursive=True
    )
    # The answer has a list per channel and subdir; the order of channels knows no subdirs.
    by_channel: dict[str, list[RepoDataRecord]] = {source.base_url.rstrip("/"): [] for source in sources}
    for found in answer:
        if found:
            by_channel.setdefault(str(found[0].channel or "").rstrip("/"), []).extend(found)
    channels = tuple(map(ChannelIndex, by_channel.values()))
    names: tuple[str, ...] = ()
    if not wanted <= {name for index in channels for name in index.names}:
        names = tuple(sorted(name.normalized for name in await connection.gateway.names(sources, subdirs)))
    return PlatformChannels(platform=platform, channels=channels, names=names)

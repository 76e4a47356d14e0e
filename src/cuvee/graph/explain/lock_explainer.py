"""What `cuvee.lock.solve.solve` calls for a problem without a solution, and what that takes from rattler."""

import asyncio
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from cuvee.channel.connection import Connection, channel_errors, rattler_channel
from cuvee.conda.event_loop import run
from cuvee.conda.garbage_collection import gc_paused
from cuvee.errors import BlockedError, UnsolvableError
from cuvee.graph.explain.channel_index import ChannelIndex
from cuvee.graph.explain.explanation_text import as_data, hint, message
from cuvee.graph.explain.oracle import FastSolver
from cuvee.graph.explain.relaxable_problem import PlatformChannels
from cuvee.graph.explain.unsolvable import explain
from cuvee.lock.endless_answers import is_endless
from cuvee.lock.model import Lock
from cuvee.lock.solve import Explainer, Problem, try_solve
from cuvee.manifest.documents.suggestions import nearest
from cuvee.manifest.model import Position
from cuvee.progress import SILENT, Reporter

if TYPE_CHECKING:
    from rattler import RepoDataRecord


def explainer(
    positions: Mapping[str, Position],
    *,
    fixed: Collection[str] = (),
    imports: bool = False,
    whole: bool = False,
    reporter: Reporter = SILENT,
) -> Explainer:
    """Return what `solve` calls when a problem has no solution; the parameters are those of `explain`.

    With ``whole`` the text has all conflicts, however many there are.
    """

    def error_of(problem: Problem, refused: Mapping[str, str], connection: Connection) -> BlockedError | None:
        task = "Explain the conflict"
        reporter.start(task)
        explanation = explain(
            problem,
            query_channels(problem, refused, connection),
            positions,
            fast_solver=None if any(map(is_endless, refused.values())) else fast_solver(connection),
            solver_text=" ".join(refused.values()),
            fixed=fixed,
            imports=imports,
        )
        reporter.finish(task)
        if explanation is None or not set(refused) <= set(explanation.platforms):
            return (
                None  # rattler sees a conflict where our solver sees none: its own text is better than none
            )
        details = as_data(explanation) | {"solver": dict(refused)}
        return UnsolvableError(
            message(explanation, whole=whole),
            hint=hint(explanation, whole=whole),
            platforms=refused,
            details=details,
        )

    return error_of


def fast_solver(connection: Connection) -> FastSolver:
    """Return rattler as the fast solver of explanations."""

    def solve_with_rattler(problem: Problem) -> Lock | str:
        answer = try_solve(problem, connection)
        return answer if isinstance(answer, Lock) else " ".join(answer.values())

    return solve_with_rattler


@gc_paused()
def query_channels(
    problem: Problem, first: Collection[str], connection: Connection
) -> tuple[PlatformChannels, ...]:
    """Query rattler's gateway for the records of what a problem requests, and of all that these depend on.

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
    sources = await connection.repodata(problem.sources, platform)
    subdirs = [Subdir(platform), Subdir("noarch")]

    async def records_of(wanted: Collection[str]) -> "list[list[RepoDataRecord]]":
        # Only names, because suggestions are made of the records of other versions.
        specs = [MatchSpec(name) for name in sorted(wanted)]
        return await connection.gateway.query(sources, subdirs, specs, recursive=True)

    answer = await records_of(requested)
    names: tuple[str, ...] = ()
    missing = requested - {record.name.normalized for found in answer for record in found}
    if missing:
        names = tuple(sorted({name for part in sources for name in part.package_names()}))
        likely = {near for name in missing if (near := nearest(name, names)) is not None}
        answer = await records_of(requested | likely) if likely else answer
    # The answer has a list per channel and subdir, but all subdirs of a channel have the same priority.
    by_channel: dict[str, list[RepoDataRecord]] = {
        str(rattler_channel(source).base_url).rstrip("/"): [] for source in problem.sources
    }
    for found in answer:
        if found:
            by_channel.setdefault(str(found[0].channel or "").rstrip("/"), []).extend(found)
    channels = tuple(map(ChannelIndex, by_channel.values()))
    return PlatformChannels(platform=platform, channels=channels, names=names)

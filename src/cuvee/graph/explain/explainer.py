"""What `cuvee.lock.solve.solve` calls for a problem without a solution, and rattler as a fast solver."""

from collections.abc import Collection, Mapping

from cuvee.channel.connection import Connection
from cuvee.errors import BlockedError, UnsolvableError
from cuvee.graph.explain.explanation_text import as_data, hint, message
from cuvee.graph.explain.gateway_query import query_channels
from cuvee.graph.explain.oracle import FastSolver
from cuvee.graph.explain.unsolvable import explain
from cuvee.lock.model import Lock
from cuvee.lock.solve import Explainer, Problem, try_solve
from cuvee.manifest.model import Position
from cuvee.progress import SILENT, Reporter


def explainer(
    positions: Mapping[str, Position], *, fixed: Collection[str] = (), reporter: Reporter = SILENT
) -> Explainer:
    """Return what `cuvee.lock.solve.solve` calls when a problem has no solution.

    Parameters
    ----------
    positions
        Where the manifest states each of its values, by dotted path.
    fixed
        Names that suggestions leave as they are where they can.
    """

    def error_of(problem: Problem, refused: Mapping[str, str], connection: Connection) -> BlockedError | None:
        task = "Explain the conflict"
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
            return (
                None  # rattler sees a conflict where our solver sees none: its own text is better than none
            )
        details = as_data(explanation) | {"solver": dict(refused)}
        return UnsolvableError(message(explanation), hint=hint(explanation), details=details)

    return error_of


def fast_solver(connection: Connection) -> FastSolver:
    """Return rattler as the fast solver of explanations."""

    def solve_with_rattler(problem: Problem) -> Lock | str:
        answer = try_solve(problem, connection)
        return answer if isinstance(answer, Lock) else " ".join(answer.values())

    return solve_with_rattler

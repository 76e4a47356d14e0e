"""Packages that can each be installed, but never together: all pairs, and larger sets up to a limit.

Vouillon and Di Cosmo, "On software component co-installability", 2011, ask the same about Debian
(https://doi.org/10.1145/2025113.2025149).

Larger sets are enumerated as by MARCO (Liffiton and others, "Fast, flexible MUS enumeration", 2016,
https://doi.org/10.1007/s10601-015-9183-0): a second solver has a map of the sets that are known to be
satisfiable or not, and returns one that is neither.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import combinations

from cuvee.graph.solving.pool import Pool
from cuvee.graph.solving.solver import Solution, Solver, UnsatCore
from cuvee.progress import SILENT, Reporter

LIMIT = 50
"""Number of sets of more than two after which the search stops."""

_ROUNDS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class IncompatibleSet:
    """Specs that are never met together, although without any one of them the others are.

    Attributes
    ----------
    reason
        What the best record of each needs, as lines; a set of one cannot be installed at all.
    """

    specs: tuple[str, ...]
    reason: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coinstallability:
    """The result for one platform.

    Attributes
    ----------
    uninstallable
        Those that cannot be installed even by themselves.
    groups
        Pairs first, in the order of the specs; these are all sets if the result is `complete`.
    """

    platform: str
    specs: tuple[str, ...]
    uninstallable: tuple[IncompatibleSet, ...]
    groups: tuple[IncompatibleSet, ...]
    complete: bool


def never_together(
    pool: Pool, specs: Sequence[str], platform: str, *, limit: int = LIMIT, reporter: Reporter = SILENT
) -> Coinstallability:
    """Return the minimal sets of ``specs`` that no environment meets together."""
    task = f"Compare {platform}"
    with closing(_Search(pool, specs)) as search:
        reporter.start(task, total=len(specs))
        pairs: list[tuple[int, int]] = []
        for first, spec in enumerate(search.specs):
            pairs += search.pairs_with(first)
            reporter.advance(task, note=spec)
        larger, complete = search.larger(limit)
        answer = Coinstallability(
            platform=platform,
            specs=tuple(specs),
            uninstallable=tuple(search.group((spec,)) for spec in search.uninstallable),
            groups=tuple(search.group(search.specs_of(group)) for group in (*pairs, *larger)),
            complete=complete,
        )
    reporter.finish(task)
    return answer


class _Search:
    """The specs that can be installed by themselves, by number, with what is known about sets of them."""

    def __init__(self, pool: Pool, specs: Sequence[str]) -> None:
        from pysat.solvers import Minisat22

        self._pool = pool
        self._solver = Solver(pool)
        found = {spec: self._fits((spec,)) for spec in dict.fromkeys(specs)}
        self.specs = tuple(spec for spec, fits in found.items() if fits)
        self.uninstallable = tuple(spec for spec, fits in found.items() if not fits)
        self._met = [frozenset(pool.candidates(spec)) for spec in self.specs]
        self._known: set[tuple[int, int]] = set()
        self._map = Minisat22()
        self._map.set_phases([number + 1 for number in range(len(self.specs))])

    def close(self) -> None:
        """Free both solvers' memory."""
        self._solver.close()
        self._map.delete()

    def specs_of(self, group: Iterable[int]) -> tuple[str, ...]:
        """Return the specs of a set."""
        return tuple(self.specs[number] for number in group)

    def pairs_with(self, first: int) -> list[tuple[int, int]]:
        """Find the pairs of one spec and a later one; a solution is a witness for all pairs in it."""
        found = []
        for second in range(first + 1, len(self.specs)):
            if (first, second) in self._known:
                continue
            if self._fits(self.specs_of((first, second))):
                self._grow({first, second})
            else:
                found.append((first, second))
                self._map.add_clause([-first - 1, -second - 1])
        return found

    def larger(self, limit: int) -> tuple[list[tuple[int, ...]], bool]:
        """Return sets of more than two, and whether these are all."""
        found: list[tuple[int, ...]] = []
        for _ in range(_ROUNDS):
            if not self._map.solve():
                return found, True
            if len(found) == limit:
                break
            model = set(self._map.get_model() or ())
            seed = [number for number in range(len(self.specs)) if -number - 1 not in model]
            answer = self._solver.solve(self.specs_of(seed))
            if isinstance(answer, Solution):
                self._grow(set(seed))
                continue
            core = self._solver.shrink(answer).requirements
            group = tuple(number for number in seed if self.specs[number] in core)
            found.append(group)
            self._map.add_clause([-number - 1 for number in group])
        return found, False

    def group(self, specs: tuple[str, ...]) -> IncompatibleSet:
        """Return a set with its reason."""
        return IncompatibleSet(specs=specs, reason=self._reason(specs))

    def _fits(self, specs: tuple[str, ...]) -> bool:
        return isinstance(self._solver.solve(specs), Solution)

    def _grow(self, fitting: set[int]) -> None:
        """Grow a satisfiable set to a maximal one, and note what that says about pairs and about subsets."""
        for number in range(len(self.specs)):
            if number in fitting:
                continue
            answer = self._solver.solve(self.specs_of(sorted({*fitting, number})))
            if isinstance(answer, Solution):
                met = set(answer.records)
                fitting.add(number)
                fitting.update(other for other, records in enumerate(self._met) if records & met)
        self._known.update(combinations(sorted(fitting), 2))
        self._map.add_clause([number + 1 for number in range(len(self.specs)) if number not in fitting])

    def _reason(self, specs: tuple[str, ...]) -> tuple[str, ...]:
        """Return what the best record of each needs, one after the other, as long as the conflict remains."""
        lines = []
        core, limits = list(specs), list[str]()
        for spec in specs:
            numbers = self._pool.candidates(spec)
            if not numbers:
                problem = self._pool.problem_of(spec)
                return (f"{spec} cannot be read: {problem}" if problem else f"no record meets {spec}",)
            installable = (n for n in numbers if isinstance(self._solver.solve((), records=(n,)), Solution))
            best = next(installable, numbers[0])
            record = self._pool[best]
            others = [item for item in core if item != spec]
            answer = self._solver.solve([*others, *record.depends], constraints=[*limits, *record.constrains])
            if isinstance(answer, UnsatCore):
                least = self._solver.shrink(answer)
                needs = [item for item in record.depends if item in least.requirements]
                allows = [item for item in record.constrains if item in least.constraints]
                core, limits = list(least.requirements), list(least.constraints)
                said = [f"needs {item}" for item in needs] + [f"allows only {item}" for item in allows]
                if said:
                    lines.append(f"{record.stem} {' and '.join(said)}")
        return tuple(lines) or ("each excludes the other",)

"""Asking cheaply: is there a solution? What is cheap is tried first; each "yes" is a solution that was seen.

In a large release one part changes at a time, so a solution of before is nearly one of now. It is looked for
near those that are known, then with rattler, which is fast, and last with our own solver, which alone can
say which parts of the manifest make a "no".
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from cuvee.conda.match_spec import read_spec
from cuvee.conda.record import LockedPackage, Record
from cuvee.graph.explain.channel_index import LazyPool
from cuvee.graph.explain.model import ConstraintKind, SoftConstraint
from cuvee.graph.explain.relaxable_problem import PlatformInstance, RelaxableProblem
from cuvee.graph.solving.pool import Pool
from cuvee.graph.solving.solver import Solver, UnsatCore
from cuvee.lock.model import Lock
from cuvee.lock.solve import Problem
from cuvee.manifest.model import PlatformEntry
from cuvee.platforms import FLOOR_KEYS, get

if TYPE_CHECKING:
    from rattler import PackageRecord

FastSolver = Callable[[Problem], Lock | str]
"""Solves a problem: its lock, or the solver's solver_text why there is none."""

_MOST_WITNESSES = 3
_AT_ONCE = 3
_MANY_PINS = 48  # more are not looked at on the chance that they conflict
_LINES = {ConstraintKind.REQUIREMENT, ConstraintKind.CONSTRAINT}


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Witness:
    """A solution on one platform.

    Attributes
    ----------
    records, matchable
        The record of each name, ours and rattler's.
    mentions
        For each name, the names of the solution whose records say something of it.
    outward
        The names whose records say something of names that are not in the solution.
    """

    records: Mapping[str, Record]
    matchable: "Mapping[str, PackageRecord]"
    mentions: Mapping[str, frozenset[str]]
    outward: frozenset[str]

    @classmethod
    def of(cls, pool: LazyPool, packages: Iterable[LockedPackage]) -> "Witness | None":
        """Look up a lock's packages; `None` if not all are there."""
        found = {package.name: pool.locked(package) for package in packages}
        pairs = {name: pair for name, pair in found.items() if pair is not None}
        if len(pairs) < len(found):
            return None
        mentions: dict[str, set[str]] = {}
        for name, (record, _) in pairs.items():
            for spec in (*record.depends, *record.constrains):
                mentions.setdefault(pool.name_of(spec), set()).add(name)
        outward = [names for other, names in mentions.items() if other not in pairs]
        return cls(
            records={name: record for name, (record, _) in pairs.items()},
            matchable={name: raw for name, (_, raw) in pairs.items()},
            mentions={name: frozenset(names) for name, names in mentions.items()},
            outward=frozenset[str]().union(*outward),
        )

    def bound(self, free: frozenset[str]) -> list[str]:
        """Give the names that stay, and say something of what may change."""
        return sorted(self.outward.union(*(self.mentions.get(name, ()) for name in free)) - free)

    def meets(self, name: str, spec: str) -> bool:
        """Whether the record of a name is among those that a spec of that name means."""
        read = read_spec(spec)
        if read.matcher is None or not read.matcher.matches(self.matchable[name]):
            return False
        return not read.channel or read.channel == self.records[name].channel


class NearbyPool(Pool):
    """A pool in which only what is near a solution can be installed.

    What is neither ``free`` nor new stays as it is in the solution; its numbers are below zero. Of such a
    record only what it says of the others still matters: the rest of it holds.
    """

    def __init__(self, pool: Pool, witness: Witness, free: frozenset[str]) -> None:
        self._whole = pool
        self._witness = witness
        self._free = free
        self._stays = [name for name in sorted(witness.records) if name not in free]
        self.numbers = {name: -1 - place for place, name in enumerate(self._stays)}
        self._near: dict[str, tuple[int, ...]] = {}
        self._records: dict[int, Record] = {}

    def __getitem__(self, number: int) -> Record:
        known = self._records.get(number)
        if known is None:
            if number < 0:
                record = self._witness.records[self._stays[-1 - number]]
                depends = tuple(spec for spec in record.depends if self._is_open(spec))
            else:  # what stays is installed for certain, so what excludes another version of it needs it
                record = self._whole[number]
                stays = tuple(spec for spec in record.constrains if not self._is_open(spec))
                depends = (*record.depends, *stays)
            constrains = tuple(spec for spec in record.constrains if self._is_open(spec))
            known = self._records[number] = replace(record, depends=depends, constrains=constrains)
        return known

    @property
    def virtual(self) -> tuple[int, ...]:
        return self._whole.virtual

    def candidates(self, spec: str) -> tuple[int, ...]:
        found = self._near.get(spec)
        if found is None:
            name = self.name_of(spec)
            number = self.numbers.get(name)
            if number is None:
                found = self._whole.candidates(spec)
            else:
                found = (number,) if self._witness.meets(name, spec) else ()
            self._near[spec] = found
        return found

    def open_to(self, member: SoftConstraint) -> bool:
        """Whether a solution near may differ in what ``member`` asks for."""
        return self._is_open(member.spec)

    def _is_open(self, spec: str) -> bool:
        return self.name_of(spec) not in self.numbers


class Oracle:
    """Answers for one problem; ``solver_text`` is what rattler said when it refused it as it stands."""

    def __init__(
        self, problem: RelaxableProblem, fast_solver: FastSolver | None = None, solver_text: str = ""
    ) -> None:
        self.problem = problem
        self._oracle = fast_solver
        self._named = _names(solver_text)
        self._answers: dict[frozenset[SoftConstraint], Lock | str] = {}
        self._carried: set[tuple[str, str]] = set()
        self._known: dict[frozenset[SoftConstraint], bool] = {}
        self._witnesses: list[Mapping[str, Witness]] = []
        self._solvers: dict[
            tuple[Witness, str, frozenset[str]], tuple[NearbyPool, tuple[int, ...], Solver]
        ] = {}

    def conflict(
        self, members: Iterable[SoftConstraint], likely: Iterable[Sequence[SoftConstraint]] = ()
    ) -> tuple[PlatformInstance, tuple[SoftConstraint, ...]] | None:
        """Give some of ``members`` that can not hold at once, and where; `None` if all can everywhere.

        What is ``likely`` to be asked for next is solved at the same time, if rattler is needed at all.
        """
        asked = tuple(members)
        key = frozenset(asked)
        if self._known.get(key) or (key not in self._known and self._seen_near(asked)):
            self._known[key] = True
            return None
        found = self._small(asked)
        if found is None and key not in self._known and self._solved(asked, likely):
            self._known[key] = True
            return None
        # Rattler's solver_text, if it was asked, name what is looked at first.
        found = found or self._small(asked) or self.problem.conflict(asked)
        self._known[key] = found is None
        self._named |= {member.name for member in found[1]} if found is not None else set()
        return found

    def solvable(self, members: Iterable[SoftConstraint]) -> bool:
        """Whether all of ``members`` can hold at once, everywhere; a "no" may be rattler's alone."""
        asked = tuple(members)
        key = frozenset(asked)
        if key not in self._known:
            answer: bool | None = True if self._seen_near(asked) else None
            if answer is None:
                answer = False if self._small(asked) is not None else self._solved(asked)
            self._known[key] = self.problem.conflict(asked) is None if answer is None else answer
        return self._known[key]

    def near(self, members: Iterable[SoftConstraint]) -> bool:
        """Whether a solution is seen near a known one; a "no" says little, unless none is known."""
        if not self._witnesses:
            return self.solvable(members)
        return self._seen_near(tuple(members))

    def _small(
        self, members: tuple[SoftConstraint, ...]
    ) -> tuple[PlatformInstance, tuple[SoftConstraint, ...]] | None:
        """Look for a conflict among the parts that narrow something down, or that rattler has named."""
        for instance in self.problem.instances:
            for member in members:
                is_here = member.needed and instance.platform in member.platforms
                if is_here and (instance.platform, member.spec) not in self._carried:
                    if not instance.pool.is_met(member.spec):
                        return instance, (member,)
                    self._carried.add((instance.platform, member.spec))
        pins = [member for member in members if not member.is_any]
        if len(pins) > _MANY_PINS:
            pins = [m for m in pins if m.kind not in _LINES or m.name in self._named]
        named = [member for member in members if member in pins or member.name in self._named]
        return self.problem.conflict(pins) or (
            self.problem.conflict(named) if len(named) > len(pins) else None
        )

    def _seen_near(self, members: tuple[SoftConstraint, ...]) -> bool:
        return any(
            all(
                self._near_on(instance, members, witness[instance.platform])
                for instance in self.problem.instances
            )
            for witness in reversed(self._witnesses)
        )

    def _solved(
        self, members: tuple[SoftConstraint, ...], likely: Iterable[Sequence[SoftConstraint]] = ()
    ) -> bool | None:
        """Whether rattler finds a solution, which is then known; `None` if it can not be asked."""
        key = frozenset(members)
        if key not in self._answers:
            self._ask([members, *likely])
        answer = self._answers.get(key)
        return None if answer is None else not isinstance(answer, str)

    def _ask(self, questions: Iterable[Sequence[SoftConstraint]]) -> None:
        """Ask rattler; platforms are solved at once, and so are questions if platforms are few."""
        if self._oracle is None:
            return
        problems: dict[frozenset[SoftConstraint], Problem] = {}
        for members in islice(questions, max(1, _AT_ONCE // len(self.problem.instances))):
            problem = stated(self.problem.given, members)
            if problem is not None and frozenset(members) not in self._answers:
                problems[frozenset(members)] = problem
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            answers = list(threads.map(self._oracle, problems.values()))
        for key, answer in zip(problems, answers, strict=True):
            self._answers[key] = answer
            if isinstance(answer, str):
                self._named |= _names(answer)
            else:
                self._known[key] = True
                self._remember(answer)

    def _remember(self, lock: Lock) -> None:
        witnesses = {}
        for instance in self.problem.instances:
            found = Witness.of(instance.pool, lock.by_platform[instance.platform].packages)
            if found is None:
                return
            witnesses[instance.platform] = found
        self._witnesses = [*self._witnesses, witnesses][-_MOST_WITNESSES:]

    def _near_on(
        self, instance: PlatformInstance, members: tuple[SoftConstraint, ...], witness: Witness
    ) -> bool:
        """Whether there is a solution in which only what ``members`` move, and its neighbours, differ."""
        pool = instance.pool
        here = [member for member in members if instance.platform in member.platforms]
        moved = {
            name
            for member in here
            if not member.is_any
            and (name := pool.name_of(member.spec)) in witness.records
            and not witness.meets(name, member.spec)
        }
        free = frozenset(moved).union(*(witness.mentions.get(name, ()) for name in moved))
        for name in moved:
            for number in pool.by_name[name]:
                free |= {pool.name_of(spec) for spec in pool[number].depends}
        key = (witness, instance.platform, free)
        if key not in self._solvers:
            near = NearbyPool(pool, witness, free)
            self._solvers[key] = (
                near,
                tuple(near.numbers[name] for name in witness.bound(free)),
                Solver(near),
            )
        near, bound, solver = self._solvers[key]
        asked = [member for member in here if near.open_to(member)]
        answer = solver.solve(
            [member.spec for member in asked if member.needed],
            constraints=[member.spec for member in asked if not member.needed],
            records=bound,
        )
        return not isinstance(answer, UnsatCore)


def stated(problem: Problem, members: Iterable[SoftConstraint]) -> Problem | None:
    """Give the problem that asks for exactly ``members``; `None` if no manifest can state it."""
    kept = list(members)
    kinds = {member.kind for member in kept}
    if len(problem.sources) > 1 and ConstraintKind.ORDER not in kinds:
        return None
    specs = {(member.kind, member.name): member.spec for member in kept}
    platforms = [_floors(entry, kept) for entry in problem.platforms]
    entries = tuple(entry for entry in platforms if entry is not None)
    if len(entries) < len(platforms):
        return None
    return replace(
        problem,
        platforms=entries,
        requirements=tuple(
            replace(item, match=specs[ConstraintKind.REQUIREMENT, item.name])
            for item in problem.requirements
            if (ConstraintKind.REQUIREMENT, item.name) in specs
        ),
        constraints=tuple(
            replace(item, match=specs[ConstraintKind.CONSTRAINT, item.name])
            for item in problem.constraints
            if (ConstraintKind.CONSTRAINT, item.name) in specs
        ),
        exclude_newer=problem.exclude_newer if ConstraintKind.DATE in kinds else None,
    )


def _floors(entry: PlatformEntry, members: Iterable[SoftConstraint]) -> PlatformEntry | None:
    """Give a platform with the floors that are asked for; `None` if one was left off."""
    stated_here = {m.name: m for m in members if m.kind is ConstraintKind.FLOOR and entry.name in m.platforms}
    floor = dict(entry.floor)
    for key in FLOOR_KEYS[get(entry.name).system]:
        member = stated_here.get(key)
        if member is None:
            return None
        if member.needed:
            _, version, build = member.spec.split()
            floor[key] = build if key == "archspec" else version.removeprefix("==")
        else:
            floor.pop(key, None)
    return replace(entry, floor=floor)


def _names(solver_text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9_][a-z0-9._-]*", solver_text.lower()))

"""Solutions that were found, and a search near them: solving again from nothing would cost far more."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cuvee.conda.match_spec import read_spec
from cuvee.conda.package_record import LockedPackage, Record
from cuvee.graph.explain.channel_index import LazyPool
from cuvee.graph.explain.model import SoftConstraint
from cuvee.graph.explain.relaxable_problem import PlatformInstance
from cuvee.graph.solving.pool import Pool
from cuvee.graph.solving.solver import Solution, Solver
from cuvee.lock.model import Lock

if TYPE_CHECKING:
    from rattler import PackageRecord

_MOST_WITNESSES = 3


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Witness:
    """A solution on one platform.

    Attributes
    ----------
    records, matchable
        The record of each name, ours and rattler's.
    mentions
        For each name, the names in the solution whose records depend on it or constrain it.
    outward
        The names whose records depend on or constrain names that are not in the solution.
    """

    records: Mapping[str, Record]
    matchable: "Mapping[str, PackageRecord]"
    mentions: Mapping[str, frozenset[str]]
    outward: frozenset[str]

    @classmethod
    def of(cls, pool: LazyPool, packages: Iterable[LockedPackage]) -> "Witness | None":
        """Return the solution that a lock has; `None` if a package is not in the channels."""
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
        """Return the names that stay, and depend on or constrain what may change."""
        return sorted(self.outward.union(*(self.mentions.get(name, ()) for name in free)) - free)

    def meets(self, name: str, spec: str) -> bool:
        """Whether the record of a name meets a spec of that name."""
        read = read_spec(spec)
        if read.matcher is None or not read.matcher.matches(self.matchable[name]):
            return False
        return not read.channel or read.channel == self.records[name].channel


class NearbyPool(Pool):
    """A pool in which only solutions near a witness exist.

    Names of the witness that are not ``free`` keep their records, whose numbers are negative. Of the
    dependencies and constrains of these records, only those on other names are left: the rest is satisfied.
    """

    def __init__(self, pool: Pool, witness: Witness, free: frozenset[str]) -> None:
        self._pool = pool
        self._witness = witness
        self._kept = [name for name in sorted(witness.records) if name not in free]
        self.numbers = {name: -1 - index for index, name in enumerate(self._kept)}
        self._candidates: dict[str, tuple[int, ...]] = {}
        self._records: dict[int, Record] = {}

    def __getitem__(self, number: int) -> Record:
        known = self._records.get(number)
        if known is None:
            if number < 0:
                record = self._witness.records[self._kept[-1 - number]]
                depends = tuple(spec for spec in record.depends if self.is_open(spec))
            else:  # a kept record is installed for certain, so a constraint on its name is a dependency
                record = self._pool[number]
                on_kept = tuple(spec for spec in record.constrains if not self.is_open(spec))
                depends = (*record.depends, *on_kept)
            constrains = tuple(spec for spec in record.constrains if self.is_open(spec))
            known = self._records[number] = replace(record, depends=depends, constrains=constrains)
        return known

    @property
    def virtual(self) -> tuple[int, ...]:
        return self._pool.virtual

    def candidates(self, spec: str) -> tuple[int, ...]:
        found = self._candidates.get(spec)
        if found is None:
            name = self.name_of(spec)
            number = self.numbers.get(name)
            if number is None:
                found = self._pool.candidates(spec)
            else:
                found = (number,) if self._witness.meets(name, spec) else ()
            self._candidates[spec] = found
        return found

    def is_open(self, spec: str) -> bool:
        """Whether ``spec`` is about a name that is not kept."""
        return self.name_of(spec) not in self.numbers


class WitnessSearch:
    """Looks for solutions near known ones: a change of few lines moves few packages of a large release."""

    def __init__(self, instances: Sequence[PlatformInstance]) -> None:
        self._instances = instances
        self._witnesses: list[Mapping[str, Witness]] = []
        self._solvers: dict[
            tuple[Witness, str, frozenset[str]], tuple[NearbyPool, tuple[int, ...], Solver]
        ] = {}

    def __bool__(self) -> bool:
        """Whether a solution is known."""
        return bool(self._witnesses)

    def add(self, lock: Lock) -> None:
        """Add the solution that a lock has, unless it has packages that are not in the channels."""
        witnesses = {}
        for instance in self._instances:
            found = Witness.of(instance.pool, lock.by_platform[instance.platform].packages)
            if found is None:
                return
            witnesses[instance.platform] = found
        self._witnesses = [*self._witnesses, witnesses][-_MOST_WITNESSES:]

    def finds(self, members: Sequence[SoftConstraint]) -> bool:
        """Whether all of ``members`` hold at once in a solution near a known one."""
        return any(
            all(self._finds_on(instance, members, witness[instance.platform]) for instance in self._instances)
            for witness in reversed(self._witnesses)
        )

    def _finds_on(
        self, instance: PlatformInstance, members: Sequence[SoftConstraint], witness: Witness
    ) -> bool:
        """Whether there is a solution in which only the packages that ``members`` move, and their neighbours,
        differ from the witness.
        """
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
            for number in pool.numbers_of(name):
                free |= {pool.name_of(spec) for spec in pool[number].depends}
        key = (witness, instance.platform, free)
        if key not in self._solvers:
            nearby = NearbyPool(pool, witness, free)
            bound = tuple(nearby.numbers[name] for name in witness.bound(free))
            self._solvers[key] = (nearby, bound, Solver(nearby))
        nearby, bound, solver = self._solvers[key]
        left = [member for member in here if nearby.is_open(member.spec)]
        answer = solver.solve(
            [member.spec for member in left if member.needed],
            constraints=[member.spec for member in left if not member.needed],
            records=bound,
        )
        return isinstance(answer, Solution)

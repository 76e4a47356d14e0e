"""The description of an MUS: how each member leads to the conflict, the conflict in a sentence, its cause."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from cuvee.conda.package_record import Record
from cuvee.graph.explain.channel_index import HIDDEN, NEWER
from cuvee.graph.explain.model import ConflictNode, ConstraintKind, Mus, SoftConstraint
from cuvee.graph.explain.range_loosening import span
from cuvee.graph.explain.relaxable_problem import PlatformInstance, RelaxableProblem
from cuvee.graph.solving.encoding import Assumptions, Encoding
from cuvee.graph.solving.pool import Pool
from cuvee.graph.solving.solver import PoolProvider, minimal_subset
from cuvee.lock.solve import nearest
from cuvee.manifest.documents.suggestions import did_you_mean

_MOST_SPECS = 3
_GATES = {NEWER: "newer than exclude-newer", HIDDEN: "hidden by a channel that comes first"}


@dataclass(frozen=True, slots=True, order=True)
class Relation:
    """All that the records of one package say of another: what they need of it, or what they exclude."""

    source: str
    target: str
    excludes: bool = False


def minimal_relations(pool: Pool, members: Sequence[SoftConstraint]) -> tuple[Relation, ...]:
    """Return a minimal set of relations with which ``members``, an MUS, cannot hold at once; sorted.

    Each relation is a label of the encoding, so that it can be left out.
    """
    provider = PoolProvider(pool)
    numbers: dict[Relation, int] = {}

    @cache
    def label(item: int, clause: int, constrains: bool) -> int:
        record, spec = pool[item], provider.spec(clause)
        # An entry of `constrains` that cannot be read stands among what the provider says is needed.
        excludes = constrains or spec not in record.depends
        relation = Relation(record.name, pool.name_of(spec) or spec, excludes)
        return numbers.setdefault(relation, len(numbers))

    assumptions = Assumptions(
        needs=tuple(provider.clause(member.spec) for member in members if member.needed),
        allows=tuple(provider.clause(member.spec) for member in members if not member.needed),
    )
    encoding = Encoding(provider, pool.virtual, label)

    def unsat_core(labels: Sequence[int] | None) -> tuple[int, ...] | None:
        kept = None if labels is None else tuple(sorted(labels, key=relations.__getitem__))
        answer = encoding.solve(replace(assumptions, labels=kept))
        return answer.labels or () if isinstance(answer, Assumptions) else None

    try:
        core = unsat_core(None)
        relations = list(numbers)
        last_first = sorted(core or (), key=relations.__getitem__, reverse=True)
        return tuple(sorted(relations[number] for number in minimal_subset(last_first, unsat_core)))
    finally:
        encoding.close()


def describe(problem: RelaxableProblem, mus: Collection[SoftConstraint]) -> Mus:
    """Return the description of an MUS."""
    members = tuple(member for member in reversed(problem.members) if member in mus)
    where = problem.unsolvable_on(members)
    view = _MusView(where[0], members)
    return Mus(
        members=members,
        platforms=tuple(instance.platform for instance in where),
        sentence=view.sentence(),
        tree=view.tree,
        cause=view.cause(),
    )


_Specs = tuple[str, ...]
"""Specs of one package, all of which a record needs or allows: some name a dependency twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statement:
    """What a soft constraint, or the records of other packages, require of a package: any of ``specs``."""

    target: str
    text: str
    met: frozenset[int]
    specs: tuple[_Specs, ...]
    by_manifest: bool


class _MusView:
    """An MUS with the dependencies that it rests on."""

    def __init__(self, instance: PlatformInstance, members: Sequence[SoftConstraint]) -> None:
        self._pool = instance.pool
        self._names = instance.names
        self._platform = instance.platform
        self._members = members
        self._by_source: dict[str, list[Relation]] = defaultdict(list)
        for relation in minimal_relations(instance.pool, members):
            self._by_source[relation.source].append(relation)
        self._described: set[Relation] = set()
        self._stated: dict[str, list[_Statement]] = defaultdict(list)
        self._left_out: list[str] = []
        self._lacking: list[_Statement] = []
        for member in members:
            if member.kind is not ConstraintKind.DATE and member.kind is not ConstraintKind.ORDER:
                self._stated[self._target(member)].append(self._statement_of(member))
        self.tree = tuple(self._root(member) for member in members)

    def sentence(self) -> str:
        """Return the conflict in one sentence."""
        only = self._members[0]
        if len(self._members) == 1 and only.needed and not self._pool.candidates(only.spec):
            at = f"{only.position}: " if only.position is not None else ""
            return f"{at}no channel has {only.text}; {self._instead(self._target(only), only.spec)}"
        named = [member.text for member in self._members]
        joined = " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))
        pivots = [self._conflict(target) for target in self._pivots()]
        lacking = [f"{item.text}, {self._lack(item.target, item)}" for item in self._lacking]
        conflicts = "; ".join([*self._left_out, *(pivots or lacking)])
        verb = "cannot hold together" if len(named) > 1 else "cannot hold"
        return f"{joined} {verb}: {conflicts}" if conflicts else f"{joined} {verb}"

    def cause(self) -> str:
        """Return what other MUSes may share: what no record meets."""
        missing = self._missing() or (self._lacking if not self._left_out and not self._pivots() else [])
        if missing:
            offered = missing[0].target.startswith("__")
            return f"{'no system offers' if offered else 'no channel has'} {_either(missing[0].specs)}"
        if self._left_out:
            return f"{self._left_out[0]}, and left out"
        return f"no {' and no '.join(self._pivots()) or 'choice'} meets all requirements on it"

    def _missing(self) -> list[_Statement]:
        return [item for group in self._stated.values() for item in group if not item.met]

    def _pivots(self) -> list[str]:
        """Return the names that the conflict is about: those that are missing, else required differently."""
        missing = self._missing()
        if missing:
            return list(dict.fromkeys(item.target for item in missing))
        several = [name for name, group in self._stated.items() if len(group) > 1]
        apart = [name for name in several if not frozenset.intersection(*(i.met for i in self._stated[name]))]
        return apart or several

    def _conflict(self, target: str) -> str:
        group = self._stated[target]
        missing = [item for item in group if not item.met]
        if missing:
            return "; ".join(f"{item.text}, {self._lack(target, item)}" for item in missing)
        return ", but ".join(item.text for item in group)

    def _lack(self, target: str, statement: _Statement) -> str:
        """Return a clause: no channel has it, and the nearest versions."""
        first = statement.specs[0]
        if any(map(self._pool.problem_of, first)):
            return "which is not a match spec"
        if target.startswith("__"):
            return f"which {self._platform} does not offer"
        return f"which no channel has; {self._instead(target, first[0])}"

    def _instead(self, target: str, spec: str) -> str:
        versions = [self._pool[number].version for number in self._pool.numbers_of(target)]
        if not versions:
            advice = did_you_mean(target, self._names)
            return "there is no such package" + (f"; {advice}" if advice else "")
        return f"nearest: {', '.join(nearest(spec.partition(' ')[2], list(dict.fromkeys(versions))))}"

    def _target(self, member: SoftConstraint) -> str:
        return self._pool.name_of(member.spec) or member.name

    def _statement_of(self, member: SoftConstraint) -> _Statement:
        texts = {
            ConstraintKind.REQUIREMENT: f"the manifest requests {member.text}",
            ConstraintKind.CONSTRAINT: f"the manifest has the {member.text}",
        }
        return _Statement(
            target=self._target(member),
            text=f"cuvee adds {member.text}"
            if member.reason
            else texts.get(member.kind, member.text.replace(", which offers", " offers")),
            met=self._met([(member.spec,)], excludes=member.kind is not ConstraintKind.REQUIREMENT),
            specs=((member.spec,),),
            by_manifest=True,
        )

    def _met(self, asked: Iterable[_Specs], *, excludes: bool) -> frozenset[int]:
        """Return the records that meet all specs of one of ``asked``; -1 for none, if these only exclude."""
        met = frozenset(
            number
            for specs in asked
            for number in frozenset.intersection(*(frozenset(self._pool.candidates(spec)) for spec in specs))
        )
        return met or frozenset({-1} if excludes else ())

    def _root(self, member: SoftConstraint) -> ConflictNode:
        target = self._target(member)
        numbers = list(self._pool.candidates(member.spec)) if member.needed else []
        if member.needed and not numbers:
            return ConflictNode(text=f"{member}: {self._lack(target, self._statement_of(member))}")
        return ConflictNode(text=str(member), children=self._children(target, numbers, (target,)))

    def _children(
        self, source: str, numbers: Sequence[int], path: tuple[str, ...]
    ) -> tuple[ConflictNode, ...]:
        return tuple(
            node
            for relation in self._by_source.get(source, ())
            if (node := self._node(relation, numbers, path)) is not None
        )

    def _node(self, relation: Relation, numbers: Sequence[int], path: tuple[str, ...]) -> ConflictNode | None:
        """Return what the records ``numbers`` of a package require of another, and what follows from that."""
        asked: dict[_Specs, list[int]] = {}
        for number in numbers:
            if specs := self._specs_of(self._pool[number], relation):
                asked.setdefault(specs, []).append(number)
        if not asked:
            return None
        if not relation.excludes:
            self._note_lacking(relation, asked)
        sources = sorted({number for group in asked.values() for number in group})
        source = f"{relation.source} {span([self._pool[number].version for number in sources])}"
        if relation.target in _GATES:
            self._left_out.append(f"{source} is {_GATES[relation.target]}")
            return ConflictNode(text=self._left_out[-1])
        verb = "works only with" if relation.excludes else "needs"
        text = f"{source} {verb} {_either(tuple(asked))}"
        statement = _Statement(
            target=relation.target,
            text=text,
            met=self._met(asked, excludes=relation.excludes),
            specs=tuple(asked),
            by_manifest=False,
        )
        if relation not in self._described:
            self._described.add(relation)
            self._stated[relation.target].append(statement)
        if not statement.met:
            return ConflictNode(text=f"{text}, {self._lack(relation.target, statement)}")
        others = [item for item in self._stated[relation.target] if item.by_manifest]
        if others:
            text += ", but " + " and ".join(item.text for item in others)
        is_new = relation.target not in path and not relation.excludes
        met = sorted(statement.met)
        children = self._children(relation.target, met, (*path, relation.target)) if is_new else ()
        return ConflictNode(text=text, children=children)

    def _note_lacking(self, relation: Relation, asked: Mapping[_Specs, Sequence[int]]) -> None:
        """Keep what only some records of a package need and nothing meets.

        If all records fail, each for a reason of its own, no package is required in two ways.
        """
        for specs, numbers in asked.items():
            source = f"{relation.source} {span([self._pool[number].version for number in numbers])}"
            statement = _Statement(
                target=relation.target,
                text=f"{source} needs {_either((specs,))}",
                met=self._met([specs], excludes=False),
                specs=(specs,),
                by_manifest=False,
            )
            if relation.target not in _GATES and not statement.met and statement not in self._lacking:
                self._lacking.append(statement)

    def _specs_of(self, record: Record, relation: Relation) -> _Specs:
        """Return a record's specs of another package: each once, only a name if there is no more."""
        texts = record.constrains if relation.excludes else record.depends
        found = dict.fromkeys(text for text in texts if (self._pool.name_of(text) or text) == relation.target)
        return tuple(text for text in found if text.strip() != relation.target) or tuple(found)


def _either(specs: Sequence[_Specs]) -> str:
    shown = " or ".join(" and ".join(one) for one in specs[:_MOST_SPECS])
    rest = len(specs) - _MOST_SPECS
    return f"{shown} or one of {rest} more ranges" if rest > 0 else shown

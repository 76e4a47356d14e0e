"""The dependencies that a conflict rests on: a minimal set of "this one needs that one" that keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from cuvee.graph.explain.model import SoftConstraint
from cuvee.graph.solving.encoding import Assumptions, Encoding
from cuvee.graph.solving.minimal_subset import minimal_subset
from cuvee.graph.solving.pool import Pool
from cuvee.graph.solving.solver import PoolProvider


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

"""A pool as a table of numbers: all that the workers need.

Records of one name with the same dependencies and constrains that meet the same specs are one class, as in
coinst (https://coinst.irill.org/). A class has a position among those of its name, the best first. A clause
is a name and a bit mask of positions, so that specs with different text and the same meaning are one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, count

from cuvee.graph.solving.pool import Pool

Clauses = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTable:
    """The classes of a channel, by number.

    Attributes
    ----------
    names
        By name number, including those that no record has.
    first
        By name number, the number of its first class; one more entry ends the last.
    name_of
        By class, its name number.
    depends, constrains
        By class, its clauses.
    clause_name, clause_mask
        By clause, its name number and the positions that it allows.
    always
        The classes of the virtual packages.
    rank
        By name number: higher than that of its dependencies; in a cycle, lower if more names depend on it.
    component
        By name number: names that depend on each other, a strongly connected component, have the same number.
    """

    names: tuple[str, ...]
    first: tuple[int, ...]
    name_of: tuple[int, ...]
    depends: tuple[Clauses, ...]
    constrains: tuple[Clauses, ...]
    clause_name: tuple[int, ...]
    clause_mask: tuple[int, ...]
    always: tuple[int, ...]
    rank: tuple[int, ...]
    component: tuple[int, ...]

    def classes_of(self, clause: int) -> list[int]:
        """Return the classes that meet a clause, the best first."""
        first = self.first[self.clause_name[clause]]
        return [first + position for position in positions(self.clause_mask[clause])]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRecords:
    """The records and specs behind the numbers, which only the report needs.

    Attributes
    ----------
    members
        By class, the numbers of its records in the pool, the best first.
    clause_of
        By spec, its clause.
    """

    members: tuple[tuple[int, ...], ...]
    clause_of: dict[str, int]


def positions(mask: int) -> Iterator[int]:
    """Yield the positions of the bits of a mask, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def build_class_table(pool: Pool) -> tuple[ClassTable, ClassRecords]:
    """Return a pool as a table, and what its numbers stand for."""
    numbering = _Numbering(pool)
    by_record = [
        (
            numbering.clauses((*record.depends, *(s for s in record.constrains if pool.problem_of(s)))),
            numbering.clauses(record.constrains),
        )
        for record in pool.records
    ]
    members, moved = _classes(pool, numbering, by_record)
    heads = [numbers[0] for numbers in members]
    name_of = [numbering.number[pool[head].name] for head in heads]
    sizes = Counter(name_of)
    rank, component = _ranks(numbering, by_record, heads)
    table = ClassTable(
        names=tuple(numbering.names),
        first=(0, *accumulate(sizes[name] for name in range(len(numbering.names)))),
        name_of=tuple(name_of),
        depends=tuple(by_record[head][0] for head in heads),
        constrains=tuple(by_record[head][1] for head in heads),
        clause_name=tuple(numbering.clause_name),
        clause_mask=tuple(moved),
        always=tuple(index for index, head in enumerate(heads) if pool[head].is_virtual),
        rank=rank,
        component=component,
    )
    return table, ClassRecords(members=tuple(members), clause_of=numbering.clause_of)


class _Numbering:
    """Names, specs and clauses, numbered."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.names = list(pool.by_name)
        self.number = {name: index for index, name in enumerate(self.names)}
        self.clause_of: dict[str, int] = {}
        self.clause_name: list[int] = []
        self.clause_mask: list[int] = []
        self._known: dict[tuple[int, int], int] = {}
        self._tuples: dict[Clauses, Clauses] = {}
        specs = {spec for record in pool.records for spec in (*record.depends, *record.constrains)}
        for spec in sorted(specs, key=lambda spec: (pool.name_of(spec), spec)):
            self.clause_of[spec] = self._clause(spec)

    def clauses(self, specs: Iterable[str]) -> Clauses:
        """Return the clauses of a record's specs, each once, in their order."""
        found = tuple(dict.fromkeys(self.clause_of[spec] for spec in specs))
        return self._tuples.setdefault(found, found)

    def _clause(self, spec: str) -> int:
        name = self.pool.name_of(spec)
        number = self.number.get(name)
        if number is None:
            number = self.number[name] = len(self.names)
            self.names.append(name)
        mask = 0
        matching = self.pool.matching(spec)
        if matching:
            start = self.pool.by_name[name][0]
            for record in matching:
                mask |= 1 << (record - start)
        clause = self._known.setdefault((number, mask), len(self.clause_name))
        if clause == len(self.clause_name):
            self.clause_name.append(number)
            self.clause_mask.append(mask)
        return clause


def _classes(
    pool: Pool, numbering: _Numbering, by_record: list[tuple[Clauses, Clauses]]
) -> tuple[list[tuple[int, ...]], list[int]]:
    """Return the members of each class, and the clauses' masks over classes."""
    clauses_of: dict[int, list[int]] = defaultdict(list)
    for clause, name in enumerate(numbering.clause_name):
        clauses_of[name].append(clause)
    members: list[tuple[int, ...]] = []
    moved = [0] * len(numbering.clause_mask)
    for index, text in enumerate(numbering.names):
        numbers = pool.by_name.get(text)
        if not numbers:
            continue
        alike: dict[tuple[Clauses, Clauses, bool], int] = defaultdict(int)
        for position, number in enumerate(numbers):
            alike[(*by_record[number], pool[number].is_virtual)] |= 1 << position
        blocks = _split(list(alike.values()), [numbering.clause_mask[clause] for clause in clauses_of[index]])
        blocks.sort(key=lambda block: block & -block)
        for place, block in enumerate(blocks):
            members.append(tuple(numbers[position] for position in positions(block)))
            for clause in clauses_of[index]:
                if numbering.clause_mask[clause] & block:
                    moved[clause] |= 1 << place
    return members, moved


def _split(blocks: list[int], masks: list[int]) -> list[int]:
    """Split blocks until each is either within or outside of every mask."""
    for mask in masks:
        parts = []
        for block in blocks:
            inside = block & mask
            if inside and inside != block:
                parts += [inside, block ^ inside]
            else:
                parts.append(block)
        blocks = parts
    return blocks


def _ranks(
    numbering: _Numbering, by_record: list[tuple[Clauses, Clauses]], heads: list[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return rank and component of each name."""
    import networkx as nx

    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(numbering.names)))
    graph.add_edges_from(
        {
            (numbering.number[numbering.pool[head].name], numbering.clause_name[clause])
            for head in heads
            for clause in by_record[head][0]
        }
    )
    position = count()
    rank, component_of = [0] * len(numbering.names), [0] * len(numbering.names)
    for number, component in enumerate(nx.strongly_connected_components(graph)):
        for name in sorted(component, key=lambda name: (-graph.in_degree(name), name)):
            rank[name], component_of[name] = next(position), number
    return tuple(rank), tuple(component_of)

"""What the classes of a name say about other names, as bit masks of whole domains.

A domain has a bit per class of a name that may be chosen, its position, and one more for "not installed".
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from cuvee.graph.channel_check.class_table import ClassTable, positions


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRelation:
    """What the classes of one name say about another.

    Attributes
    ----------
    free
        The values of the name with which the other may have any.
    groups
        Values of the other name, and the positions of the classes that allow only these.
    """

    free: int
    groups: tuple[tuple[int, int], ...]


class NameRelations:
    """The relations between names, of the classes that remain; computed on first use.

    Attributes
    ----------
    absent
        By name number, the bit for "not installed".
    full
        By name number, the domain with all values.
    """

    def __init__(self, table: ClassTable, remaining: list[int]) -> None:
        self.table = table
        self.absent = [1 << (end - start) for start, end in pairwise(table.first)]
        self.full = [of_name | bit for of_name, bit in zip(remaining, self.absent, strict=True)]
        for item in table.always:
            name = table.name_of[item]
            self.full[name] = 1 << (item - table.first[name])
        self._remaining = remaining
        self._relations: dict[int, dict[int, NameRelation]] = {}
        self._hollowed: tuple[int, Mapping[int, NameRelation]] = (-1, {})

    def of(self, name: int) -> Mapping[int, NameRelation]:
        """Return what the classes of a name say about others, by the number of the other name."""
        known = self._relations.get(name)
        if known is None:
            known = self._relations[name] = self._relations_of(name)
        return known

    def hollowed(self, item: int) -> Mapping[int, NameRelation]:
        """Return the relations of the name of a class, as if the class had none."""
        if self._hollowed[0] == item:
            return self._hollowed[1]
        name = self.table.name_of[item]
        bit = 1 << (item - self.table.first[name])
        relations = {
            other: NameRelation(
                free=relation.free | bit, groups=tuple((mask, who & ~bit) for mask, who in relation.groups)
            )
            for other, relation in self.of(name).items()
        }
        self._hollowed = (item, relations)
        return relations

    def _relations_of(self, name: int) -> dict[int, NameRelation]:
        table, full = self.table, self.full
        groups: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for position in positions(self._remaining[name]):
            item = table.first[name] + position
            allowed: dict[int, int] = {}
            for clause in table.depends[item]:
                other = table.clause_name[clause]
                allowed[other] = allowed.get(other, full[other]) & table.clause_mask[clause]
            for clause in table.constrains[item]:
                other = table.clause_name[clause]
                mask = table.clause_mask[clause] | self.absent[other]
                allowed[other] = allowed.get(other, full[other]) & mask
            for other, mask in allowed.items():
                groups[other][mask] |= 1 << position
        return {
            other: NameRelation(free=~sum(masks.values()), groups=tuple(masks.items()))
            for other, masks in groups.items()
        }

"""From conflicts of classes to reasons, chains and root causes, with the specs of the records."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from cuvee.graph.channel_check.class_table import ClassRecords, ClassTable
from cuvee.graph.channel_check.installability import ClassConflict
from cuvee.graph.channel_check.model import Cause, CauseKind, NotInstallable
from cuvee.graph.channel_check.unit_propagation import UnitPropagation
from cuvee.graph.solving.pool import Pool

_NAMES = 10
_Key = tuple[CauseKind, tuple[str, ...], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Why:
    """Why a class cannot be installed: its own conflict, or a clause that nothing meets (any more)."""

    conflict: ClassConflict | None = None
    clause: int = -1


class RootCauses:
    """Combines the conflicts that the parts of a check found."""

    def __init__(
        self, pool: Pool, table: ClassTable, class_records: ClassRecords, conflicts: Iterable[ClassConflict]
    ) -> None:
        self._pool = pool
        self._table = table
        self._class_records = class_records
        self._why: dict[int, _Why] = {}
        self._roots: dict[int, _Key] = {}
        propagation = UnitPropagation(table)
        self._follow(propagation, propagation.start())
        found = sorted(conflicts, key=_single)
        for item in found:
            if item.item not in self._why:
                self._why[item.item] = _Why(conflict=item)
                self._follow(propagation, propagation.remove([item.item]))

    def _follow(self, propagation: UnitPropagation, lost: Iterable[int]) -> None:
        for item in lost:
            if item not in self._why:
                self._why[item] = _Why(clause=propagation.reason[item])

    def explain(
        self, checked: Collection[int], newest: Collection[int]
    ) -> tuple[tuple[NotInstallable, ...], tuple[Cause, ...]]:
        """Return which of the ``checked`` records cannot be installed, and the root causes, worst first."""
        victims: dict[_Key, list[int]] = defaultdict(list)
        for item in sorted(self._why):
            for number in self._class_records.members[item]:
                if number in checked:
                    victims[self._root(item, number)].append(number)
        ordered = sorted(victims.items(), key=lambda entry: (-len(entry[1]), entry[0][0].value, entry[0][1:]))
        index_of = {key: index for index, (key, _) in enumerate(ordered)}
        class_of = {number: item for item in self._why for number in self._class_records.members[item]}
        records = [
            NotInstallable(
                record=self._pool[number],
                reason=self._reason(class_of[number], number),
                chain=self._chain(class_of[number], number),
                cause=index_of[self._root(class_of[number], number)],
                newest=number in newest,
            )
            for number in sorted(number for numbers in victims.values() for number in numbers)
        ]
        return tuple(records), tuple(self._cause(key, numbers, class_of) for key, numbers in ordered)

    def _next(self, item: int) -> int | None:
        """Return the class through which the cause affects this one: the best that meets the clause."""
        why = self._why[item]
        if why.conflict is not None:
            return None
        classes = self._table.classes_of(why.clause)
        return classes[0] if classes else None

    def _root(self, item: int, number: int) -> _Key:
        """Return the root cause of a record: kind, specs, and the package if no other has the conflict."""
        following = self._next(item)
        if following is None:
            return self._own(item, number)
        known = self._roots.get(following)
        if known is None:
            path = [following]
            while (after := self._next(path[-1])) is not None and after not in self._roots:
                path.append(after)
            last = path[-1]
            known = (
                self._roots[after]
                if after is not None
                else self._own(last, self._class_records.members[last][0])
            )
            self._roots.update(dict.fromkeys(path, known))
        return known

    def _own(self, item: int, number: int) -> _Key:
        pool, why = self._pool, self._why[item]
        specs = self._reason(item, number)
        if why.conflict is None:
            spec = specs[0]
            if pool.problem_of(spec):
                return CauseKind.UNREADABLE, specs, ""
            kind = CauseKind.SYSTEM if pool.name_of(spec).startswith("__") else CauseKind.MISSING
            return kind, specs, ""
        is_system = all(pool.name_of(spec).startswith("__") for spec in specs)
        whose = pool[number].name if why.conflict.itself else ""
        return CauseKind.SYSTEM if is_system else CauseKind.CONFLICT, specs, whose

    def _reason(self, item: int, number: int) -> tuple[str, ...]:
        """Return the record's specs that cannot be met."""
        record, why, clause_of = self._pool[number], self._why[item], self._class_records.clause_of
        needs = set(why.conflict.needs) if why.conflict is not None else {why.clause}
        allows = set(why.conflict.allows) if why.conflict is not None else set()
        found: dict[int, str] = {}
        for spec in record.depends:
            if clause_of[spec] in needs:
                found.setdefault(clause_of[spec], spec)
        limits: dict[int, str] = {}
        for spec in record.constrains:
            if clause_of[spec] in allows or (clause_of[spec] in needs and clause_of[spec] not in found):
                limits.setdefault(clause_of[spec], spec)
        return (*sorted(found.values()), *sorted(limits.values()))

    def _chain(self, item: int, number: int) -> tuple[str, ...]:
        steps = []
        while True:
            steps.append(f"{self._pool[number].stem} needs {' and '.join(self._reason(item, number))}")
            following = self._next(item)
            if following is None:
                return tuple(steps)
            item, number = following, self._class_records.members[following][0]

    def _cause(self, key: _Key, numbers: list[int], class_of: dict[int, int]) -> Cause:
        kind, specs, whose = key
        names = Counter(self._pool[number].name for number in numbers)
        return Cause(
            kind=kind,
            specs=specs,
            sentence=self._sentence(kind, specs, whose),
            direct=sum(self._next(class_of[number]) is None for number in numbers),
            victims=len(numbers),
            names=tuple(name for name, _ in sorted(names.items(), key=lambda entry: (-entry[1], entry[0])))[
                :_NAMES
            ],
        )

    def _sentence(self, kind: CauseKind, specs: tuple[str, ...], whose: str) -> str:
        pool = self._pool
        if kind is CauseKind.UNREADABLE:
            return f"{specs[0]!r} cannot be read: {pool.problem_of(specs[0])}"
        if kind is CauseKind.SYSTEM:
            return f"the system does not offer {' and '.join(specs)}"
        if kind is CauseKind.CONFLICT:
            joined = ", ".join(specs)
            return (
                f"{whose} cannot be installed together with {joined}"
                if whose
                else f"no records meet {joined} together"
            )
        name = pool.name_of(specs[0])
        if name not in pool.by_name:
            return f"there is no {name}: {specs[0]}"
        versions = list(dict.fromkeys(pool[number].version for number in pool.by_name[name]))
        known = ", ".join(versions[:3]) + (", …" if len(versions) > 3 else "")  # noqa: PLR2004 - a few
        return f"no record meets {specs[0]}; there is {known}"


def _single(conflict: ClassConflict) -> tuple[bool, int]:
    """Sort key: first those with a conflict of their own, not one of a class that they depend on."""
    is_own = conflict.itself or bool(conflict.allows) or len(conflict.needs) > 1
    return not is_own, conflict.item

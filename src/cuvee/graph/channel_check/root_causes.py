"""From conflicts of classes to reasons, chains and root causes, with the specs of the records."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable

from cuvee.graph.channel_check.class_table import ClassRecords, ClassTable
from cuvee.graph.channel_check.installability import ClassConflict
from cuvee.graph.channel_check.model import Cause, CauseKind, NotInstallable
from cuvee.graph.channel_check.unit_propagation import UnitPropagation
from cuvee.graph.solving.pool import Pool

_NAMES = 10
_Key = tuple[CauseKind, tuple[str, ...], str]


class RootCauses:
    """Combines the conflicts that the parts of a check found."""

    def __init__(
        self, pool: Pool, table: ClassTable, class_records: ClassRecords, conflicts: Iterable[ClassConflict]
    ) -> None:
        self._pool = pool
        self._table = table
        self._class_records = class_records
        # Of each class, its own conflict, or the clause that nothing meets (any more).
        self._why: dict[int, ClassConflict | int] = {}
        propagation = UnitPropagation(table)
        self._follow(propagation, propagation.start())
        for conflict in sorted(conflicts, key=_single):
            if conflict.item not in self._why:
                self._why[conflict.item] = conflict
                self._follow(propagation, propagation.remove([conflict.item]))

    def _follow(self, propagation: UnitPropagation, lost: Iterable[int]) -> None:
        for item in lost:
            if item not in self._why:
                self._why[item] = propagation.reason[item]

    def explain(
        self, checked: Collection[int], newest: Collection[int]
    ) -> tuple[tuple[NotInstallable, ...], tuple[Cause, ...]]:
        """Return which of the ``checked`` records cannot be installed, and the root causes, worst first."""
        steps = {
            number: self._steps(item, number)
            for item in sorted(self._why)
            for number in self._class_records.members[item]
            if number in checked
        }
        root_of = {number: self._root(*path[-1]) for number, path in steps.items()}
        victims: dict[_Key, list[int]] = defaultdict(list)
        for number, key in root_of.items():
            victims[key].append(number)
        ordered = sorted(victims.items(), key=lambda entry: (-len(entry[1]), entry[0][0].value, entry[0][1:]))
        index_of = {key: index for index, (key, _) in enumerate(ordered)}
        records = [
            NotInstallable(
                record=self._pool[number],
                reason=self._reason(*path[0]),
                chain=tuple(
                    f"{self._pool[step].stem} needs {' and '.join(self._reason(item, step))}"
                    for item, step in path
                ),
                cause=index_of[root_of[number]],
                newest=number in newest,
            )
            for number, path in sorted(steps.items())
        ]
        return tuple(records), tuple(self._cause(key, numbers, steps) for key, numbers in ordered)

    def _steps(self, item: int, number: int) -> list[tuple[int, int]]:
        """Return a class and a record for each step to the root cause: the best that meets the clause."""
        path = [(item, number)]
        while not isinstance(why := self._why[item], ClassConflict) and (
            found := self._table.classes_of(why)
        ):
            item = found[0]
            path.append((item, self._class_records.members[item][0]))
        return path

    def _root(self, item: int, number: int) -> _Key:
        """Return the kind of a root cause, its specs, and the package if no other has the conflict."""
        pool, why = self._pool, self._why[item]
        specs = self._reason(item, number)
        if not isinstance(why, ClassConflict) and pool.problem_of(specs[0]):
            return CauseKind.UNREADABLE, specs, ""
        if all(pool.name_of(spec).startswith("__") for spec in specs):
            kind = CauseKind.SYSTEM
        else:
            kind = CauseKind.CONFLICT if isinstance(why, ClassConflict) else CauseKind.MISSING
        return kind, specs, pool[number].name if isinstance(why, ClassConflict) and why.itself else ""

    def _reason(self, item: int, number: int) -> tuple[str, ...]:
        """Return the record's specs that cannot be met."""
        record, why, clause_of = self._pool[number], self._why[item], self._class_records.clause_of
        needs, allows = (why.needs, why.allows) if isinstance(why, ClassConflict) else ((why,), ())
        found: dict[int, str] = {}
        for spec in record.depends:
            if clause_of[spec] in needs:
                found.setdefault(clause_of[spec], spec)
        limits: dict[int, str] = {}
        for spec in record.constrains:
            if clause_of[spec] in allows or (clause_of[spec] in needs and clause_of[spec] not in found):
                limits.setdefault(clause_of[spec], spec)
        return (*sorted(found.values()), *sorted(limits.values()))

    def _cause(self, key: _Key, numbers: list[int], steps: dict[int, list[tuple[int, int]]]) -> Cause:
        kind, specs, whose = key
        names = Counter(self._pool[number].name for number in numbers)
        return Cause(
            kind=kind,
            specs=specs,
            sentence=self._sentence(kind, specs, whose),
            direct=sum(len(steps[number]) == 1 for number in numbers),
            victims=len(numbers),
            names=tuple(sorted(names, key=lambda name: (-names[name], name)))[:_NAMES],
        )

    def _sentence(self, kind: CauseKind, specs: tuple[str, ...], whose: str) -> str:
        pool = self._pool
        if kind is CauseKind.UNREADABLE:
            return f"{specs[0]!r} cannot be read: {pool.problem_of(specs[0])}"
        if kind is CauseKind.SYSTEM:
            return f"the system does not offer {' and '.join(specs)}"
        if kind is CauseKind.CONFLICT:
            joined = ", ".join(specs)
            if whose:
                return f"{whose} cannot be installed together with {joined}"
            return f"no records meet {joined} together"
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

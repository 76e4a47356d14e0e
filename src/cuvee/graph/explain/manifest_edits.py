"""From an MCS to edits of the manifest, each verified by solving."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from cuvee.conda.match_spec import read_spec, read_version
from cuvee.conda.package_record import Record
from cuvee.conda.rattler_records import matchable
from cuvee.graph.explain.channel_index import NEWER
from cuvee.graph.explain.model import ConstraintKind, Edit, EditAction, SoftConstraint, Suggestion
from cuvee.graph.explain.oracle import Oracle
from cuvee.graph.explain.range_loosening import by_distance, loosened
from cuvee.manifest.documents.suggestions import nearest

_MOST_VERSIONS = 500
_LAST = {ConstraintKind.DATE, ConstraintKind.ORDER}
"""What is changed last, when all other edits are known."""

_LOSS = {EditAction.IMPORT: 1, EditAction.DROP: 2}
"""Edits that come after others: what is not verified, and what leaves a package out."""


def edits_for(
    oracle: Oracle, kept: Iterable[SoftConstraint], correction: Iterable[SoftConstraint]
) -> Suggestion | None:
    """Return edits of the members of ``correction`` that have a solution together with all ``kept`` members.

    A requirement stays in other versions if any has a solution; else it is dropped. `None` if the edits have
    no solution after all, which happens only if versions cannot be read.
    """
    before = list(kept)
    editor = _Editor(oracle, before)
    ordered = sorted(correction, key=lambda member: (list(ConstraintKind).index(member.kind), member.name))
    loose = [member for member in ordered if editor.keep_any(member)]
    edits = [editor.drop(member) for member in ordered if member not in loose]
    edits += [editor.choose(member) for member in sorted(loose, key=lambda item: item.kind in _LAST)]
    if not oracle.solvable(editor.members):
        return None
    return Suggestion(edits=tuple(sorted(edits, key=_line)), members=tuple(editor.members[len(before) :]))


def alternatives(
    oracle: Oracle, kept: Sequence[SoftConstraint], found: Suggestion, *, imports: bool
) -> Iterator[Suggestion]:
    """Yield ``found`` with other edits in place of one that drops a package, each verified if it can be.

    Parameters
    ----------
    kept
        The members that ``found`` does not change.
    imports
        Whether the manifest imports wheels, so that a package may be one.
    """
    for edit in found.edits:
        if edit.action is EditAction.DROP and edit.member.kind is ConstraintKind.REQUIREMENT:
            others = [other for other in found.edits if other is not edit]
            for instead, member in _instead_of_dropping(
                oracle, [*kept, *found.members], edit.member, imports
            ):
                members = found.members if member is None else (*found.members, member)
                yield Suggestion(edits=tuple(sorted([*others, instead], key=_line)), members=members)


def _instead_of_dropping(
    oracle: Oracle, kept: Sequence[SoftConstraint], member: SoftConstraint, imports: bool
) -> Iterator[tuple[Edit, SoftConstraint | None]]:
    """Yield edits with which a package stays, and what then is in place of its soft constraint."""
    instances = [item for item in oracle.problem.instances if item.platform in member.platforms]

    def restricted(names: Sequence[str]) -> SoftConstraint:
        return replace(member, platforms=tuple(names))

    if member.reason:
        return
    if any(item.pool.numbers_of(member.name) for item in instances):
        names = [item.platform for item in instances]
        fitting = [name for name in names if oracle.solvable([*kept, restricted([name])])]
        if len(names) > len(fitting) > 0 and oracle.solvable([*kept, restricted(fitting)]):
            after = f"[{', '.join(fitting)}]"
            yield (
                Edit(action=EditAction.RESTRICT, member=member, before=None, after=after),
                restricted(fitting),
            )
        return
    requested = {other.name for other in oracle.problem.members if other.kind is ConstraintKind.REQUIREMENT}
    likely = nearest(member.name, instances[0].names)
    if likely is not None and likely not in requested:
        spec = f"{likely} {member.spec.partition(' ')[2]}"
        renamed = replace(member, spec=spec, text=spec.removesuffix(" *"))
        if oracle.solvable([*kept, renamed]):
            yield Edit(action=EditAction.RENAME, member=member, before=member.name, after=likely), renamed
    if imports:
        yield Edit(action=EditAction.IMPORT, member=member, before=None, after=member.name), None


def ranked(found: Iterable[Suggestion]) -> list[Suggestion]:
    """Return suggestions, the best first."""
    unique = {item.edits: item for item in found}
    return sorted(unique.values(), key=lambda item: _cost(item.edits))


def _cost(edits: Sequence[Edit]) -> tuple[object, ...]:
    return (
        len(edits),
        sum(_LOSS.get(edit.action, 0) for edit in edits),
        sum(not edit.member.kind.is_line for edit in edits),
        sum(edit.lost for edit in edits),
        [_line(edit) for edit in edits],
    )


def _line(edit: Edit) -> tuple[str, int, str]:
    position = edit.member.position
    return (str(position.file), position.line, edit.member.name) if position else ("", 0, edit.member.name)


class _Editor:
    """The soft constraints that hold so far; edits are added one by one."""

    def __init__(self, oracle: Oracle, kept: Iterable[SoftConstraint]) -> None:
        self._oracle = oracle
        self._problem = oracle.problem
        self.members = list(kept)
        self._loose: dict[SoftConstraint, SoftConstraint] = {}

    def keep_any(self, member: SoftConstraint) -> bool:
        """Keep a member in any version, if there is a solution with it; return whether there is."""
        if member.is_any:
            return False
        if member.kind is ConstraintKind.REQUIREMENT:
            loose = replace(member, spec=f"{member.name} *")
            if not self._oracle.solvable([*self.members, loose]):
                return False
            self.members.append(loose)
            self._loose[member] = loose
        return True

    def drop(self, member: SoftConstraint) -> Edit:
        """Return the edit that drops a member."""
        return Edit(action=EditAction.DROP, member=member, before=member.value, after=None)

    def choose(self, member: SoftConstraint) -> Edit:
        """Return the edit that changes a member as little as possible."""
        if member.kind is ConstraintKind.FLOOR:
            return self._move(member)
        if member.kind is ConstraintKind.DATE:
            return self._until(member)
        if member.kind is ConstraintKind.ORDER:
            return self._reorder(member)
        loose = self._loose.get(member)
        if loose is not None:
            self.members.remove(loose)
        versions = self._versions(member)
        index = self._nearest(member, versions) if versions else None
        return self.drop(member) if index is None else self._widened(member, versions, index)

    def _nearest(self, member: SoftConstraint, versions: Sequence[str]) -> int | None:
        """Return the index of the solvable version nearest to the stated range; `None` if there is none."""
        match = re.search(r"\d[\w.]*", member.value or "")
        target = read_version(match.group().rstrip(".")) if match else None
        target_index = sum(
            target is not None and (value := read_version(text)) is not None and value < target
            for text in versions
        )
        nearest = by_distance([_meets(member.spec, text) for text in versions], target_index)[:_MOST_VERSIONS]

        def allowing(chosen: Sequence[int]) -> list[SoftConstraint]:
            either = "|".join(f"=={versions[index]}" for index in chosen)
            return [*self.members, replace(member, spec=f"{member.name} {either}")]

        def found(fits: Callable[[list[SoftConstraint]], bool]) -> int:
            # The more of the nearest versions are allowed, the more solutions there are: a binary search.
            low, high = 1, len(nearest)
            while low < high:
                middle = (low + high) // 2
                low, high = (low, middle) if fits(allowing(nearest[:middle])) else (middle + 1, high)
            return nearest[low - 1]

        if not self._oracle.solvable(allowing(nearest)):
            return None
        likely = found(self._oracle.solvable_nearby)
        return likely if self._oracle.solvable(allowing([likely])) else found(self._oracle.solvable)

    def _widened(self, member: SoftConstraint, versions: Sequence[str], index: int) -> Edit:
        """Allow a version by a range in the old one's style; pin it if that has no solution."""
        old, version = member.value or "*", versions[index]
        for text in (loosened(old, version), f"=={version}"):
            changed = replace(member, spec=f"{member.name} {text}", text=f"{member.name} {text}")
            if self._oracle.solvable([*self.members, changed]):
                break
        self.members.append(changed)
        matching = [number for number, item in enumerate(versions) if _meets(member.spec, item)]
        lost = max(0, matching[-1] - index) if matching else 0
        return Edit(
            action=EditAction.CHANGE,
            member=member,
            before=old,
            after=text,
            brings=f"{member.name} {version}",
            lost=lost,
        )

    def _move(self, member: SoftConstraint) -> Edit:
        """Move a floor to the lowest version that has a solution."""
        key = f"__{member.name}"
        offers = {(record.version, record.build) for record in self._records(member, key)}
        for version, build in sorted(offers, key=lambda item: (read_version(item[0]), item[1])):
            moved = replace(member, spec=f"{key} =={version} {build}", needed=True)
            if self._oracle.solvable([*self.members, moved]):
                self.members.append(moved)
                after = build if member.name == "archspec" else version
                action = EditAction.CHANGE if member.needed else EditAction.ADD
                return Edit(action=action, member=member, before=member.value, after=after)
        return self.drop(member)

    def _until(self, member: SoftConstraint) -> Edit:
        """Move the date to that of the newest record in a solution."""
        newest = max(
            (
                record.timestamp or 0
                for instance in self._problem.instances
                for record in instance.solution(self.members)
                if NEWER in record.depends
            ),
            default=0,
        )
        after = f"{dt.datetime.fromtimestamp(-(-newest // 1000), tz=dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
        return Edit(action=EditAction.CHANGE, member=member, before=member.value, after=after)

    def _reorder(self, member: SoftConstraint) -> Edit:
        """Put another channel first, if that has a solution; else drop the order."""
        for channel in self._problem.given.channels[1:]:
            if self._problem.with_first(channel).unsat_core([*self.members, member]) is None:
                return Edit(action=EditAction.CHANGE, member=member, before=None, after=channel)
        self.members.append(member)
        return self.drop(member)

    def _versions(self, member: SoftConstraint) -> list[str]:
        """Return the versions that channels have, ascending."""
        found = {record.version for record in self._records(member, member.name)}
        known = [(value, text) for text in found if (value := read_version(text)) is not None]
        return [text for _, text in sorted(known)]

    def _records(self, member: SoftConstraint, name: str) -> Iterator[Record]:
        """Yield the records of a name on the platforms of a member."""
        for instance in self._problem.instances:
            if instance.platform in member.platforms:
                yield from (instance.pool[number] for number in instance.pool.numbers_of(name))


def _meets(spec: str, version: str) -> bool:
    """Whether a version is in a spec's range, with any build."""
    read = read_spec(" ".join(spec.split()[:2]))
    record = matchable(Record(name=read.name or "x", version=version, build="0"))
    return read.matcher is not None and read.matcher.matches(record)

"""What forced a change: the manifest, or a package that the old version does not fit."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cuvee.conda.match_spec import read_spec
from cuvee.conda.record import LockedPackage
from cuvee.graph.diff.model import Change, ChangeKind, ChangeReason, Force, PlatformChange
from cuvee.graph.release_graph import meets
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.model import Requirement

_FORCES = list(Force)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One platform of one lock, by who asks for whom: pairs of the asker and the spec."""

    packages: Mapping[str, LockedPackage]
    depends: Mapping[str, list[tuple[LockedPackage, str]]]
    constrains: Mapping[str, list[tuple[LockedPackage, str]]]


_EMPTY = _Side(packages={}, depends={}, constrains={})


def with_reasons(
    changes: Sequence[Change],
    before: Lock,
    after: Lock,
    *,
    asked_before: Iterable[Requirement] = (),
    asked_after: Iterable[Requirement] = (),
) -> tuple[Change, ...]:
    """Give the changes with what forced each; the locks must know dependencies.

    A change is forced by whatever the package's old record does not fit any more: a requirement of the
    manifest, a dependency or a bound of another package, or a dependency of its own. An addition is forced by
    whoever asks for it, a removal by whoever no longer does.
    """
    old, new = _sides(before), _sides(after)
    was = {requirement.name: requirement for requirement in asked_before}
    now = {requirement.name: requirement for requirement in asked_after}
    found: dict[str, list[ChangeReason]] = defaultdict(list)
    for change in changes:
        for step in change.steps:
            asked = (was.get(change.package), now.get(change.package))
            sides = (old.get(step.platform, _EMPTY), new.get(step.platform, _EMPTY))
            for reason in _reasons(change, step, sides, asked):
                if reason not in found[change.package]:
                    found[change.package].append(reason)
    direct = {change.package for change in changes if change.direct}
    return tuple(_explained(change, found, direct) for change in changes)


def _explained(change: Change, found: Mapping[str, list[ChangeReason]], direct: set[str]) -> Change:
    reasons = [
        replace(reason, through=_way(reason.package, found, direct, change.package))
        for reason in found.get(change.package, ())
    ]
    reasons.sort(
        key=lambda reason: (
            _FORCES.index(reason.force),
            bool(reason.package) and not direct.intersection(reason.through[-1:]),
            len(reason.through),
            reason.package,
            reason.spec,
        )
    )
    return replace(change, forced_by=tuple(reasons))


def _way(start: str, found: Mapping[str, list[ChangeReason]], direct: set[str], end: str) -> tuple[str, ...]:
    """Give the shortest way from a package over what forced it to one that a manifest names."""
    if not start:
        return ()
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start, end}
    while ways:
        longer = []
        for way in ways:
            if way[-1] in direct:
                return way
            for reason in found.get(way[-1], ()):
                if reason.package and reason.package not in seen:
                    seen.add(reason.package)
                    longer.append((*way, reason.package))
        ways = longer
    return (start,)


def _reasons(
    change: Change,
    step: PlatformChange,
    sides: tuple[_Side, _Side],
    asked: tuple[Requirement | None, Requirement | None],
) -> Iterator[ChangeReason]:
    """Find what forced one step; ``sides`` and ``asked`` are of the base and of the release."""
    (old, new), (was, now), name, before = sides, asked, change.package, step.before
    if change.kind is ChangeKind.METADATA:
        return
    if before is None:
        if now is not None:
            yield ChangeReason(force=Force.MANIFEST, spec=now.spec)
        for asker, spec in new.depends.get(name, ()):
            yield ChangeReason(force=Force.DEPENDS, spec=spec, package=asker.name)
    elif step.after is None:
        if was is not None and now is None:
            yield ChangeReason(force=Force.DROPPED, spec=was.spec)
        for asker, spec in old.depends.get(name, ()):
            yield ChangeReason(force=Force.DROPPED, spec=spec, package=asker.name)
    else:
        yield from _unfit(before, new, now)


def _unfit(before: LockedPackage, new: _Side, now: Requirement | None) -> Iterator[ChangeReason]:
    """Find what the record before does not fit in the set that is."""
    if now is not None and not meets(now.spec, before):
        yield ChangeReason(force=Force.MANIFEST, spec=now.spec)
    for force, askers in ((Force.DEPENDS, new.depends), (Force.CONSTRAINS, new.constrains)):
        for asker, spec in askers.get(before.name, ()):
            if asker.name != before.name and not meets(spec, before):
                yield ChangeReason(force=force, spec=spec, package=asker.name)
    for spec in before.depends:
        target = new.packages.get(read_spec(spec).name)
        if target is not None and target.name != before.name and not meets(spec, target):
            yield ChangeReason(force=Force.OWN, spec=spec, package=target.name)


def _sides(lock: Lock) -> dict[str, _Side]:
    return {platform.platform: _side(platform) for platform in lock.platforms}


def _side(lock: PlatformLock) -> _Side:
    depends: dict[str, list[tuple[LockedPackage, str]]] = defaultdict(list)
    constrains: dict[str, list[tuple[LockedPackage, str]]] = defaultdict(list)
    for package in lock.packages:
        for texts, into in ((package.depends, depends), (package.constrains, constrains)):
            for text in texts:
                into[read_spec(text).name].append((package, text))
    return _Side(packages=lock.by_name, depends=depends, constrains=constrains)

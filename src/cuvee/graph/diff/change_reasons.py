"""What forced a change: the manifest, or a package that the old version does not fit."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cuvee.conda.match_spec import read_spec
from cuvee.conda.package_record import LockedPackage
from cuvee.graph.diff.model import Change, ChangeKind, ChangeReason, Force, PlatformChange
from cuvee.graph.release_graph import meets
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.model import Requirement

_FORCES = list(Force)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One platform of a lock: by name, the packages that depend on it or constrain it, and their specs."""

    packages: Mapping[str, LockedPackage]
    depends: Mapping[str, list[tuple[LockedPackage, str]]]
    constrains: Mapping[str, list[tuple[LockedPackage, str]]]


_EMPTY = _Side(packages={}, depends={}, constrains={})


def with_reasons(
    changes: Sequence[Change],
    before: Lock,
    after: Lock,
    *,
    requirements_before: Iterable[Requirement] = (),
    requirements_after: Iterable[Requirement] = (),
) -> tuple[Change, ...]:
    """Return the changes with what forced each; both locks must have dependencies.

    A change is forced by whatever the package's old record no longer fits: a requirement of the manifest, a
    dependency or constraint of another package, or a dependency of its own. An addition is forced by what
    requires the package, a removal by what no longer does, or is gone itself. What still requires a removed
    package is listed, last: such a set is not complete.
    """
    old, new = ({item.platform: _side(item) for item in lock.platforms} for lock in (before, after))
    was = {requirement.name: requirement for requirement in requirements_before}
    now = {requirement.name: requirement for requirement in requirements_after}
    found: dict[str, list[ChangeReason]] = defaultdict(list)
    for change in changes:
        for pair in change.per_platform:
            requirements = (was.get(change.package), now.get(change.package))
            sides = (old.get(pair.platform, _EMPTY), new.get(pair.platform, _EMPTY))
            for reason in _reasons(change, pair, sides, requirements):
                if reason not in found[change.package]:
                    found[change.package].append(reason)
    requested = {change.package for change in changes if change.requested}
    return tuple(_with_chains(change, found, requested) for change in changes)


def _with_chains(change: Change, found: Mapping[str, list[ChangeReason]], requested: set[str]) -> Change:
    reasons = [
        replace(reason, through=_chain(reason.package, found, requested, change.package))
        if reason.force is not Force.STILL
        else reason
        for reason in found.get(change.package, ())
    ]
    reasons.sort(
        key=lambda reason: (
            _FORCES.index(reason.force),
            bool(reason.package) and not requested.intersection(reason.through[-1:]),
            len(reason.through),
            reason.package,
            reason.spec,
        )
    )
    return replace(change, forced_by=tuple(reasons))


def _chain(
    start: str, found: Mapping[str, list[ChangeReason]], requested: set[str], end: str
) -> tuple[str, ...]:
    """Return the shortest chain of reasons from a package to one that a manifest requests."""
    if not start:
        return ()
    chains: list[tuple[str, ...]] = [(start,)]
    seen = {start, end}
    while chains:
        longer = []
        for chain in chains:
            if chain[-1] in requested:
                return chain
            for reason in found.get(chain[-1], ()):
                if reason.package and reason.package not in seen:
                    seen.add(reason.package)
                    longer.append((*chain, reason.package))
        chains = longer
    return (start,)


def _reasons(
    change: Change,
    pair: PlatformChange,
    sides: tuple[_Side, _Side],
    requirements: tuple[Requirement | None, Requirement | None],
) -> Iterator[ChangeReason]:
    """Yield what forced a change on one platform; ``sides`` and ``requirements`` are of base and release."""
    (old, new), (was, now), name, before = sides, requirements, change.package, pair.before
    if change.kind is ChangeKind.METADATA:
        return
    if before is None:
        if now is not None:
            yield ChangeReason(force=Force.MANIFEST, spec=now.spec)
        for parent, spec in new.depends.get(name, ()):
            yield ChangeReason(force=Force.DEPENDS, spec=spec, package=parent.name)
    elif pair.after is None:
        if was is not None and now is None:
            yield ChangeReason(force=Force.DROPPED, spec=was.spec)
        still = {parent.name: spec for parent, spec in new.depends.get(name, ())}
        for parent, spec in old.depends.get(name, ()):
            force = Force.DROPPED if parent.name in new.packages else Force.GONE
            if parent.name not in still:
                yield ChangeReason(force=force, spec=spec, package=parent.name)
        for parent_name, spec in still.items():
            yield ChangeReason(force=Force.STILL, spec=spec, package=parent_name)
    else:
        yield from _misfits(before, new, now)


def _misfits(before: LockedPackage, new: _Side, now: Requirement | None) -> Iterator[ChangeReason]:
    """Yield what the old record does not fit in the new set."""
    if now is not None and not _fits(now, before):
        yield ChangeReason(force=Force.MANIFEST, spec=now.spec)
    for force, parents in ((Force.DEPENDS, new.depends), (Force.CONSTRAINS, new.constrains)):
        for parent, spec in parents.get(before.name, ()):
            if parent.name != before.name and not meets(spec, before):
                yield ChangeReason(force=force, spec=spec, package=parent.name)
    for spec in before.depends:
        target = new.packages.get(read_spec(spec).name)
        if target is not None and target.name != before.name and not meets(spec, target):
            yield ChangeReason(force=Force.OWN, spec=spec, package=target.name)


def _fits(requirement: Requirement, package: LockedPackage) -> bool:
    """Whether a package is what is requested; a project of the Python index by PEP 440."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion

    if package.channel != "pypi":
        return meets(requirement.spec, package)
    try:
        return SpecifierSet(requirement.version.strip("*")).contains(package.version, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):  # a URL, or a version that is not known
        return True


def _side(lock: PlatformLock) -> _Side:
    depends: dict[str, list[tuple[LockedPackage, str]]] = defaultdict(list)
    constrains: dict[str, list[tuple[LockedPackage, str]]] = defaultdict(list)
    for package in lock.packages:
        for texts, into in ((package.depends, depends), (package.constrains, constrains)):
            for text in texts:
                into[read_spec(text).name].append((package, text))
    return _Side(packages=lock.by_name, depends=depends, constrains=constrains)

"""The comparison of two snapshots: locks by package, requirements by line."""

from collections.abc import Iterator

from cuvee.errors import UsageError
from cuvee.graph.diff.change_reasons import with_reasons
from cuvee.graph.diff.lock_diff import diff, without_version
from cuvee.graph.diff.model import Change, ChangeKind, Comparison, ComparisonRow, SettingChange
from cuvee.graph.diff.patched_changes import with_patches
from cuvee.graph.diff.requirement_diff import compare_requirements
from cuvee.graph.diff.snapshot import Snapshot, on_platform
from cuvee.lock.model import Lock

_KIND_SPECIFIC = {"depends", "constrains", "channel", "license", "track_features"}
"""Metadata that each kind of file writes in its own way, or leaves out."""


def compare(before: Snapshot, after: Snapshot, *, platform: str | None = None) -> Comparison:
    """Compare two snapshots: by their packages if both have exact ones, else by their requirements.

    Parameters
    ----------
    platform
        Compare this one only; also the platform of a list of packages that does not name its own.

    Raises
    ------
    UsageError
        If only one of them has exact packages, or they have no platform in common.
    SourceUnreachableError
        If a version cannot be read.
    """
    before, after = on_platform(before, platform, after), on_platform(after, platform, before)
    settings = tuple(_settings(before, after))
    if before.lock is not None and after.lock is not None:
        platforms = _shared(before, after, platform)
        rows, notes = _locks(before, after, platforms, tell_others=platform is None)
    elif before.requirements is not None and after.requirements is not None:
        requirements = (*before.requirements, *after.requirements)
        platforms = tuple(sorted({name for item in requirements for name in item.platforms}))
        rows, notes = tuple(compare_requirements(before.requirements, after.requirements)), []
    else:
        exact, other = (before, after) if before.lock is not None else (after, before)
        raise UsageError(
            f"{exact.title} has exact versions, and {other.title} only requirements",
            hint="Compare two of a kind; `cuvee lock MANIFEST` makes a lock of a manifest.",
        )
    return Comparison(
        before=before.title,
        after=after.title,
        platforms=platforms,
        changes=rows,
        settings=settings,
        notes=(*notes, *before.notes, *after.notes),
    )


def _shared(before: Snapshot, after: Snapshot, platform: str | None) -> tuple[str, ...]:
    old, new = before.lock or Lock(platforms=()), after.lock or Lock(platforms=())
    both = sorted(name for name in old.by_platform if name in new.by_platform and platform in {None, name})
    if not both:
        raise UsageError(
            f"{before.title} is for {_names(old)}, {after.title} for {_names(new)}"
            + (f"; {platform} is not in both" if platform else ""),
            hint="Compare two that have a platform in common.",
        )
    return tuple(both)


def _locks(
    before: Snapshot, after: Snapshot, platforms: tuple[str, ...], *, tell_others: bool
) -> tuple[tuple[ComparisonRow, ...], list[str]]:
    old, new = before.lock or Lock(platforms=()), after.lock or Lock(platforms=())
    notes = [
        f"{name} is only in {side.title}: {len(lock.by_platform[name].packages)} packages"
        for side, lock in ((before, old), (after, new))
        for name in sorted(lock.by_platform.keys() - set(platforms))
        if tell_others
    ]
    old, new = _only(old, platforms), _only(new, platforms)
    notes += [
        f"{name} was not compared: its version is not known in one of the two"
        for name in without_version(old, new)
    ]
    compared = tuple(name for name in before.knows if name in after.knows)
    if before.kind != after.kind:
        compared = tuple(name for name in compared if name not in _KIND_SPECIFIC)
    requested = (before.requested or frozenset()) | (after.requested or frozenset())
    changes = diff(old, new, requested_before=requested, compared=compared)
    changes = with_patches(changes, after.patched)
    has_depends = "depends" in before.knows and "depends" in after.knows
    if has_depends:
        changes = with_reasons(
            changes,
            old,
            new,
            requirements_before=before.requirements or (),
            requirements_after=after.requirements or (),
        )
    else:
        notes.append("What forced a change is not known: one of the two does not state dependencies.")
    is_known = before.requested is not None or after.requested is not None
    rows = [_row(change, is_known=is_known, has_depends=has_depends) for change in changes]
    for side, lock in ((before, old), (after, new)):
        rows += _modified(side, lock, requested if is_known else None)
    return tuple(rows), notes


def _modified(side: Snapshot, lock: Lock, requested: frozenset[str] | None) -> Iterator[ComparisonRow]:
    """Yield a row for each package of an environment whose files are not those of its record."""
    for part in lock.platforms:
        for name, what in sorted(side.modified.items()):
            version = part.by_name[name].version
            yield ComparisonRow(
                package=name,
                kind=ChangeKind.MODIFIED,
                before=version,
                after=version,
                requested=None if requested is None else name in requested,
                level=None,
                platforms=(part.platform,),
                details=(f"in {side.title}: {what}",),
            )


def _row(change: Change, *, is_known: bool, has_depends: bool) -> ComparisonRow:
    details = filter(None, (change.patched, *(item.detail(change.kind) for item in change.per_platform)))
    return ComparisonRow(
        package=change.package,
        kind=change.kind,
        before=change.before,
        after=change.after,
        requested=change.requested if is_known else None,
        level=change.level,
        platforms=change.platforms,
        details=tuple(dict.fromkeys(details)),
        forced_by=tuple(reason.sentence for reason in change.forced_by) if has_depends else None,
    )


def _only(lock: Lock, names: tuple[str, ...]) -> Lock:
    return Lock(platforms=tuple(item for item in lock.platforms if item.platform in names))


def _names(lock: Lock) -> str:
    return ", ".join(name or "a platform that it does not name" for name in sorted(lock.by_platform))


def _settings(before: Snapshot, after: Snapshot) -> Iterator[SettingChange]:
    if before.kind == after.kind:
        for path in sorted(before.settings.keys() | after.settings.keys()):
            old, new = before.settings.get(path, ""), after.settings.get(path, "")
            if old != new:
                yield SettingChange(path=path, before=old, after=new)

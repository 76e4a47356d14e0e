"""What changed between two locks, package by package, and in which direction."""

import enum
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cuvee.errors import SourceUnreachableError
from cuvee.lock.model import Lock, LockedPackage

if TYPE_CHECKING:
    from rattler import Version

METADATA = ("depends", "constrains", "license", "noarch", "channel", "subdir")
"""Fields that may change while the archive stays the same, as a channel's repodata patch does."""


class ChangeKind(enum.Enum):
    """How a package differs from the release before."""

    DOWNGRADED = "downgraded"
    REMOVED = "removed"
    UPGRADED = "upgraded"
    ADDED = "added"
    REBUILT = "rebuilt"
    METADATA = "metadata-changed"


class Level(enum.Enum):
    """Which part of the version changed, whatever the direction."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A package on one platform, before and after; one of the two may be missing."""

    platform: str
    before: LockedPackage | None
    after: LockedPackage | None

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the metadata that differ between the two."""
        if self.before is None or self.after is None:
            return ()
        return tuple(name for name in METADATA if getattr(self.before, name) != getattr(self.after, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one package, the same on all of its platforms.

    Attributes
    ----------
    before, after
        Versions; `None` where the package is not there.
    direct
        Whether a manifest names the package, that of the release or that of its base.
    level
        Which part of the version changed; `None` when there are no two versions that differ.
    steps
        The records, one pair per platform, sorted by platform.
    """

    package: str
    kind: ChangeKind
    before: str | None
    after: str | None
    direct: bool
    level: Level | None
    steps: tuple[Step, ...]

    @property
    def platforms(self) -> tuple[str, ...]:
        """Where it changed like this."""
        return tuple(step.platform for step in self.steps)


def diff(
    before: Lock,
    after: Lock,
    *,
    direct_before: Collection[str] = (),
    direct_after: Collection[str] = (),
) -> tuple[Change, ...]:
    """Compare two locks.

    Parameters
    ----------
    before, after
        The base release's lock, and the release's.
    direct_before, direct_after
        The names that each one's manifest asks for.

    Returns
    -------
    tuple of Change
        Sorted by package. Platforms on which a package changed from the same version to the same
        version share one change. On a platform that only one lock has, every package is added or removed.

    Raises
    ------
    SourceUnreachableError
        If a lock holds a version that conda can not read.
    """
    groups: dict[tuple[str, ChangeKind, str, str], list[Step]] = defaultdict(list)
    for step in _pairs(before, after):
        kind = _kind(step)
        if kind is not None:
            groups[_name(step), kind, _version(step.before), _version(step.after)].append(step)
    kinds = list(ChangeKind)
    return tuple(
        Change(
            package=name,
            kind=kind,
            before=old or None,
            after=new or None,
            direct=name in direct_before or name in direct_after,
            level=_level(old, new) if kind in {ChangeKind.UPGRADED, ChangeKind.DOWNGRADED} else None,
            steps=tuple(steps),
        )
        for (name, kind, old, new), steps in sorted(
            groups.items(), key=lambda item: (item[0][0], kinds.index(item[0][1]), item[0][2:])
        )
    )


def _pairs(before: Lock, after: Lock) -> list[Step]:
    platforms = sorted({*before.by_platform, *after.by_platform})
    steps = []
    for platform in platforms:
        old = before.by_platform[platform].by_name if platform in before.by_platform else {}
        new = after.by_platform[platform].by_name if platform in after.by_platform else {}
        steps += [
            Step(platform=platform, before=old.get(name), after=new.get(name)) for name in {**old, **new}
        ]
    return steps


def _name(step: Step) -> str:
    package = step.after or step.before
    return "" if package is None else package.name


def _version(package: LockedPackage | None) -> str:
    return "" if package is None else package.version


def _kind(step: Step) -> ChangeKind | None:
    before, after = step.before, step.after
    if before is None:
        return ChangeKind.ADDED
    if after is None:
        return ChangeKind.REMOVED
    order = _order(before.version, after.version)
    if order:
        return ChangeKind.UPGRADED if order > 0 else ChangeKind.DOWNGRADED
    if (before.version, before.build, before.build_number, before.sha256) != (
        after.version, after.build, after.build_number, after.sha256,
    ):  # fmt: skip
        return ChangeKind.REBUILT
    return ChangeKind.METADATA if step.fields else None


def _order(before: str, after: str) -> int:
    """Give 1 for an upgrade, -1 for a downgrade, 0 when conda's order sees no difference."""
    if before == after:
        return 0
    old, new = _parse(before), _parse(after)
    return int(new > old) - int(new < old)


def _level(before: str, after: str) -> Level:
    old, new = _parse(before), _parse(after)
    if old.epoch != new.epoch:
        return Level.MAJOR
    for place, level in enumerate((Level.MAJOR, Level.MINOR)):
        if _number(old, place) != _number(new, place):
            return level
    return Level.PATCH


def _number(version: "Version", place: int) -> object:
    """Give what a segment begins with: ``4`` of ``4rc1``, so that ``4rc1`` to ``4`` is a patch."""
    segments = version.segments()
    return segments[place][0] if place < len(segments) else 0


def _parse(version: str) -> "Version":
    from rattler import Version
    from rattler.exceptions import InvalidVersionError

    try:
        return Version(version)
    except InvalidVersionError as error:
        raise SourceUnreachableError(
            f"A lock holds the version {version!r}, which conda can not read: {error}",
            hint="Locks are generated; make this one again from its manifest.",
        ) from None

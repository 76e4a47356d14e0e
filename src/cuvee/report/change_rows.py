"""What changed against the base release, in the order in which it should be looked at."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from cuvee.graph.diff import Change, ChangeKind, Level, needs_attention
from cuvee.lock.model import Lock
from cuvee.release.record import Release
from cuvee.report.badges import CHANGES, Badge

_MOST_REASONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """One change.

    Attributes
    ----------
    anchor
        Its place on the page.
    attention
        Whether it is to be reviewed before others: downgrades, removals and major versions.
    details
        What a version does not tell: builds, archives or fields, one per distinct case.
    because
        What forced it, the nearest to a manifest first; a few reasons at most.
    """

    package: str
    kind: ChangeKind
    badge: Badge
    before: str
    after: str
    level: str
    requested: bool
    attention: bool
    platforms: tuple[str, ...]
    details: tuple[str, ...]
    because: tuple[str, ...] = ()
    anchor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholePlatform:
    """A platform that only one of the two releases has."""

    platform: str
    badge: Badge
    packages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """All changes.

    Attributes
    ----------
    base
        The release before.
    counts
        How many changes of each kind.
    platforms
        Platforms that came or went; their packages have no rows of their own.
    """

    base: str
    counts: Mapping[Badge, int]
    platforms: tuple[WholePlatform, ...]
    rows: tuple[ChangeRow, ...]

    @property
    def attention(self) -> tuple[ChangeRow, ...]:
        """Downgrades, removals and major versions."""
        return tuple(row for row in self.rows if row.attention)

    @property
    def requested(self) -> tuple[ChangeRow, ...]:
        """The other changes of packages that a manifest names."""
        return tuple(row for row in self.rows if row.requested and not row.attention)

    @property
    def indirect(self) -> tuple[ChangeRow, ...]:
        """The other changes of indirect packages."""
        return tuple(row for row in self.rows if not row.requested and not row.attention)


def changes(release: Release) -> Changes | None:
    """Make the page's rows; `None` when there is nothing to compare with."""
    if release.changes is None:
        return None
    return changes_from(release.base or "the release before", release.changes, release.lock)


def changes_from(base: str, found: tuple[Change, ...], lock: Lock) -> Changes:
    """Make the rows of what changed from ``base`` to the release with ``lock``."""
    whole = _whole_platforms(lock, found)
    names = {place.platform for place in whole}
    rows = [_row(change, names) for change in found if not set(change.platforms) <= names]
    kinds = Counter(row.kind for row in rows)
    return Changes(
        base=base,
        counts={badge: kinds[kind] for kind, badge in CHANGES.items() if kinds[kind]},
        platforms=whole,
        rows=tuple(
            replace(row, anchor=f"change-{number}") for number, row in enumerate(sorted(rows, key=_order), 1)
        ),
    )


def _whole_platforms(lock: Lock, changes: tuple[Change, ...]) -> tuple[WholePlatform, ...]:
    """Find platforms where every package was added, and those that have no lock any more."""
    added: Counter[str] = Counter()
    removed: Counter[str] = Counter()
    for change in changes:
        if change.kind is ChangeKind.ADDED:
            added.update(change.platforms)
        if change.kind is ChangeKind.REMOVED:
            removed.update(change.platforms)
    locks = lock.by_platform
    came = {
        name: count for name, count in added.items() if name in locks and count == len(locks[name].packages)
    }
    left = {name: count for name, count in removed.items() if name not in locks}
    return tuple(
        WholePlatform(
            platform=name,
            badge=CHANGES[ChangeKind.ADDED if name in came else ChangeKind.REMOVED],
            packages=count,
        )
        for name, count in sorted({**came, **left}.items())
    )


def _row(change: Change, without: set[str]) -> ChangeRow:
    pairs = tuple(pair for pair in change.per_platform if pair.platform not in without)
    return ChangeRow(
        package=change.package,
        kind=change.kind,
        badge=CHANGES[change.kind],
        before=change.before or "",
        after=change.after or "",
        level=change.level.value if change.level else "",
        requested=change.requested,
        attention=needs_attention(change.kind, change.level),
        platforms=tuple(pair.platform for pair in pairs),
        details=tuple(
            dict.fromkeys(filter(None, (change.patched, *(pair.detail(change.kind) for pair in pairs))))
        ),
        because=tuple(reason.sentence for reason in change.forced_by[:_MOST_REASONS]),
    )


def _order(row: ChangeRow) -> tuple[int, int, bool, int, str, str]:
    kinds, levels = list(ChangeKind), [level.value for level in Level]
    level = levels.index(row.level) if row.level else len(levels)
    return (not row.attention, kinds.index(row.kind), not row.requested, level, row.package, row.before)

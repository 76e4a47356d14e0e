"""What changed between two locks, package by package, and in which direction."""

from collections import defaultdict
from collections.abc import Collection

from cuvee.conda.package_record import LockedPackage
from cuvee.errors import SourceUnreachableError
from cuvee.graph.diff.model import METADATA, Change, ChangeKind, PlatformChange
from cuvee.graph.diff.version_order import UNKNOWN_VERSION, level, order
from cuvee.lock.model import Lock


def diff(
    before: Lock,
    after: Lock,
    *,
    requested_before: Collection[str] = (),
    requested_after: Collection[str] = (),
    compared: tuple[str, ...] = METADATA,
) -> tuple[Change, ...]:
    """Compare two locks.

    Parameters
    ----------
    before, after
        The base release's lock, and the release's.
    requested_before, requested_after
        The names that each one's manifest requests.
    compared
        The metadata to compare: those that both sides know.

    Returns
    -------
    tuple of Change
        Sorted by package. Platforms on which a package changed from the same version to the same
        version share one change. On a platform that only one lock has, every package is added or removed.

    Raises
    ------
    SourceUnreachableError
        If a lock has a version that conda cannot read.
    """
    groups: dict[tuple[str, ChangeKind, str, str], list[PlatformChange]] = defaultdict(list)
    for pair in _pairs(before, after, compared):
        kind = _kind(pair)
        if kind is not None:
            groups[_name(pair), kind, _version(pair.before), _version(pair.after)].append(pair)
    kinds = list(ChangeKind)
    return tuple(
        Change(
            package=name,
            kind=kind,
            before=old or None,
            after=new or None,
            requested=name in requested_before or name in requested_after,
            level=level(old, new) if kind in {ChangeKind.UPGRADED, ChangeKind.DOWNGRADED} else None,
            per_platform=tuple(pairs),
        )
        for (name, kind, old, new), pairs in sorted(
            groups.items(), key=lambda item: (item[0][0], kinds.index(item[0][1]), item[0][2:])
        )
    )


def without_version(before: Lock, after: Lock) -> tuple[str, ...]:
    """Return the packages of both that could not be compared: a version is unknown, or a hash as well."""
    return tuple(
        sorted(
            {
                pair.before.name
                for pair in _pairs(before, after, ())
                if pair.before is not None and pair.after is not None
                if UNKNOWN_VERSION in {pair.before.version, pair.after.version}
                if _same_hash(pair.before, pair.after) is None
            }
        )
    )


def _pairs(before: Lock, after: Lock, compared: tuple[str, ...]) -> list[PlatformChange]:
    pairs = []
    for platform in sorted(before.by_platform.keys() | after.by_platform.keys()):
        old = before.by_platform[platform].by_name if platform in before.by_platform else {}
        new = after.by_platform[platform].by_name if platform in after.by_platform else {}
        pairs += [
            PlatformChange(platform=platform, before=old.get(name), after=new.get(name), compared=compared)
            for name in {**old, **new}
        ]
    return pairs


def _name(pair: PlatformChange) -> str:
    package = pair.after or pair.before
    return "" if package is None else package.name


def _version(package: LockedPackage | None) -> str:
    return "" if package is None else package.version


def _kind(pair: PlatformChange) -> ChangeKind | None:
    before, after = pair.before, pair.after
    if before is None:
        return ChangeKind.ADDED
    if after is None:
        return ChangeKind.REMOVED
    if UNKNOWN_VERSION in {before.version, after.version}:
        return ChangeKind.REBUILT if _same_hash(before, after) is False else None
    try:
        direction = order(before.version, after.version)
    except SourceUnreachableError as error:
        raise SourceUnreachableError(f"{after.name}: {error.message}", hint=error.hint) from None
    if direction:
        return ChangeKind.UPGRADED if direction > 0 else ChangeKind.DOWNGRADED
    if before.version != after.version or not _same_archive(before, after):
        return ChangeKind.REBUILT
    return ChangeKind.METADATA if pair.fields else None


def _same_archive(before: LockedPackage, after: LockedPackage) -> bool:
    """Return whether two records are of one archive, by the builds and hashes that both sides state."""
    if before.build and after.build and before.build != after.build:
        return False
    return _same_hash(before, after) is not False


def _same_hash(before: LockedPackage, after: LockedPackage) -> bool | None:
    """Return whether two archives have the same hash; `None` if there is none that both state."""
    for old, new in ((before.sha256, after.sha256), (before.md5, after.md5)):
        if old and new:
            return old == new
    return None

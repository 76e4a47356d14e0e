"""The errata that the report of a release shows, from the release's own locks."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from cuvee.errata.errata_checks import platform_status
from cuvee.errata.errata_folder import ErrataFolder, read_errata
from cuvee.errata.model import Erratum, FlawStatus, PlatformStatus
from cuvee.manifest.folder_lookup import find_upwards
from cuvee.release.record import Release
from cuvee.report.badges import Badge
from cuvee.report.erratum_rows import HAS_FIX, HAS_FLAW, UNTRUE, ErrataOf, ErratumRow, no_errata

ERRATA = "errata"
"""The folder of a repository that has errata."""


def errata_beside(start: Path, stated: Path | None = None) -> ErrataOf:
    """Return what tells the errata of a release, from the folder ``errata`` in ``start`` or above it.

    Parameters
    ----------
    stated
        The folder of errata, where the caller knows it.

    Raises
    ------
    DocumentError
        If a file has problems; they are told before any work starts.
    """
    folder = stated or find_upwards(start, ERRATA)
    return partial(errata_of, read_errata(folder)) if folder is not None else no_errata


def errata_of(known: ErrataFolder, release: Release) -> tuple[ErratumRow, ...]:
    """Return the errata of which a release has the flaw, or which state it, the newest first."""
    name = release.manifest.distribution
    own = (item for item in known.errata if item.distribution == name)
    return tuple(_rows(sorted(own, key=lambda item: (item.date, item.number), reverse=True), known, release))


def _rows(errata: list[Erratum], known: ErrataFolder, release: Release) -> Iterator[ErratumRow]:
    for item in errata:
        statuses = [platform_status(item, release.manifest.version, lock) for lock in release.lock.platforms]
        badge, found = _judged(item, release, statuses)
        if badge is not None:
            yield ErratumRow(
                number=item.number,
                title=item.title,
                badge=badge,
                severity=item.severity.value,
                date=item.date,
                platforms=tuple(status.platform for status in found),
                packages=_packages(found),
                fixed_in=tuple(map(item.release_name, item.fixed_releases)),
                cves=item.cves,
                workaround=item.workaround,
                url=f"{known.publisher.url}/index.html#{item.number}",
            )


def _judged(
    erratum: Erratum, release: Release, statuses: list[PlatformStatus]
) -> tuple[Badge | None, list[PlatformStatus]]:
    """Return what the release is, if the erratum is about it, and on which platforms."""
    version = release.manifest.version
    affected = [item for item in statuses if item.status is FlawStatus.AFFECTED]
    is_meant = [item for item in statuses if not erratum.platforms or item.platform in erratum.platforms]
    there = [item for item in is_meant if item.status is not FlawStatus.ABSENT]
    if affected:
        untrue = version in erratum.fixed_releases and any(item in there for item in affected)
        return (UNTRUE if untrue else HAS_FLAW), affected
    if not there or version not in erratum.stated_releases:
        return None, []
    fixed = all(item.status is FlawStatus.FIXED for item in there)
    return (HAS_FIX if fixed and version in erratum.fixed_releases else UNTRUE), there


def _packages(statuses: list[PlatformStatus]) -> tuple[str, ...]:
    packages = (package for item in statuses for package in (*item.affected, *item.fixed))
    return tuple(sorted({f"{package.name} {package.version}" for package in packages}))

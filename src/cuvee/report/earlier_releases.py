"""Earlier releases, as the history has them: how this one compares, and what differs from each."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cuvee.conda.package_record import LockedPackage
from cuvee.errors import SourceUnreachableError
from cuvee.graph.diff import diff
from cuvee.history.over_releases import PackageInRelease, Past, ReleaseBefore
from cuvee.lock.model import Lock, PlatformLock
from cuvee.release.record import Release
from cuvee.report.bar_charts import Bar, bars
from cuvee.report.change_rows import Changes, changes_from
from cuvee.report.human_units import human_time
from cuvee.report.page import Page
from cuvee.report.page_names import file_name


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDifference:
    """One earlier release.

    Attributes
    ----------
    path
        Of the page, in the report's folder, that says what differs from it.
    changes
        What differs; `None` if that cannot be said, for which ``problem`` has the reason.
    """

    path: str
    facts: ReleaseBefore
    changes: Changes | None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverReleases:
    """How a release compares with earlier ones.

    Attributes
    ----------
    now
        The facts of the release itself.
    earlier
        The newest first.
    charts
        By title, bars over all releases, the oldest first; empty if there is only one.
    """

    now: ReleaseBefore
    earlier: tuple[ReleaseDifference, ...]
    charts: Mapping[str, tuple[Bar, ...]]


def over_releases(page: Page, release: Release, past: Past) -> OverReleases:
    """Return how a release compares with earlier ones."""
    now = _now(page, release)
    packages: dict[str, list[tuple[str, PackageInRelease]]] = defaultdict(list)
    for name, found in past.packages.items():
        for item in found:
            packages[item.release].append((name, item))
    return OverReleases(
        now=now,
        earlier=tuple(_earlier(release, facts, packages[facts.release]) for facts in reversed(past.releases)),
        charts=_charts((*past.releases, now)) if past.releases else {},
    )


def _now(page: Page, release: Release) -> ReleaseBefore:
    installs = [item.seconds for item in release.outcomes if item.test == "install" and item.state.has_run]
    return ReleaseBefore(
        release=release.name,
        packages=max((len(lock.packages) for lock in release.lock.platforms), default=0),
        tests=page.results.tests,
        install_seconds=max(installs, default=None),
    )


def _earlier(
    release: Release, facts: ReleaseBefore, packages: list[tuple[str, PackageInRelease]]
) -> ReleaseDifference:
    path = f"changes/{file_name(facts.release)}"
    requested = {entry.name for entry in release.manifest.packages}
    if not packages:
        return ReleaseDifference(
            path=path, facts=facts, changes=None, problem="The history has no packages of it."
        )
    try:
        found = diff(
            _lock(packages), release.lock, requested_before=requested, requested_after=requested, compared=()
        )
    except SourceUnreachableError as error:
        return ReleaseDifference(path=path, facts=facts, changes=None, problem=error.message)
    return ReleaseDifference(path=path, facts=facts, changes=changes_from(facts.release, found, release.lock))


def _lock(packages: list[tuple[str, PackageInRelease]]) -> Lock:
    """Return what the history has of a lock: names, versions, builds and hashes."""
    by_platform: dict[str, list[LockedPackage]] = defaultdict(list)
    for name, item in packages:
        by_platform[item.platform].append(
            LockedPackage(
                name=name, version=item.version, build=item.build, build_number=0, platform=item.platform,
                subdir=item.platform, url="", channel="", sha256=item.sha256,
            )
        )  # fmt: skip
    return Lock(
        platforms=tuple(
            PlatformLock(platform=platform, packages=tuple(found), virtual_packages=())
            for platform, found in by_platform.items()
        )
    )


def _charts(known: tuple[ReleaseBefore, ...]) -> Mapping[str, tuple[Bar, ...]]:
    def passed() -> Iterator[tuple[str, float, str]]:
        for item in known:
            if item.tests.run:
                rate = item.tests.passed / item.tests.run
                yield item.release, rate, f"{100 * rate:.1f} %"

    installs = [
        (item.release, item.install_seconds, human_time(item.install_seconds))
        for item in known
        if item.install_seconds is not None
    ]
    charts = {
        "Tests passed": bars(list(passed()), top=1.0),
        "Packages": bars([(item.release, item.packages, f"{item.packages:,}") for item in known]),
        "Installation": bars(installs),
    }
    return {title: found for title, found in charts.items() if found}

"""One index over all releases of a distribution: the newest first, with what changed over time."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cuvee.graph.findings import Verdict
from cuvee.integration.outcomes import Counts
from cuvee.manifest.model import ReleaseVersion
from cuvee.release.artefacts import ArtefactKind
from cuvee.release.record import Release
from cuvee.report.badges import VERDICTS, Badge
from cuvee.report.bar_charts import Bar, bars
from cuvee.report.human_units import human_size, human_time
from cuvee.report.page import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """One release.

    Attributes
    ----------
    href
        The link to its report, relative to the index.
    packages
        How many the largest closure of a platform has.
    changes
        How many packages changed against ``base``; `None` if that is not known.
    size
        Bytes of all installers.
    install_seconds
        How long the slowest installation of a platform took; `None` if none was tested.
    """

    distribution: str
    version: ReleaseVersion
    release: str
    title: str
    href: str
    base: str
    made_at: dt.datetime
    verdict: Verdict
    badge: Badge
    headline: str
    must_act: str
    actors: tuple[str, ...]
    platforms: tuple[str, ...]
    tests: Counts
    packages: int
    changes: int | None
    size: int
    install_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableRelease:
    """A release folder that cannot be read, and why."""

    folder: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionIndex:
    """All releases of one distribution, the newest version first."""

    distribution: str
    title: str
    entries: tuple[IndexEntry, ...]

    @property
    def updated(self) -> dt.datetime:
        """When the last release was made."""
        return max(entry.made_at for entry in self.entries)

    @property
    def charts(self) -> Mapping[str, tuple[Bar, ...]]:
        """What is drawn over the releases, the oldest first; a release that lacks a value has no bar."""
        known = tuple(reversed(self.entries))
        rates = [(entry, entry.tests.passed / entry.tests.run) for entry in known if entry.tests.run]
        times = [(entry, entry.install_seconds) for entry in known if entry.install_seconds is not None]
        charts = {
            "Tests passed": bars([(e.release, rate, f"{100 * rate:.1f} %") for e, rate in rates], top=1.0),
            "Packages": bars([(e.release, e.packages, f"{e.packages:,}") for e in known]),
            "Installers": bars([(e.release, e.size, human_size(e.size)) for e in known if e.size]),
            "Installation": bars([(e.release, seconds, human_time(seconds)) for e, seconds in times]),
        }
        return {title: found for title, found in charts.items() if found}


def index_entry(release: Release, page: Page, href: str) -> IndexEntry:
    """Return the entry of a release, whose report is at ``href``."""
    installs = [item.seconds for item in release.outcomes if item.test == "install" and item.state.has_run]
    return IndexEntry(
        distribution=page.distribution,
        version=release.manifest.version,
        release=page.release,
        title=page.title,
        href=href,
        base=page.base,
        made_at=page.made_at,
        verdict=page.readiness.verdict,
        badge=VERDICTS[page.readiness.verdict],
        headline=page.readiness.headline,
        must_act=page.readiness.must_act,
        actors=tuple(actor.name for actor in page.readiness.actors),
        platforms=page.matrix.platforms,
        tests=page.results.tests,
        packages=max((len(lock.packages) for lock in release.lock.platforms), default=0),
        changes=len(page.changes.rows) if page.changes else None,
        size=sum(item.size for item in page.made if item.kind is ArtefactKind.INSTALLER),
        install_seconds=max(installs, default=None),
    )


def release_index(entries: Iterable[IndexEntry]) -> tuple[DistributionIndex, ...]:
    """Return the index of each distribution, sorted by name."""
    found: dict[str, list[IndexEntry]] = defaultdict(list)
    for entry in entries:
        found[entry.distribution].append(entry)
    return tuple(
        DistributionIndex(
            distribution=name,
            title=max(rows, key=lambda row: row.version).title,
            entries=tuple(sorted(rows, key=lambda row: (row.version, row.made_at, row.href), reverse=True)),
        )
        for name, rows in sorted(found.items())
    )

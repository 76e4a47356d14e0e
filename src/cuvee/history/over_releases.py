"""What the history has of the releases of a distribution, and of packages over them."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cuvee.graph.findings import Verdict
from cuvee.history.history_file import HistoryFile
from cuvee.integration.outcomes import Counts, OutcomeState
from cuvee.manifest.model import ReleaseVersion

_LAST_RUNS = (
    "WITH last AS (SELECT id, distribution || '-' || version AS name, year, month, patch FROM run AS this"
    " WHERE distribution = :distribution AND (year, month, patch) < (:year, :month, :patch) AND id ="
    " (SELECT id FROM run WHERE distribution = this.distribution AND version = this.version"
    " ORDER BY made_at DESC, id DESC LIMIT 1)) "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageInRelease:
    """A package on one platform of one release, with the counts of its tests by state.

    ``sha256`` is that of its archive; empty if it is not known.
    """

    release: str
    platform: str
    version: str
    build: str
    sha256: str = ""
    states: Mapping[OutcomeState, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseBefore:
    """One release, by its last run.

    Attributes
    ----------
    packages
        How many the largest closure of a platform has.
    install_seconds
        How long the slowest installation of a platform took; `None` if none was tested.
    """

    release: str
    packages: int
    tests: Counts
    install_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What the history has of earlier releases.

    Attributes
    ----------
    packages
        By package, what earlier releases had, the oldest first.
    releases
        The oldest first.
    """

    packages: Mapping[str, tuple[PackageInRelease, ...]] = field(default_factory=dict)
    releases: tuple[ReleaseBefore, ...] = ()


def past_releases(history: HistoryFile, distribution: str, version: ReleaseVersion) -> Past:
    """Return what the last run of each release before ``version`` has found."""
    return Past(
        packages=packages_before(history, distribution, version),
        releases=releases_before(history, distribution, version),
    )


def latest_verdicts(path: Path, distribution: str) -> Mapping[str, tuple[Verdict, dt.datetime]]:
    """Return the verdict of each release of a distribution by its last run, and when that was.

    Raises
    ------
    UsageError, IntegrityError
        If there is no history at ``path``, or it cannot be read.
    """
    found: dict[str, tuple[Verdict, dt.datetime]] = {}
    with HistoryFile.open_to_read(path) as history:
        for version, verdict, made_at in history.connection.execute(
            "SELECT version, verdict, made_at FROM run WHERE distribution = ? ORDER BY made_at, id",
            (distribution,),
        ):
            made = dt.datetime.fromisoformat(made_at)
            found[f"{distribution}-{version}"] = Verdict(verdict), made
    return found


def releases_before(
    history: HistoryFile, distribution: str, version: ReleaseVersion
) -> tuple[ReleaseBefore, ...]:
    """Return the releases before ``version``, the oldest first, each by its last run."""
    which = _which(distribution, version)
    sizes = dict(
        history.connection.execute(
            _LAST_RUNS + "SELECT name, max(packages) FROM (SELECT last.name, platform, count(*) AS packages"  # noqa: S608 - a constant
            " FROM last JOIN package ON run = last.id GROUP BY 1, 2) GROUP BY 1",
            which,
        )
    )
    states: dict[str, dict[OutcomeState, int]] = defaultdict(dict)
    installs: dict[str, float] = {}
    for release, state, number, slowest in history.connection.execute(
        _LAST_RUNS  # noqa: S608 - a constant
        + "SELECT last.name, state, count(*), max(CASE WHEN test.name = 'install' THEN seconds END)"
        " FROM last JOIN platform_run ON run = last.id JOIN outcome ON platform_run = platform_run.id"
        " JOIN test ON test.id = outcome.test GROUP BY 1, 2",
        which,
    ):
        states[release][OutcomeState(state)] = number
        if slowest is not None and OutcomeState(state).has_run:
            installs[release] = max(installs.get(release, 0.0), slowest)
    names = history.connection.execute(
        _LAST_RUNS + "SELECT name FROM last ORDER BY year, month, patch",  # noqa: S608 - a constant
        which,
    )
    return tuple(
        ReleaseBefore(
            release=name,
            packages=sizes.get(name, 0),
            tests=_counts(states[name]),
            install_seconds=installs.get(name),
        )
        for (name,) in names
    )


def _counts(states: Mapping[OutcomeState, int]) -> Counts:
    run = sum(number for state, number in states.items() if state.has_run)
    return Counts(run=run, passed=states.get(OutcomeState.PASS, 0), not_run=sum(states.values()) - run)


def _which(distribution: str, version: ReleaseVersion) -> dict[str, str | int]:
    return {
        "distribution": distribution, "year": version.year, "month": version.month, "patch": version.patch,
    }  # fmt: skip


def packages_before(
    history: HistoryFile, distribution: str, version: ReleaseVersion
) -> Mapping[str, tuple[PackageInRelease, ...]]:
    """Return what the last run of each release before ``version`` says of each package, the oldest first."""
    which = _which(distribution, version)
    states: dict[tuple[str, str, str], dict[OutcomeState, int]] = defaultdict(dict)
    for release, platform, package, state, count in history.connection.execute(
        _LAST_RUNS + "SELECT last.name, platform, package, state, count(*) FROM last"  # noqa: S608 - a constant
        " JOIN platform_run ON run = last.id JOIN outcome ON platform_run = platform_run.id"
        " WHERE package IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY 4",
        which,
    ):
        states[release, platform, package][OutcomeState(state)] = count
    found: dict[str, list[PackageInRelease]] = defaultdict(list)
    for release, platform, name, locked, build, sha256 in history.connection.execute(
        _LAST_RUNS + "SELECT last.name, platform, package.name, package.version, build, sha256 FROM last"  # noqa: S608 - a constant
        " JOIN package ON run = last.id ORDER BY year, month, patch, platform, package.name",
        which,
    ):
        found[name].append(
            PackageInRelease(
                release=release,
                platform=platform,
                version=locked,
                build=build,
                sha256=sha256,
                states=states.get((release, platform, name), {}),
            )
        )
    return {name: tuple(rows) for name, rows in found.items()}

"""What the history has of packages over the releases of a distribution."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from cuvee.history.history_file import HistoryFile
from cuvee.integration.outcomes import OutcomeState
from cuvee.manifest.model import ReleaseVersion

_LAST_RUNS = (
    "WITH last AS (SELECT id, distribution || '-' || version AS name, year, month, patch FROM run AS this"
    " WHERE distribution = :distribution AND (year, month, patch) < (:year, :month, :patch) AND id ="
    " (SELECT id FROM run WHERE distribution = this.distribution AND version = this.version"
    " ORDER BY made_at DESC, id DESC LIMIT 1)) "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageInRelease:
    """A package on one platform of one release, with the counts of its tests by state."""

    release: str
    platform: str
    version: str
    build: str
    states: Mapping[OutcomeState, int] = field(default_factory=dict)


Past = Mapping[str, tuple[PackageInRelease, ...]]
"""By package, what earlier releases had, the oldest first."""


def packages_before(history: HistoryFile, distribution: str, version: ReleaseVersion) -> Past:
    """Return what the last run of each release before ``version`` says of each package."""
    which = {
        "distribution": distribution, "year": version.year, "month": version.month, "patch": version.patch,
    }  # fmt: skip
    states: dict[tuple[str, str, str], dict[OutcomeState, int]] = defaultdict(dict)
    for release, platform, package, state, count in history.connection.execute(
        _LAST_RUNS + "SELECT last.name, platform, package, state, count(*) FROM last"  # noqa: S608 - a constant
        " JOIN platform_run ON run = last.id JOIN outcome ON platform_run = platform_run.id"
        " WHERE package IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY 4",
        which,
    ):
        states[release, platform, package][OutcomeState(state)] = count
    found: dict[str, list[PackageInRelease]] = defaultdict(list)
    for release, platform, name, locked, build in history.connection.execute(
        _LAST_RUNS + "SELECT last.name, platform, package.name, package.version, build FROM last"  # noqa: S608 - a constant
        " JOIN package ON run = last.id ORDER BY year, month, patch, platform, package.name",
        which,
    ):
        found[name].append(
            PackageInRelease(
                release=release,
                platform=platform,
                version=locked,
                build=build,
                states=states.get((release, platform, name), {}),
            )
        )
    return {name: tuple(rows) for name, rows in found.items()}

"""A run as history keeps it."""

import datetime as dt
import json
from dataclasses import dataclass, replace

from cuvee.codec import encode
from cuvee.files import fingerprint
from cuvee.graph.findings import Verdict
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.manifest.model import ReleaseVersion
from cuvee.release.record import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPackage:
    """A package of a release on one platform; ``sha256`` is that of its archive."""

    platform: str
    name: str
    version: str
    build: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryArtefact:
    """A file that was handed out: its path in the release folder, and its hex SHA-256."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFinding:
    """What a check found."""

    check: str
    verdict: Verdict
    cause: str
    packages: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRun:
    """All that one run of a release found.

    Attributes
    ----------
    base
        The release that it is based on, such as ``starter-2026.10.2``; may be empty.
    made_at
        Aware.
    released
        Whether the verdict did not block it, or it was signed all the same.
    failure
        Why the run ended before its end; empty if it did not.
    inputs
        Hex SHA-256 of all that the release was made from.
    runs
        The outcomes on each platform.
    """

    distribution: str
    version: ReleaseVersion
    base: str = ""
    made_at: dt.datetime
    verdict: Verdict
    released: bool
    failure: str = ""
    inputs: str = ""
    runs: tuple[PlatformRun, ...] = ()
    packages: tuple[HistoryPackage, ...] = ()
    artefacts: tuple[HistoryArtefact, ...] = ()
    findings: tuple[HistoryFinding, ...] = ()

    @property
    def release(self) -> str:
        """``starter-2026.11.0``."""
        return f"{self.distribution}-{self.version}"

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of everything but the time and the order: a run that reused all stages is the same."""
        runs = [(run.platform, run.runner, run.not_run, sorted(run.environment.items())) for run in self.runs]
        rows: list[object] = [
            encode(
                replace(self, runs=(), packages=(), artefacts=(), findings=()), without=frozenset({"made_at"})
            ),
            sorted(json.dumps(run) for run in runs),
            sorted(json.dumps(_values(outcome)) for run in self.runs for outcome in run.outcomes),
            sorted(json.dumps(_values(package)) for package in self.packages),
            sorted((artefact.path, artefact.sha256) for artefact in self.artefacts),
            sorted(json.dumps(encode(finding)) for finding in self.findings),
        ]
        return fingerprint(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipRate:
    """In how many runs a test failed and passed, of how many runs in which it ran."""

    flipped: int
    runs: int

    def __str__(self) -> str:
        return (
            f"{self.flipped} of {self.runs} runs ({self.flipped / self.runs:.0%})" if self.runs else "no run"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What became of one test on one platform in the last run of one release.

    ``flips`` is about all runs of that release.
    """

    suite: str
    test: str
    platform: str
    runner: str
    release: str
    made_at: dt.datetime
    state: OutcomeState
    seconds: float
    package: str | None
    reason: str
    flips: FlipRate


def _values(item: TestOutcome | HistoryPackage) -> list[object]:
    """Return the fields of a row; `encode` takes a second for 20,000 of them."""
    values = [getattr(item, name) for name in item.__slots__ if name != "attempts"]
    if isinstance(item, TestOutcome) and item.attempts:  # what has none is the same in older files
        values.append([(one.state.value, float(one.seconds), one.reason) for one in item.attempts])
    return [_plain(value) for value in values]


def _plain(value: object) -> object:
    if isinstance(value, OutcomeState):
        return value.value
    return float(value) if isinstance(value, int) else value  # files have 0.0 seconds where a run had 0


def history_run(release: Release, *, released_anyway: bool = False) -> HistoryRun:
    """Return what history keeps of a release's record."""
    return HistoryRun(
        distribution=release.manifest.distribution,
        version=release.manifest.version,
        base=release.base or "",
        made_at=release.made_at,
        verdict=release.verdict,
        released=released_anyway or not release.exit_code,
        failure=release.failure.message if release.failure is not None else "",
        inputs=release.inputs_hash,
        runs=release.runs,
        packages=tuple(
            HistoryPackage(
                platform=lock.platform,
                name=package.name,
                version=package.version,
                build=package.build,
                sha256=package.sha256,
            )
            for lock in release.lock.platforms
            for package in lock.packages
        ),
        artefacts=tuple(
            HistoryArtefact(path=item.path, sha256=item.sha256)
            for item in release.artefacts
            if item.not_made is None
        ),
        findings=tuple(
            HistoryFinding(
                check=finding.check,
                verdict=finding.verdict,
                cause=finding.cause,
                packages=finding.packages,
                platforms=finding.platforms,
            )
            for finding in release.findings
        ),
    )

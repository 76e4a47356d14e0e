"""The page as typed values: everything that the report says, ready to be rendered or written as JSON."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cuvee import platforms as known
from cuvee.graph.findings import Verdict, worst
from cuvee.integration.outcomes import Counts, OutcomeState, PlatformRun, count
from cuvee.release.artefacts import Artefact
from cuvee.release.record import OUTCOME_VERDICTS, Release
from cuvee.report.badges import ABSENT, NO_LOCK, NOT_MADE, OK, STATES, VERDICTS, Badge
from cuvee.report.build_rows import Builds, builds
from cuvee.report.change_rows import Changes, changes
from cuvee.report.conflict_causes import ConflictCause, conflict_causes
from cuvee.report.deployment import Deployment, deployments
from cuvee.report.erratum_rows import ErratumRow
from cuvee.report.failure_causes import FailureCause, failure_causes
from cuvee.report.finding_rows import FindingRow, WaiverRow, causes, in_order, waivers
from cuvee.report.outcome_rows import Results, results
from cuvee.report.package_matrix import Matrix, matrix
from cuvee.report.provenance import Provenance, provenance
from cuvee.report.readiness import Readiness, readiness
from cuvee.report.stage_matrix import StageMatrix, stage_matrix

_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformRow:
    """One platform that the manifest names.

    Attributes
    ----------
    badges
        Its worst verdict, and whether it was not run.
    note
        Why it is absent, not made or not tested; empty when all is well.
    floor
        The oldest system that it runs on.
    size
        Bytes of its locked archives.
    environment
        What the test run says of itself.
    """

    name: str
    title: str
    badges: tuple[Badge, ...]
    note: str
    hint: str = ""
    floor: Mapping[str, str] = field(default_factory=dict)
    packages: int = 0
    size: int = 0
    runner: str = ""
    tests: Counts = field(default_factory=Counts)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRow:
    """How one stage of the pipeline went: seconds, whether it was reused, and the hash of its inputs."""

    name: str
    seconds: float
    reused: bool
    inputs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that one report says.

    Attributes
    ----------
    report
        The version of this form; it changes when a reader of ``data.json`` would break.
    builds
        What was built from recipes; `None` if nothing was.
    errata
        Those that are about the release; `None` if it is not known which errata there are.
    """

    report: int = 1
    distribution: str
    version: str
    title: str
    release: str
    track: str
    support_until: dt.date | None
    base: str
    made_at: dt.datetime
    inputs_hash: str
    readiness: Readiness
    provenance: Provenance
    causes: tuple[FailureCause, ...]
    conflicts: tuple[ConflictCause, ...]
    artefacts: tuple[Artefact, ...]
    deployments: tuple[Deployment, ...]
    platforms: tuple[PlatformRow, ...]
    matrix: Matrix
    stages_of_use: StageMatrix
    findings: tuple[FindingRow, ...]
    waivers: tuple[WaiverRow, ...]
    results: Results
    changes: Changes | None
    tools: Mapping[str, str]
    stages: tuple[StageRow, ...]
    builds: Builds | None = None
    errata: tuple[ErratumRow, ...] | None = None

    @property
    def locked(self) -> int:
        """How many packages are locked, each platform counted by itself."""
        return sum(row.packages for row in self.platforms)

    @property
    def names(self) -> frozenset[str]:
        """The packages that have a row to link to; what cannot be a name is not linked."""
        return frozenset(row.name for row in self.matrix.rows if _NAME.fullmatch(row.name))

    @property
    def made(self) -> tuple[Artefact, ...]:
        """The artefacts that are there."""
        return tuple(artefact for artefact in self.artefacts if artefact.not_made is None)


def build_page(
    release: Release, logs: Path | None = None, errata: tuple[ErratumRow, ...] | None = None
) -> Page:
    """Return everything that the report says.

    Parameters
    ----------
    logs
        The folder ``results`` of the release, whose logs are quoted; `None` to quote none.
    errata
        Those that are about the release; `None` if it is not known which errata there are.
    """
    manifest = release.manifest
    ordered = in_order(release.findings)
    tested = results(release, logs)
    return Page(
        distribution=manifest.distribution,
        version=str(manifest.version),
        title=manifest.title,
        release=manifest.release_name,
        track=manifest.support.track.value if manifest.support else "",
        support_until=manifest.support.until if manifest.support else None,
        base=release.base or "",
        made_at=release.made_at,
        inputs_hash=release.inputs_hash,
        readiness=readiness(release, tested.anchors),
        provenance=provenance(release),
        causes=failure_causes(release, tested.anchors),
        conflicts=conflict_causes(release),
        artefacts=release.handed_out,
        deployments=deployments(release.handed_out, manifest.distribution),
        platforms=_platforms(release),
        matrix=matrix(release, ordered, tested.anchors),
        stages_of_use=stage_matrix(release, ordered),
        findings=causes(release, ordered),
        waivers=waivers(manifest, release.made_at.date()),
        results=tested,
        changes=changes(release),
        tools=dict(sorted(release.tools.items())),
        stages=tuple(
            StageRow(name=item.stage, seconds=item.seconds, reused=item.reused, inputs=item.inputs)
            for item in release.stages
        ),
        builds=builds(release, logs.parent if logs is not None else None),
        errata=errata,
    )


def _platforms(release: Release) -> tuple[PlatformRow, ...]:
    entries = {entry.name: entry for entry in release.manifest.platforms}
    names = dict.fromkeys(
        (*entries, *release.lock.by_platform, *(absent.platform for absent in release.absent))
    )
    return tuple(_platform(release, name) for name in names)


def _platform(release: Release, name: str) -> PlatformRow:
    title = known.PLATFORMS[name].title if name in known.PLATFORMS else name
    entry = next((entry for entry in release.manifest.platforms if entry.name == name), None)
    absent = next((absent for absent in release.absent if absent.platform == name), None)
    lock = release.lock.by_platform.get(name)
    if lock is None:
        badge, note = ABSENT, (entry.absent if entry else "") or ""
        if absent is not None:
            badge, note = NOT_MADE, absent.reason
        elif name in release.unlocked:
            badge, note = NO_LOCK, NO_LOCK.meaning
        unsolved = next((item for item in release.unsolved if name in item.platforms), None)
        if unsolved is not None:
            note = unsolved.message
        explained = absent or unsolved
        hint = explained.hint if explained is not None else ""
        return PlatformRow(name=name, title=title, badges=(badge,), note=note, hint=hint)
    run = next((run for run in release.runs if run.platform == name), None)
    outcomes = run.outcomes if run else ()
    badges, note = _platform_status(release, name, run)
    return PlatformRow(
        name=name,
        title=title,
        badges=badges,
        note=note,
        floor=dict(sorted(entry.floor.items())) if entry else {},
        packages=len(lock.packages),
        size=sum(package.size for package in lock.packages),
        runner=(run.runner or "") if run else "",
        tests=count(outcomes),
        environment=dict(sorted(run.environment.items())) if run else {},
    )


def _platform_status(release: Release, name: str, run: PlatformRun | None) -> tuple[tuple[Badge, ...], str]:
    found = worst(finding.verdict for finding in release.findings if name in finding.platforms)
    tested = worst(OUTCOME_VERDICTS[outcome.state] for outcome in run.outcomes) if run else Verdict.READY
    verdict = worst([found, tested])
    not_run = "No run is on record." if run is None else run.not_run
    badges = (VERDICTS[verdict],) if verdict >= Verdict.WARNING else ()
    if not_run is not None:
        return (*badges, STATES[OutcomeState.NOT_RUN]), not_run
    return badges or (OK,), ""

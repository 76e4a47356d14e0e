"""The page as data: everything that the report says, ready to be rendered or written as JSON."""

import datetime as dt
import re
from dataclasses import dataclass

from cuvee import platforms as known
from cuvee.graph.findings import Verdict, worst
from cuvee.installers.artefact import Artefact
from cuvee.integration.outcomes import OutcomeState, PlatformRun
from cuvee.report.causes import FindingRow, WaiverRow, causes, in_order, waivers
from cuvee.report.changes import Changes, changes
from cuvee.report.matrix import Matrix, matrix
from cuvee.report.model import ReportInput, Stage
from cuvee.report.readiness import Readiness, readiness, unlocked
from cuvee.report.results import Results, results
from cuvee.report.words import ABSENT, GRAVITY, NO_LOCK, NOT_MADE, OK, STATES, VERDICTS, Badge

_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformRow:
    """One platform that the manifest speaks of.

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
    facts
        What the test run says of itself.
    """

    name: str
    title: str
    badges: tuple[Badge, ...]
    note: str
    hint: str = ""
    floor: tuple[tuple[str, str], ...] = ()
    packages: int = 0
    size: int = 0
    runner: str = ""
    passed: int = 0
    tests: int = 0
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that one report says.

    Attributes
    ----------
    report
        The version of this form; it changes when a reader of ``data.json`` would break.
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
    artefacts: tuple[Artefact, ...]
    platforms: tuple[PlatformRow, ...]
    matrix: Matrix
    findings: tuple[FindingRow, ...]
    waivers: tuple[WaiverRow, ...]
    results: Results
    changes: Changes | None
    tools: tuple[tuple[str, str], ...]
    stages: tuple[Stage, ...]

    @property
    def locked(self) -> int:
        """How many packages are locked, each platform counted by itself."""
        return sum(row.packages for row in self.platforms)

    @property
    def names(self) -> frozenset[str]:
        """The packages that have a row to link to; a name that is no name is not linked."""
        return frozenset(row.name for row in self.matrix.rows if _NAME.fullmatch(row.name))

    @property
    def made(self) -> tuple[Artefact, ...]:
        """The artefacts that are there."""
        return tuple(artefact for artefact in self.artefacts if artefact.missing is None)


def build_page(data: ReportInput) -> Page:
    """Work out everything that the report says; reads nothing but the logs below ``data.results``."""
    manifest = data.manifest
    ordered = in_order(data.findings)
    tested = results(data)
    base = data.base or (manifest.base.release_name if manifest.base else "")
    return Page(
        distribution=manifest.distribution,
        version=str(manifest.version),
        title=manifest.title,
        release=manifest.release_name,
        track=manifest.support.track.value if manifest.support else "",
        support_until=manifest.support.until if manifest.support else None,
        base=base,
        made_at=data.made_at,
        inputs_hash=data.inputs_hash,
        readiness=readiness(data, tested.anchors),
        artefacts=data.artefacts,
        platforms=_platforms(data),
        matrix=matrix(data, ordered, tested.anchors),
        findings=causes(data, ordered),
        waivers=waivers(manifest, data.made_at.date()),
        results=tested,
        changes=changes(data),
        tools=tuple(sorted(data.tools.items())),
        stages=data.stages,
    )


def _platforms(data: ReportInput) -> tuple[PlatformRow, ...]:
    entries = {entry.name: entry for entry in data.manifest.platforms}
    names = dict.fromkeys((*entries, *data.lock.by_platform, *(absent.platform for absent in data.absent)))
    return tuple(_platform(data, name) for name in names)


def _platform(data: ReportInput, name: str) -> PlatformRow:
    title = known.PLATFORMS[name].title if name in known.PLATFORMS else name
    entry = next((entry for entry in data.manifest.platforms if entry.name == name), None)
    absent = next((absent for absent in data.absent if absent.platform == name), None)
    lock = data.lock.by_platform.get(name)
    if lock is None:
        if absent is not None:
            return PlatformRow(
                name=name, title=title, badges=(NOT_MADE,), note=absent.reason, hint=absent.hint
            )
        if name in unlocked(data):
            return PlatformRow(name=name, title=title, badges=(NO_LOCK,), note=NO_LOCK.meaning)
        return PlatformRow(
            name=name, title=title, badges=(ABSENT,), note=(entry.absent if entry else "") or ""
        )
    run = next((run for run in data.runs if run.platform == name), None)
    outcomes = run.outcomes if run else ()
    badges, note = _platform_status(data, name, run)
    return PlatformRow(
        name=name,
        title=title,
        badges=badges,
        note=note,
        floor=tuple(sorted(entry.floor.items())) if entry else (),
        packages=len(lock.packages),
        size=sum(package.size for package in lock.packages),
        runner=(run.runner or "") if run else "",
        passed=sum(outcome.state is OutcomeState.PASS for outcome in outcomes),
        tests=len(outcomes),
        facts=tuple(sorted(run.environment.items())) if run else (),
    )


def _platform_status(data: ReportInput, name: str, run: PlatformRun | None) -> tuple[tuple[Badge, ...], str]:
    found = worst(finding.verdict for finding in data.findings if name in finding.platforms)
    tested = worst(GRAVITY[outcome.state] for outcome in run.outcomes) if run else Verdict.READY
    verdict = worst([found, tested])
    not_run = "No run is on record." if run is None else run.not_run
    badges = (VERDICTS[verdict],) if verdict >= Verdict.WARNING else ()
    if not_run is not None:
        return (*badges, STATES[OutcomeState.NOT_RUN]), not_run
    return badges or (OK,), ""

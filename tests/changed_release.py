"""A release with parts replaced, whatever stage they are of, and judged anew."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from cuvee.channel.model import Absent
from cuvee.graph.checks import CheckOutcome, Status
from cuvee.graph.findings import Finding
from cuvee.integration.outcomes import PlatformRun
from cuvee.lock.model import Lock
from cuvee.release.artefacts import Artefact
from cuvee.release.record import CheckResult, InstallerResult, Release, TestResult, judge
from cuvee.report.page import Page, build_page
from cuvee.report.writer import write_report


def changed(
    release: Release,
    *,
    absent: tuple[Absent, ...] | None = None,
    lock: Lock | None = None,
    findings: tuple[Finding, ...] | None = None,
    artefacts: tuple[Artefact, ...] | None = None,
    runs: tuple[PlatformRun, ...] | None = None,
    **others: Any,
) -> Release:
    if absent is not None:
        others["channel"] = replace(release.channel, absent=absent)
    if lock is not None:
        others["locked"] = replace(release.locked, lock=lock)
    if findings is not None:
        base = release.checked or CheckResult(stage="check")
        outcomes = tuple(
            CheckOutcome(identifier=item.check, title=item.check, status=Status.FAIL, findings=(item,))
            for item in findings
        )
        others["checked"] = replace(base, outcomes=outcomes)
    if artefacts is not None:
        others["installers"] = tuple(
            InstallerResult(stage="installer", platform=item.platform or "", artefacts=(item,))
            for item in artefacts
        )
    if runs is not None:
        known = {item.run.platform: item for item in release.tests}
        others["tests"] = tuple(
            replace(known.get(run.platform) or TestResult(stage=f"test-{run.platform}", run=run), run=run)
            for run in runs
        )
    release = replace(release, **others)
    return replace(release, verdict=judge(release))


def page_of(release: Release) -> Page:
    """The page of a release, with its logs."""
    return build_page(release, release.folder / "results")


def write(release: Release, folder: Path) -> None:
    """Write the report of a release into ``folder``."""
    write_report(page_of(release), release, release.graph, folder)

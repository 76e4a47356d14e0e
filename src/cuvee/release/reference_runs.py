"""Comparing a release's outcomes with those of the release before it, and keeping them for the next one."""

from dataclasses import replace
from pathlib import Path

from cuvee.history.history_file import HistoryFile, set_aside_if_damaged
from cuvee.history.model import history_run
from cuvee.history.queries import find_reference, flip_rate
from cuvee.integration.outcomes import PlatformRun, TestOutcome
from cuvee.integration.reference_comparison import RunComparison, compare
from cuvee.manifest.folder_lookup import find_upwards
from cuvee.release.base_lock import REPORTS
from cuvee.release.record import Release, TestResult
from cuvee.release.record_parts import RECORD
from cuvee.release.session import Session
from cuvee.release.signing import was_signed_anyway


def prepare_history(session: Session) -> None:
    """Raise if the history cannot be used, before any work is done; set it aside if it is damaged.

    The base is added, if it is at hand: it may be older than the history, or have been released since.
    """
    path = session.history_file
    aside = set_aside_if_damaged(path)
    if aside is not None:
        session.reporter.say(f"{path} is damaged. It is {aside.name} now, and a new history begins")
    base = _base_folder(session)
    with HistoryFile.open(path) as history:
        if base is not None:
            history.add(history_run(session.record_of(base), released_anyway=was_signed_anyway(base)))


def compare_with_history(session: Session, release: Release) -> Release:
    """Return a release whose outcomes are judged against those of the reference run on each platform."""
    if not release.runs:
        return release
    with HistoryFile.open(session.history_file) as history:
        found = tuple(
            _compared(history, release, _with_flip_rates(history, release, result))
            for result in release.tests
        )
    return replace(
        release,
        tests=tuple(result for result, _ in found),
        compared=tuple(comparison for _, comparison in found if comparison is not None),
    )


def add_to_history(session: Session, release: Release) -> None:
    """Keep what a run has found."""
    with HistoryFile.open(session.history_file) as history:
        history.add(history_run(release))


def _base_folder(session: Session) -> Path | None:
    if session.manifest.base is None:
        return None
    name = session.manifest.base.release_name
    published = find_upwards(session.manifest.path.parent, f"{REPORTS}/{name}")
    folders = (session.options.base, session.workspace.folder.parent / name, published)
    return next((folder for folder in folders if folder is not None and (folder / RECORD).is_file()), None)


def _with_flip_rates(history: HistoryFile, release: Release, result: TestResult) -> TestResult:
    """Add to flaky outcomes how often they were flaky before."""
    run, manifest = result.run, release.manifest

    def noted(outcome: TestOutcome) -> TestOutcome:
        if not outcome.flipped:
            return outcome
        rate = flip_rate(history, manifest.distribution, outcome, runner=run.runner, before=manifest.version)
        if not rate.runs:
            return outcome
        return replace(outcome, reason=f"{outcome.reason} (flaky in {rate} of earlier versions)")

    return replace(result, run=replace(run, outcomes=tuple(map(noted, run.outcomes))))


def _compared(
    history: HistoryFile, release: Release, result: TestResult
) -> tuple[TestResult, RunComparison | None]:
    run, manifest = result.run, release.manifest
    if run.not_run is not None:
        return result, None
    reference = find_reference(
        history, manifest.distribution, manifest.version, base=release.base or "", run=run
    )
    if reference is None:
        return result, RunComparison(platform=run.platform, reason=_no_reference(release, run))
    lock = release.lock.by_platform.get(run.platform)
    packages = frozenset(lock.by_name) if lock is not None else frozenset()
    judged, comparison = compare(run, reference, packages)
    return replace(result, run=judged), comparison


def _no_reference(release: Release, run: PlatformRun) -> str:
    what = f"run of {release.base}" if release.base else "earlier version that was released"
    return f"no {what} on {run.platform} ({run.runner}) is on record"

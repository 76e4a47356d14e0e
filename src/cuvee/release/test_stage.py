"""The test stage: a platform's release is installed with its own installer, and its suites run in it."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.codec import Json, encode
from cuvee.errors import CuveeError, IntegrityError, UsageError
from cuvee.executors.executor_choice import ExecutorKind
from cuvee.files import fingerprint, sha256_bytes
from cuvee.folder_hashes import code_fingerprint, folder_inputs
from cuvee.graph.checks import TEST_CHECKS, CheckOutcome, run_checks
from cuvee.graph.release_graph import AcceptedFailure, PlatformTests, ReleaseGraph
from cuvee.integration.kept_units import KeptUnits
from cuvee.integration.model import SMOKE, CommandRule, KnownFailure, Plan, QuarantinedTest
from cuvee.integration.outcomes import OutcomeState, PlatformRun, blocking
from cuvee.integration.runners.protocol import Runner
from cuvee.integration.suite_files import SuiteFiles
from cuvee.integration.units import Unit, UnitChoice, units_of
from cuvee.lock.model import PlatformLock
from cuvee.manifest.model import Waiver
from cuvee.release.artefacts import Artefact, ArtefactKind
from cuvee.release.changed_packages import changed_packages
from cuvee.release.check_stage import manifest_inputs
from cuvee.release.earlier_installers import earlier_releases
from cuvee.release.imported_tests import imports_of
from cuvee.release.record import InstallerResult, Release, TestResult
from cuvee.release.riding_sources import riding_tools
from cuvee.release.session import Session
from cuvee.release.stage import Made, Stage, finished
from cuvee.release.test_places import place_of

if TYPE_CHECKING:
    from cuvee.integration.cluster_run import ClusterPlatform


def make_tests(
    session: Session, lock: PlatformLock, installers: Sequence[InstallerResult], *, not_built: str = ""
) -> TestResult:
    """Run the stage; the outcomes are in ``results/<platform>/``, or the reason why nothing ran there.

    A run with outcomes that block is not reused: a full disk, or whatever else failed, may be over. Of a run
    that was interrupted, units that ended are.

    Parameters
    ----------
    not_built
        Why there are no installers, if the platform was not built.
    """
    from cuvee.integration.imported_results import DOCUMENT, merged
    from cuvee.integration.results_folder import read_run, write_run

    manifest, workspace = session.manifest, session.workspace
    folder = workspace.results / lock.platform
    made = [item for result in installers for item in result.artefacts if item.not_made is None]
    tested, without = (None, not_built) if not_built else installer_to_test(made)
    place = place_of(session, lock.platform)
    runner, reason = place.runner, place.reason
    imports = imports_of(workspace.folder, lock.platform, made)
    today = session.options.now.date()
    quarantine = [item for item in session.suite_files.quarantine if item.holds_on(today)]
    known = [failure for failure in session.suite_files.known_failures if failure.holds_on(today)]

    inputs: Json = [
        [item.sha256 for item in made],
        not_built,
        manifest_inputs(manifest),
        folder_inputs(session.suites_folder),
        runner.name if runner is not None else reason,
        [waiver.expires >= today for waiver in manifest.waivers],
        encode(known),
        encode(quarantine),
        [sha256_bytes(DOCUMENT.to_bytes(item)) for item in imports],
        [[item.version, item.sha256, item.absent] for item in earlier_releases(session, lock.platform)],
    ]

    def run() -> Made[TestResult]:
        plan = plan_of(session, lock, not_built=bool(not_built))
        order = tuple(unit.name for unit in units_on(session, lock, plan, runner, without=reason))
        kept = KeptUnits(
            workspace.cache / "test-units" / manifest.release_name / lock.platform,
            fingerprint([inputs, code_fingerprint()]),
        )
        if session.options.retest:
            kept.forget()
        # Else a program of a package could write what became of others, and interrupt the run.
        resumes = tested is not None and place.keeps_files_away
        found = run_with(
            session, lock, plan, tested, runner, without=without, results=workspace.results,
            choice=UnitChoice(order=order), kept=kept if resumes else None, place=place.cluster,
        )  # fmt: skip
        if kept.note:
            session.reporter.say(f"Test {lock.platform}: {kept.note}")
        if imports:
            found = merged(found, imports, plan)
            write_run(folder, found)
        return Made(result=TestResult(run=found), outputs=(folder,))

    stage = Stage(
        name=f"test-{lock.platform}",
        inputs=inputs,
        run=run,
        load=lambda _: TestResult(run=_reusable(read_run(folder))),
    )
    return finished(session.make(stage, again=session.options.retest))


def hidden_from_tests(session: Session) -> tuple[Path, ...]:
    """Return what programs of packages must not see: the release, the history, and the keys that sign it."""
    named = filter(None, map(os.environ.get, ("CUVEE_SIGNING_KEY", "CUVEE_AUTHENTICODE_KEY")))
    secrets = (*session.options.secrets, *map(Path, named))
    hidden = (session.workspace.folder, session.history_file, *secrets)
    return tuple(path.resolve() for path in hidden)


def _reusable(run: PlatformRun) -> PlatformRun:
    """Return a run that was recorded; raise if it has to be repeated."""
    if blocking([run]):
        raise ValueError("outcomes of this run block the release")
    return run


def run_with(
    session: Session,
    lock: PlatformLock,
    plan: Plan,
    tested: Artefact | None,
    runner: Runner | None,
    *,
    without: str,
    results: Path,
    choice: UnitChoice,
    kept: KeptUnits | None = None,
    place: "ClusterPlatform | None" = None,
) -> PlatformRun:
    """Run units of a plan with an installer of the release; replace ``<results>/<platform>/``.

    Raises
    ------
    IntegrityError
        If the installer has changed since it was made.
    """
    from cuvee.integration.platform_run import run_platform

    folder = session.workspace.folder
    found = run_platform(
        plan,
        installer=folder / tested.path if tested else None,
        runner=runner,
        results=results,
        reporter=session.reporter,
        without=without,
        hidden=hidden_from_tests(session),
        readonly=(session.workspace.cache,),
        choice=choice,
        kept=kept,
        tools=riding_tools(session, lock),
        place=place,
        processes=session.options.executor.kind is ExecutorKind.PROCESSES,
    )
    installed = found.environment.get("installer_sha256")  # none if there was no space for it
    if tested is not None and installed and installed != tested.sha256:
        raise IntegrityError(
            f"{folder / tested.path} has changed since it was made",
            hint="Nothing was signed. Find out what changed it; the next run makes it again.",
        )
    return found


def units_on(
    session: Session, lock: PlatformLock, plan: Plan, runner: Runner | None, *, without: str = ""
) -> tuple[Unit, ...]:
    """Return the units of a plan in the order in which they start.

    It follows from what has changed since the base, as far as that is here, and from the history.
    """
    from cuvee.history.history_file import HistoryFile
    from cuvee.history.queries import last_durations

    manifest = session.manifest
    seconds: Mapping[tuple[str, str], float] = {}
    if runner is not None:
        with suppress(UsageError, IntegrityError), HistoryFile.open_to_read(session.history_file) as history:
            seconds = last_durations(
                history, manifest.distribution, platform=plan.platform, runner=runner.name
            )
    owners = {package.name: package.owner for package in manifest.packages if package.owner}
    changed = changed_packages(lock, session.base_lock)
    return units_of(plan, runner, without=without, owners=owners, seconds=seconds, changed=changed)


def plan_of(session: Session, lock: PlatformLock, *, not_built: bool) -> Plan:
    """Return what is to be tested; if nothing was built, then as far as the archives say it."""
    try:
        return plan_from(session, lock, session.archives(lock))
    except CuveeError:
        if not not_built:
            raise
        return plan_from(session, lock, {})


def plan_from(session: Session, lock: PlatformLock, archives: Mapping[str, Path]) -> Plan:
    """Return what is to be tested, as far as verified archives say it."""
    from cuvee.integration.plan_builder import build_plan

    today = session.options.now.date()
    earlier = earlier_releases(session, lock.platform)
    return build_plan(session.manifest, lock, session.suite_files, archives, today=today, earlier=earlier)


def check_tests(
    graph: ReleaseGraph, release: Release, files: SuiteFiles | None = None
) -> tuple[CheckOutcome, ...]:
    """Return what the checks find in what was tested, and what was not; ``graph`` is the release's."""
    files = files or SuiteFiles()
    ran = [run.runner for run in release.runs if run.runner is not None]
    known = [item for item in files.known_failures if any(map(item.is_of, ran)) or not item.runners]
    accepted = (
        *_accepted(known, "known failure", "known-failures.yaml"),
        *_accepted(files.quarantine, "quarantine of", "quarantine.yaml"),
        *_rules(files.command_rules),
        *_waived(release.manifest.waivers),
    )
    unowned = tuple(suite.name for suite in files.suites if not suite.owner)
    graph = replace(graph, tests=tuple(_platform_tests(release)), accepted=accepted, unowned_suites=unowned)
    return run_checks(graph, TEST_CHECKS)


def _rules(rules: Iterable[CommandRule]) -> Iterator[AcceptedFailure]:
    for item in rules:
        yield AcceptedFailure(
            pattern=f"{SMOKE}/command:{item.command}", what="rule for the command", source="smoke.yaml"
        )


def _accepted(
    items: Iterable[KnownFailure | QuarantinedTest], what: str, source: str
) -> Iterator[AcceptedFailure]:
    for item in items:
        yield AcceptedFailure(
            pattern=f"{item.suite}/{item.test}",
            platforms=item.platforms,
            what=what,
            source=source,
            until=item.until,
            passing_is_news=isinstance(item, KnownFailure),
        )


def _waived(waivers: Iterable[Waiver]) -> Iterator[AcceptedFailure]:
    for item in waivers:
        if "/" in item.check:
            platforms = (item.platform,) if item.platform else ()
            yield AcceptedFailure(
                pattern=item.check, platforms=platforms, what="waiver", source=str(item.position)
            )


def _platform_tests(release: Release) -> Iterator[PlatformTests]:
    runs = {run.platform: run for run in release.runs}
    absent = {absent.platform: absent.reason for absent in release.absent}
    with_installer = {
        item.platform
        for item in release.artefacts
        if item.kind is ArtefactKind.INSTALLER and item.not_made is None
    }
    for entry in release.manifest.present_platforms:
        run = runs.get(entry.name)
        outcomes = run.outcomes if run is not None else ()
        reason = run.not_run if run is not None else absent.get(entry.name, "it is not in the release")
        yield PlatformTests(
            platform=entry.name,
            has_installer=entry.name in with_installer,
            ran=frozenset(outcome.suite for outcome in outcomes if outcome.state.has_run),
            not_run=reason or "",
            tests=frozenset(f"{outcome.suite}/{outcome.test}" for outcome in outcomes),
            passed=frozenset(
                f"{outcome.suite}/{outcome.test}"
                for outcome in outcomes
                if outcome.state is OutcomeState.PASS
            ),
            reasons={
                outcome.suite: outcome.reason
                for outcome in reversed(outcomes)
                if outcome.state is OutcomeState.NOT_RUN
            },
        )


def installer_to_test(made: Sequence[Artefact]) -> tuple[Artefact | None, str]:
    """Return the installer that tests are run with, or why there is none.

    Runners start a ``.sh`` or an ``.exe``. An ``.msi`` and a ``.pkg`` are for services of their systems.
    """
    for item in made:
        if item.kind is ArtefactKind.INSTALLER and item.format in {"sh", "exe"}:
            return item, ""
    if not made:
        return None, "no installer was made for it"
    names = ", ".join(item.name for item in made)
    return None, f"tests install with a .sh or an .exe, and only {names} was made"

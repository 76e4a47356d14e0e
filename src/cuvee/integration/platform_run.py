"""Testing one platform: install the release with its installer, run the suites in it, keep the results."""

import os
import platform as host
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Executor, ThreadPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from pathlib import Path

from cuvee import process
from cuvee.errors import CuveeError
from cuvee.files import replacing_folder, sha256_file, storage_errors
from cuvee.integration import smoke
from cuvee.integration.installation_tests import install_copy, verify, verify_after
from cuvee.integration.installed_environment import InstalledEnvironment
from cuvee.integration.kept_units import KeptUnits
from cuvee.integration.left_behind import left_behind_outcomes
from cuvee.integration.model import SMOKE, VERIFY_AFTER, Plan, SuiteKind
from cuvee.integration.outcome_rules import judge, not_run
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.integration.planned_outcomes import account
from cuvee.integration.prefix_watch import PrefixWatch
from cuvee.integration.results_folder import write_run
from cuvee.integration.riding_tools import FOLDER, RidingTools, ToolsMissingError
from cuvee.integration.runners.protocol import Runner, Sandbox
from cuvee.integration.runners.selection import select_runner
from cuvee.integration.suite_jobs import suite_jobs
from cuvee.integration.test_session import Job, TestSession
from cuvee.integration.units import UnitChoice, not_selected, not_started
from cuvee.progress import Reporter
from cuvee.temporary_folders import temporary_folder

TEST_SECONDS = 120.0
_ALL = UnitChoice()


def run_platform(
    plan: Plan,
    *,
    installer: Path | None,
    runner: Runner | None,
    results: Path,
    reporter: Reporter,
    timeout: float = TEST_SECONDS,
    without: str = "no installer was made for it",
    hidden: tuple[Path, ...] = (),
    readonly: tuple[Path, ...] = (),
    choice: UnitChoice = _ALL,
    kept: KeptUnits | None = None,
    tools: RidingTools | None = None,
) -> PlatformRun:
    """Install a release and run its suites in it; replace ``<results>/<platform>/``.

    Parameters
    ----------
    installer
        The release's installer for the plan's platform; `None` when none was made.
    runner
        From `cuvee.integration.runners.choose`; `None` when this host cannot run the platform.
    hidden
        Files and folders that programs of packages must not see, where the host allows that.
    readonly
        Folders that they must not change.
    timeout
        Seconds that one test may take.
    without
        Why there is no installer, if there is none.
    choice
        Which units run, and in which order; tests of others are not run.
    kept
        What is known of the same run, if it was interrupted, and where to keep what ends.
    tools
        What brings tools that suites need and the release lacks; without it, such tests are not run.

    Returns
    -------
    PlatformRun
        With an outcome for every planned test, whatever happens. The prefix is removed afterwards.

    Raises
    ------
    StorageError
        If the results or the temporary prefix cannot be written.
    """
    with replacing_folder(results / plan.platform) as folder:
        if runner is None or installer is None:
            reason = without
            if installer is not None:
                reason = select_runner(plan.platform)[1] or "no runner was given for it"
            outcomes = not_run(plan.tests(), plan.platform, reason)
            run = PlatformRun(platform=plan.platform, runner=None, not_run=reason, outcomes=outcomes)
        else:
            with temporary_folder("test") as made, storage_errors(made):
                sandbox = _sandbox(plan.platform, made.resolve(), hidden, readonly)
                work = sandbox.home.parent / "work"
                session = TestSession(
                    plan=replace(plan, runner=runner.name), runner=runner, sandbox=sandbox, logs=folder,
                    work=work, timeout=timeout, installer=installer, tools=tools,
                )  # fmt: skip
                run = _run(session, installer, reporter, choice, kept)
        write_run(folder, run)
    if kept is not None:
        kept.forget()
    return run


def run_in_prefix(session: TestSession, reporter: Reporter) -> tuple[TestOutcome, ...]:
    """Run a plan's suites in a prefix that exists; return an outcome for every planned test but the first.

    Known failures and waivers do not apply. The caller ends what the runner has left.
    """
    problems: list[str] = []
    outcomes = _suites(session, reporter, problems)
    complete = account(session.plan, [*outcomes, *_missing(session.plan, outcomes)], problems)
    return tuple(outcome for outcome in complete if outcome.test != "install")


def _sandbox(platform: str, top: Path, hidden: tuple[Path, ...], readonly: tuple[Path, ...]) -> Sandbox:
    sandbox = Sandbox(
        platform=platform,
        prefix=top / "release",
        home=top / "home",
        temp=top / "tmp",
        hidden=hidden,
        readonly=(*readonly, top / FOLDER),
    )
    sandbox.home.mkdir()
    sandbox.temp.mkdir()
    return sandbox


def _run(
    session: TestSession, installer: Path, reporter: Reporter, choice: UnitChoice, kept: KeptUnits | None
) -> PlatformRun:
    """Test with a copy of the installer: tests do not see the release folder, and cannot change it."""
    copy = session.sandbox.home.parent / "installer" / installer.name
    copy.parent.mkdir()
    problems: list[str] = []
    try:
        installed = install_copy(session, installer, copy)
        digest = sha256_file(copy) if copy.exists() else ""
        outcomes = [installed]
        if installed.state is OutcomeState.PASS:
            administered = any(choice.takes(f"{SMOKE}/{name}") for name in ("verify", "check"))
            outcomes += verify(session, copy) if administered else ()
            outcomes += _suites(session, reporter, problems, choice, kept)
    finally:
        cleanup = session.runner.finish(session.sandbox)
        if cleanup is not None:
            process.run(replace(cleanup, cleans_up=True))
    environment = {
        "host": f"{host.system()} {host.release()} {host.machine()}",
        "installer": installer.name,
        "installer_sha256": digest,
        "install_seconds": f"{installed.seconds:.1f}",
        "repeated": str(session.repeats),
        **({"resumed": f"{len(kept.taken)} units of an interrupted run"} if kept and kept.taken else {}),
        **session.runner.environment(),
    }
    plan = session.plan
    outcomes += not_selected(plan, outcomes, choice)
    outcomes += _missing(plan, outcomes)
    outcomes += not_started(plan, outcomes, choice)
    complete = _ordered(plan, account(plan, outcomes, problems))
    return PlatformRun(
        platform=plan.platform,
        runner=session.runner.name,
        outcomes=judge(complete, plan),
        environment=environment,
    )


def _suites(
    session: TestSession,
    reporter: Reporter,
    problems: list[str],
    choice: UnitChoice = _ALL,
    kept: KeptUnits | None = None,
) -> list[TestOutcome]:
    interpreter, installed = smoke.describe(session)
    outcomes = [interpreter] if session.plan.smoke or interpreter.state is not OutcomeState.PASS else []
    if installed is None:
        return outcomes
    todo, refused = _jobs(session, installed, choice)
    outcomes += refused
    # The long jobs first, so that no core waits for one at the end.
    order = {name: number for number, name in enumerate(choice.order)}
    chosen = [job for job in todo if choice.takes(job.unit)]
    chosen.sort(key=lambda job: order.get(job.unit, len(order)))
    watch = PrefixWatch(prefix=session.sandbox.prefix)
    own = {suite.name for suite in session.plan.suites if suite.kind is SuiteKind.LIFECYCLE}
    jobs = chosen
    if kept is not None:
        jobs = [
            Job(unit=job.unit, run=partial(kept.outcomes_of, job.unit, job, session.logs)) for job in jobs
        ]
    # Those of a lifecycle have prefixes of their own.
    jobs = [job if job.unit.partition("/")[0] in own else watch.watched(job) for job in jobs]
    try:
        with ThreadPoolExecutor(parallel_tests()) as executor:
            outcomes += _all(session, jobs, executor, reporter, problems, fail_fast=choice.fail_fast)
    except BaseException:
        if kept is not None:
            kept.drop(watch.suspects())
        raise
    left = list(watch.left_behind(chosen))
    outcomes += left_behind_outcomes(session, left)
    if session.plan.smoke and session.plan.administered and choice.takes(f"{SMOKE}/{VERIFY_AFTER}"):
        outcomes.append(
            verify_after(session, frozenset(change.path for item in left for change in item.changes))
        )
    return outcomes


def _jobs(
    session: TestSession, installed: InstalledEnvironment, choice: UnitChoice
) -> tuple[list[Job], list[TestOutcome]]:
    """Return the jobs of all suites, and outcomes for those suites that cannot run here."""
    jobs: list[Job] = []
    refused: list[TestOutcome] = []
    for suite in session.plan.suites:
        refusal = session.runner.suite_refusal(suite)
        if refusal is None and any(choice.takes(f"{suite.name}/{target.name}") for target in suite.targets):
            try:
                jobs += suite_jobs(session.with_tools(suite.tools), suite, installed)
            except ToolsMissingError as error:
                refusal = error.message
        if refusal is not None:
            tests = (test for target in suite.targets for test in target.tests)
            refused += not_run(tests, session.plan.platform, refusal)
    if session.plan.smoke:
        jobs += smoke.jobs(session, installed)
    return jobs, refused


def parallel_tests() -> int:
    """Return how many tests to run at once: one per core that this process may use, at most 8."""
    affinity = getattr(os, "sched_getaffinity", None)
    return min(8, len(affinity(0)) if affinity else os.cpu_count() or 1)


def _all(
    session: TestSession,
    todo: Sequence[Callable[[], Sequence[TestOutcome]]],
    executor: Executor,
    reporter: Reporter,
    problems: list[str],
    *,
    fail_fast: bool = False,
) -> list[TestOutcome]:
    """Run jobs; return what they report. Why a job did not end is added to ``problems``.

    With ``fail_fast``, no job is started after one with an outcome that blocks; those that run end.
    """
    task = f"Test {session.plan.platform}"
    reporter.start(task, total=len(todo))
    futures = [executor.submit(job) for job in todo]
    outcomes: list[TestOutcome] = []
    try:
        for future in as_completed(futures):
            if fail_fast and future.cancelled():
                continue
            try:
                found = future.result()
            except (CuveeError, OSError, CancelledError):  # a full disk, or an interruption
                raise
            except Exception as error:  # noqa: BLE001 - output of packages that this code does not expect
                problems.append(f"{type(error).__name__}: {error}")
                continue
            outcomes += found
            if fail_fast and any(outcome.state.blocks for outcome in judge(found, session.plan)):
                for other in futures:
                    other.cancel()
            reporter.advance(task, note=found[0].test if found else "")
        reporter.finish(task, note=f"{len(outcomes)} tests")
    except BaseException:
        session.stop.set()
        for future in futures:
            future.cancel()
        process.stop_all()
        if session.tools is not None:
            session.tools.stop()
        raise
    return outcomes


def _missing(plan: Plan, outcomes: Iterable[TestOutcome]) -> tuple[TestOutcome, ...]:
    """Return outcomes for the planned tests that could not run because the release does not start."""
    outcomes = list(outcomes)
    needed = (outcome for outcome in outcomes if outcome.test in {"install", "interpreter"})
    broken = next((outcome for outcome in needed if outcome.suite == SMOKE and outcome.state.blocks), None)
    if broken is None:
        return ()
    seen = {(outcome.suite, outcome.test) for outcome in outcomes}
    remaining = (test for test in plan.tests() if (test.suite, test.test) not in seen)
    return not_run(remaining, plan.platform, f"{broken.test}: {broken.reason}")


def _ordered(plan: Plan, outcomes: Iterable[TestOutcome]) -> list[TestOutcome]:
    """Sort by the plan's order; tests that the plan did not know come last, by name."""
    order = {(test.suite, test.test): number for number, test in enumerate(plan.tests())}
    suites = {suite: number for number, suite in enumerate((SMOKE, *(suite.name for suite in plan.suites)))}
    last = len(order)
    return sorted(
        outcomes,
        key=lambda outcome: (
            suites.get(outcome.suite, len(suites)),
            order.get((outcome.suite, outcome.test), last),
            outcome.test,
        ),
    )

"""Testing one platform: install the release with its installer, run the suites in it, keep the results."""

import os
import platform as host
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from cuvee import process
from cuvee.files import replacing_folder, sha256_file, storage_errors
from cuvee.integration import smoke
from cuvee.integration.cluster_run import ClusterPlatform, run_on_cluster
from cuvee.integration.collected_units import collect_outcomes
from cuvee.integration.complete_outcomes import complete_outcomes, missing_outcomes
from cuvee.integration.installation_tests import install_copy, verify
from cuvee.integration.installed_release import jobs_of, make_sandbox
from cuvee.integration.kept_units import KeptUnits
from cuvee.integration.left_behind import after_units
from cuvee.integration.model import SMOKE, Plan, SuiteKind
from cuvee.integration.outcome_rules import not_run
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.integration.planned_outcomes import account
from cuvee.integration.prefix_watch import PrefixWatch
from cuvee.integration.process_units import run_in_processes
from cuvee.integration.results_folder import write_run
from cuvee.integration.riding_tools import RidingTools
from cuvee.integration.runners.protocol import Runner
from cuvee.integration.runners.selection import select_runner
from cuvee.integration.test_session import Job, TestSession
from cuvee.integration.units import UnitChoice
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
    place: ClusterPlatform | None = None,
    processes: bool = False,
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
    place
        The cluster whose workers run it, instead of this host.
    processes
        Whether units run in processes instead of threads; their results are the same.

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
        elif place is not None:
            run = run_on_cluster(
                plan, installer, place,
                results=folder, reporter=reporter, timeout=timeout, hidden=hidden, choice=choice, kept=kept,
                tools=tools,
            )  # fmt: skip
        else:
            with temporary_folder("test") as made, storage_errors(made):
                sandbox = make_sandbox(plan.platform, made.resolve(), hidden, readonly)
                work = sandbox.home.parent / "work"
                session = TestSession(
                    plan=replace(plan, runner=runner.name), runner=runner, sandbox=sandbox, logs=folder,
                    work=work, timeout=timeout, installer=installer, tools=tools,
                )  # fmt: skip
                run = _run(session, installer, reporter, choice, kept, processes=processes)
        write_run(folder, run)
    if kept is not None:
        kept.close(run.outcomes)
    return run


def run_in_prefix(session: TestSession, reporter: Reporter) -> tuple[TestOutcome, ...]:
    """Run a plan's suites in a prefix that exists; return an outcome for every planned test but the first.

    Known failures and waivers do not apply. The caller ends what the runner has left.
    """
    problems: list[str] = []
    outcomes = _suites(session, reporter, problems)
    complete = account(session.plan, [*outcomes, *missing_outcomes(session.plan, outcomes)], problems)
    return tuple(outcome for outcome in complete if outcome.test != "install")


def _run(
    session: TestSession,
    installer: Path,
    reporter: Reporter,
    choice: UnitChoice,
    kept: KeptUnits | None,
    *,
    processes: bool,
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
            outcomes += _suites(session, reporter, problems, choice, kept, processes=processes)
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
        **({"resumed": kept.note} if kept and kept.note else {}),
        **session.runner.environment(),
    }
    return PlatformRun(
        platform=session.plan.platform,
        runner=session.runner.name,
        outcomes=complete_outcomes(session.plan, outcomes, problems, choice),
        environment=environment,
    )


def _suites(
    session: TestSession,
    reporter: Reporter,
    problems: list[str],
    choice: UnitChoice = _ALL,
    kept: KeptUnits | None = None,
    *,
    processes: bool = False,
) -> list[TestOutcome]:
    interpreter, installed = smoke.describe(session)
    outcomes = [interpreter] if session.plan.smoke or interpreter.state is not OutcomeState.PASS else []
    if installed is None:
        return outcomes
    todo, refused = jobs_of(session, installed, choice)
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
        if processes:
            outcomes += run_in_processes(
                session, installed, chosen, watch,
                count=parallel_tests(), reporter=reporter, problems=problems, choice=choice, kept=kept,
            )  # fmt: skip
        else:
            outcomes += _in_threads(session, jobs, reporter, problems, fail_fast=choice.fail_fast)
    except BaseException:
        if kept is not None:
            kept.drop(watch.suspects())
        raise
    outcomes += after_units(session, watch, chosen, choice)
    return outcomes


def _in_threads(
    session: TestSession,
    jobs: Sequence[Job],
    reporter: Reporter,
    problems: list[str],
    *,
    fail_fast: bool,
) -> list[TestOutcome]:
    with ThreadPoolExecutor(parallel_tests()) as executor:
        futures = [executor.submit(job) for job in jobs]
        try:
            return collect_outcomes(
                session.plan, futures, Future.result, reporter, problems, fail_fast=fail_fast
            )
        except BaseException:
            session.stop.set()
            for future in futures:
                future.cancel()
            process.stop_all()
            if session.tools is not None:
                session.tools.stop()
            raise


def parallel_tests() -> int:
    """Return how many tests to run at once: one per core that this process may use, at most 8."""
    affinity = getattr(os, "sched_getaffinity", None)
    return min(8, len(affinity(0)) if affinity else os.cpu_count() or 1)

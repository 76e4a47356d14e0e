"""Testing one platform: install the release with its installer, run the suites in it, keep the results."""

import platform as host
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from pathlib import Path

from cuvee import process
from cuvee.errors import ToolMissingError
from cuvee.files import replacing_folder, sha256_file, storage_errors
from cuvee.integration import pytest_suites, smoke
from cuvee.integration.bench import Bench, Job, ending, last_line, transcript
from cuvee.integration.outcomes import PlatformRun, State, TestOutcome
from cuvee.integration.plan import SMOKE, Plan, PlannedTest
from cuvee.integration.results import write_run
from cuvee.integration.runners import Place, Runner, choose, workers
from cuvee.integration.verdicts import judge, not_run
from cuvee.progress import Reporter

TEST_SECONDS = 120.0
INSTALL_SECONDS = 900.0


def run_platform(
    plan: Plan,
    *,
    installer: Path | None,
    runner: Runner | None,
    results: Path,
    reporter: Reporter,
    executor: Executor | None = None,
    timeout: float = TEST_SECONDS,
    without: str = "no installer was made for it",
) -> PlatformRun:
    """Install a release and run its suites in it; write ``<results>/<platform>/`` anew.

    Parameters
    ----------
    installer
        The release's installer for the plan's platform; `None` when none was made.
    runner
        From `cuvee.integration.runners.choose`; `None` when this host can not run the platform.
    executor
        Where tests run beside each other; threads of our own by default, one per core.
    timeout
        Seconds that one test may take.
    without
        Why there is no installer, if there is none.

    Returns
    -------
    PlatformRun
        With an outcome for every planned test, whatever happened. The prefix is removed again.

    Raises
    ------
    StorageError
        If the results or the temporary prefix can not be written.
    """
    with replacing_folder(results / plan.platform) as folder:
        if runner is None or installer is None:
            reason = without
            if installer is not None:
                reason = choose(plan.platform)[1] or "no runner was given for it"
            outcomes = not_run(plan.tests(), plan.platform, reason)
            run = PlatformRun(platform=plan.platform, runner=None, not_run=reason, outcomes=outcomes)
        else:
            run = _run(
                plan,
                installer,
                runner,
                folder=folder,
                reporter=reporter,
                executor=executor,
                timeout=timeout,
            )
        write_run(folder, run)
    return run


def _run(
    plan: Plan,
    installer: Path,
    runner: Runner,
    *,
    folder: Path,
    reporter: Reporter,
    executor: Executor | None,
    timeout: float,
) -> PlatformRun:
    with storage_errors(Path(tempfile.gettempdir())):
        top = Path(tempfile.mkdtemp(prefix="cuvee-test-")).resolve()
    place = Place(platform=plan.platform, prefix=top / "release", home=top / "home", temp=top / "tmp")
    try:
        place.home.mkdir()
        place.temp.mkdir()
        bench = Bench(plan=plan, runner=runner, place=place, logs=folder, work=top / "work", timeout=timeout)
        installed = install(bench, installer)
        outcomes = [installed]
        if installed.state is State.PASS:
            outcomes += _suites(bench, reporter, executor)
    finally:
        try:
            ending = runner.finish(place)
            if ending is not None:
                process.run(ending)
        finally:
            shutil.rmtree(top, ignore_errors=True)
    facts = {
        "host": f"{host.system()} {host.release()} {host.machine()}",
        "installer": installer.name,
        "installer_sha256": sha256_file(installer),
        "install_seconds": f"{installed.seconds:.1f}",
        **runner.facts(),
    }
    complete = _ordered(plan, [*outcomes, *_missing(plan, outcomes)])
    return PlatformRun(
        platform=plan.platform, runner=runner.name, outcomes=judge(complete, plan), facts=facts
    )


def install(bench: Bench, installer: Path) -> TestOutcome:
    """Install the release silently. Failing to is the release's fault; not being able to try is not."""
    test = PlannedTest(suite=SMOKE, test="install")
    try:
        completed = process.run(bench.runner.install(bench.place, installer, timeout=INSTALL_SECONDS))
    except ToolMissingError as error:
        return bench.outcome(test, State.INFRA_ERROR, 0, reason=error.message, log=error.message)
    log = transcript(completed)
    if completed.timed_out:
        reason = f"took longer than {INSTALL_SECONDS:g} s"
        return bench.outcome(test, State.TIMEOUT, completed.seconds, reason=reason, log=log)
    if not completed.ok:
        reason = f"{ending(completed)}: {last_line(completed.stderr)}"
        return bench.outcome(test, State.FAIL, completed.seconds, reason=reason, log=log)
    if not bench.runner.program(bench.place, "python").exists():
        reason = "the installer ended well, but the release has no interpreter"
        return bench.outcome(test, State.FAIL, completed.seconds, reason=reason, log=log)
    return bench.outcome(test, State.PASS, completed.seconds)


def _suites(bench: Bench, reporter: Reporter, executor: Executor | None) -> list[TestOutcome]:
    interpreter, installed = smoke.look(bench)
    outcomes = [interpreter] if bench.plan.smoke or interpreter.state is not State.PASS else []
    if installed is None:
        return outcomes
    # The long ones first, so that no core waits for them at the end.
    todo: list[Job] = []
    for suite in bench.plan.suites:
        refusal = bench.runner.refuses_suite(suite.name)
        if refusal is None:
            todo += pytest_suites.jobs(bench, suite)
        else:
            tests = (test for target in suite.targets for test in target.tests)
            outcomes += not_run(tests, bench.plan.platform, refusal)
    if bench.plan.smoke:
        todo += smoke.jobs(bench, installed)
    if executor is not None:
        outcomes += _all(bench, todo, executor, reporter)
    else:
        with ThreadPoolExecutor(workers()) as own:
            outcomes += _all(bench, todo, own, reporter)
    return outcomes


def _all(bench: Bench, todo: Sequence[Job], executor: Executor, reporter: Reporter) -> list[TestOutcome]:
    task = f"Test {bench.plan.platform}"
    reporter.start(task, total=len(todo))
    futures = [executor.submit(job) for job in todo]
    outcomes: list[TestOutcome] = []
    try:
        for future in as_completed(futures):
            found = future.result()
            outcomes += found
            reporter.advance(task, note=found[0].test if found else "")
        reporter.finish(task, note=f"{len(outcomes)} tests")
    except BaseException:
        bench.stop.set()
        for future in futures:
            future.cancel()
        process.stop_all()
        raise
    return outcomes


def _missing(plan: Plan, outcomes: Iterable[TestOutcome]) -> tuple[TestOutcome, ...]:
    """Give the planned tests that came to nothing because the release itself did not stand."""
    outcomes = list(outcomes)
    broken = next((outcome for outcome in outcomes if outcome.suite == SMOKE and outcome.state.blocks), None)
    stands = not any(
        outcome.test in {"install", "interpreter"} and outcome.state.blocks for outcome in outcomes
    )
    if broken is None or stands:
        return ()
    seen = {(outcome.suite, outcome.test) for outcome in outcomes}
    left = (test for test in plan.tests() if (test.suite, test.test) not in seen)
    return not_run(left, plan.platform, f"{broken.test}: {broken.reason}")


def _ordered(plan: Plan, outcomes: Iterable[TestOutcome]) -> list[TestOutcome]:
    """Sort by the plan's order; what the plan did not know comes behind, by name."""
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

"""Units in processes of this machine: the parts of cuvee that read what tests print run on all cores.

Each process makes its own jobs in folders of its own, and shares the prefix, which is installed already.
"""

import os
import pickle
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

from cuvee import process
from cuvee.errors import UsageError
from cuvee.executors.local_processes import SpawnedProcesses
from cuvee.integration.collected_units import collect_outcomes
from cuvee.integration.installed_environment import InstalledEnvironment
from cuvee.integration.installed_release import jobs_of
from cuvee.integration.kept_units import KeptUnits, is_log, write_logs
from cuvee.integration.model import SuiteKind
from cuvee.integration.outcomes import TestOutcome
from cuvee.integration.prefix_watch import PrefixWatch
from cuvee.integration.repeat_budget import MOST_SECONDS, MOST_TESTS, RepeatBudget, RepeatUse
from cuvee.integration.test_session import Job, TestSession
from cuvee.integration.tool_sets import ToolsMissingError
from cuvee.integration.unit_host import UnitHost, host_here, run_unit
from cuvee.integration.unit_reports import REPORTED_UNIT
from cuvee.integration.units import UnitChoice
from cuvee.integration.wanted_tools import wanted_tools
from cuvee.progress import Reporter

_RUN = "here"


def run_in_processes(
    session: TestSession,
    installed: InstalledEnvironment,
    jobs: Sequence[Job],
    watch: PrefixWatch,
    *,
    count: int,
    reporter: Reporter,
    problems: list[str],
    choice: UnitChoice,
    kept: KeptUnits | None,
) -> list[TestOutcome]:
    """Return the outcomes of jobs that run in so many processes.

    What brings tools stays in this process, so they are beside the release before others start. The processes
    share the budget of repetitions in equal parts.

    Raises
    ------
    UsageError
        If the runner cannot work in several processes.
    """
    outcomes: list[TestOutcome] = []
    names: dict[Future[Any], str] = {}
    uses: dict[str, RepeatUse] = {}
    own = {suite.name for suite in session.plan.suites if suite.kind is SuiteKind.LIFECYCLE}

    def read(future: Future[Any]) -> Sequence[TestOutcome]:
        unit = names[future]
        reported = REPORTED_UNIT.from_bytes(future.result(), source=f"the report of {unit}")
        uses[reported.worker] = reported.use
        if unit.partition("/")[0] not in own:
            watch.has_run(unit, reported.started, reported.ended_at)
        write_logs({name: text for name, text in reported.ended.logs.items() if is_log(name)}, session.logs)
        outcomes = reported.ended.outcomes
        return kept.keep(unit, outcomes, session.logs) if kept is not None else outcomes

    context = get_context("spawn")
    stop = context.Event()
    _bring_tools(session, choice, count)
    payload = _pickled(session, installed, choice, count)
    with SpawnedProcesses(count, mp_context=context, initializer=_start, initargs=(payload, stop)) as spawned:
        for job in jobs:
            known = kept.known(job.unit, session.logs) if kept is not None else None
            if known is not None:
                outcomes += known
            else:
                names[spawned.submit(run_unit, _RUN, job.unit)] = job.unit
        try:
            outcomes += collect_outcomes(
                session.plan, list(names), read, reporter, problems, fail_fast=choice.fail_fast
            )
        except BaseException:
            stop.set()
            session.stop.set()
            for future in names:
                future.cancel()
            process.stop_all()
            raise
        finally:
            stop.set()  # their threads that wait for it end
    used = sum(uses.values(), session.repeats.use)
    session.repeats.repeated, session.repeats.refused = used.repeated, used.refused
    return outcomes


def _bring_tools(session: TestSession, choice: UnitChoice, count: int) -> None:
    """Put what units may need beside the release; what cannot be had is told by the tests that need it."""
    tools = session.tools
    if tools is None:
        return

    def bring(specs: frozenset[str]) -> None:
        with suppress(ToolsMissingError):
            tools.beside(specs, session.sandbox.prefix, session.runner.guest_path)

    with ThreadPoolExecutor(count) as threads:
        try:
            list(threads.map(bring, set(wanted_tools(session.plan, choice))))
        except BaseException:
            tools.stop()
            threads.shutdown(wait=False, cancel_futures=True)
            raise


def _pickled(session: TestSession, installed: InstalledEnvironment, choice: UnitChoice, count: int) -> bytes:
    budget = (MOST_TESTS // count, MOST_SECONDS / count)
    values = (
        session.plan, session.runner, session.sandbox, session.work, session.timeout, session.installer,
        installed, choice.names, budget, session.tools.only_made() if session.tools is not None else None,
    )  # fmt: skip
    try:
        return pickle.dumps(values)
    except (TypeError, AttributeError, pickle.PicklingError) as error:
        raise UsageError(
            f"The runner {session.runner.name} works in one process",
            hint="Leave `--executor processes` out.",
        ) from error


def _start(payload: bytes, stop: Any) -> None:
    """Prepare a process: it leaves Ctrl-C to its parent, which says when to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    values = pickle.loads(payload)  # noqa: S301 - of the parent
    plan, runner, sandbox, work, timeout, installer, installed, names, (tests, seconds), tools = values
    name = f"process-{os.getpid()}"
    temp = sandbox.temp / name
    temp.mkdir()
    session = TestSession(
        plan=plan, runner=runner, sandbox=replace(sandbox, temp=temp), logs=work / name / "results",
        work=work / name, timeout=timeout, installer=installer,
        repeats=RepeatBudget(tests=tests, seconds=seconds), tools=tools,
    )  # fmt: skip
    jobs, _ = jobs_of(session, installed, UnitChoice(names=names))
    host_here(_RUN, UnitHost.of(session, jobs, name))

    def watch() -> None:
        with suppress(EOFError, OSError):  # the parent is gone
            stop.wait()
        session.stop.set()
        process.stop_all()

    threading.Thread(target=watch, daemon=True).start()

"""Suites of the kind ``command``: programs of the release, judged by exit code, output and JUnit XML."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from cuvee.integration.junit_reader import BrokenJUnitError, JUnitCase, read_junit
from cuvee.integration.model import CommandTarget, PlannedSuite, PlannedTest
from cuvee.integration.outcome_rules import not_run
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.repeat_budget import repeat_failed
from cuvee.integration.runners.protocol import Command
from cuvee.integration.test_session import (
    Job,
    TestSession,
    describe_exit,
    exceeded_limit,
    last_line,
    transcript,
)
from cuvee.process import Completed


def jobs(session: TestSession, suite: PlannedSuite) -> Iterator[Job]:
    """Yield the suite's jobs, one per command."""
    for target in suite.targets:
        if isinstance(target, CommandTarget):
            work = partial(_outcomes, session, suite, target)
            yield Job(unit=f"{suite.name}/{target.name}", run=work)


def _outcomes(session: TestSession, suite: PlannedSuite, target: CommandTarget) -> Sequence[TestOutcome]:
    """Run a command, again if it fails; return its outcome and those of the cases that it reports."""
    if not target.supported:
        return not_run(target.tests, session.plan.platform, "")
    return repeat_failed(session.repeats, partial(_once, session, suite, target))


def _once(session: TestSession, suite: PlannedSuite, target: CommandTarget) -> Sequence[TestOutcome]:
    (test,) = target.tests
    cwd = session.folder(f"{suite.name}-{target.name}") / "cwd"
    cwd.mkdir()
    if suite.folder is not None:
        cwd = session.copied(suite.folder, f"{suite.name}-{target.name}")
    script = (cwd / target.script,) if target.script else ()
    arguments: tuple[str | Path, ...] = (*script, *target.arguments)
    if session.has_tool(target.program):
        completed = session.run_script("run_program.py", target.program, *arguments, cwd=cwd)
    else:
        command = Command(program=target.program, arguments=arguments, cwd=cwd, timeout=session.timeout)
        completed = session.run(command)
    cases: tuple[JUnitCase, ...] = ()
    broken = ""
    if target.junit and not completed.timed_out:
        try:
            cases = read_junit(cwd / target.junit)
        except BrokenJUnitError as error:
            broken = f"its JUnit XML {target.junit} {error}"
    found = [_case(session, test, case) for case in cases]
    reason = _reason(session, target, completed, broken, cases)
    limit = session.runner.limitation(completed) if reason else None
    state = OutcomeState.PASS
    if reason:
        state = OutcomeState.TIMEOUT if completed.timed_out else OutcomeState.FAIL
    if limit is not None and state is OutcomeState.FAIL:
        state, reason = OutcomeState.NOT_SUPPORTED, limit
    log = transcript(completed)
    return [session.outcome(test, state, completed.seconds, reason=reason, log=log), *found]


def _reason(
    session: TestSession,
    target: CommandTarget,
    completed: Completed,
    broken: str,
    cases: Sequence[JUnitCase],
) -> str:
    """Return why a command has failed; the empty text if it has not, or the cases that failed say why."""
    ended = describe_exit(completed)
    if completed.timed_out:
        return f"took longer than {session.timeout:g} s"
    if limit := exceeded_limit(completed):
        return limit
    good = completed.exit_code in target.exit_codes
    if broken:
        return broken if good else f"{broken}; {ended}"
    if not good and not any(case.state is OutcomeState.FAIL for case in cases):
        return f"{ended}: {last_line(completed.stderr)}".rstrip(": ")
    if target.says and target.says not in completed.stdout + completed.stderr:
        return f"it does not print {target.says!r}"
    return ""


def _case(session: TestSession, test: PlannedTest, case: JUnitCase) -> TestOutcome:
    named = PlannedTest(
        suite=test.suite, test=f"{test.test}::{case.name}", package=test.package, packages=test.packages
    )
    return session.outcome(named, case.state, case.seconds, reason=case.reason, log=case.detail)

"""Running pytest suites in the release: one process per target, followed test by test.

A test that crashes the process fails, and a new process runs the tests after it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cuvee.files import write_json
from cuvee.integration.model import PlannedSuite, PlannedTest, PytestTarget
from cuvee.integration.outcome_rules import not_run
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.pytest_events import PytestEvent, PytestRecord, read_record
from cuvee.integration.pytest_limits import limit_of_test
from cuvee.integration.repeat_budget import after_repeat, not_repeated
from cuvee.integration.suite_folders import module_file
from cuvee.integration.test_session import (
    INSIDE,
    LONGEST_REASON,
    Job,
    TestSession,
    describe_exit,
    exceeded_limit,
    last_line,
    transcript,
)
from cuvee.process import Completed

_MOST_CRASHES = 3
_OPTIONS = (
    "-q",
    "--tb=short",
    "--import-mode=importlib",
    "--continue-on-collection-errors",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:faulthandler",  # inside/run_pytest.py sets up its own, which writes to a file
)
_STATES = {
    "pass": OutcomeState.PASS,
    "fail": OutcomeState.FAIL,
    "skipped": OutcomeState.SKIPPED,
    "expected-fail": OutcomeState.KNOWN_FAIL,
}
# All passed, some failed, errors in collection, no tests: https://docs.pytest.org/en/stable/reference/exit-codes.html
_ENDED_WELL = {0, 1, 2, 5}


def jobs(session: TestSession, suite: PlannedSuite) -> Iterator[Job]:
    """Yield the suite's jobs, one per target."""
    folder = None
    if suite.folder is not None:  # copied, so that no other configuration applies to the files
        folder = session.copied(suite.folder, f"suite-{suite.name}", shared=True)
    for target in suite.targets:
        if isinstance(target, PytestTarget):
            own = folder if target.file else None  # modules that packages ship are in none of ours
            run = _TargetRun(session=session, suite=suite, target=target, folder=own)
            yield Job(unit=f"{suite.name}/{target.name}", run=run.outcomes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _TargetRun:
    """The run of one target, in one or more processes."""

    session: TestSession
    suite: PlannedSuite
    target: PytestTarget
    folder: Path | None

    def outcomes(self) -> Sequence[TestOutcome]:
        """Run what this release supports, failures again; return an outcome for every planned test."""
        unsupported = not_run(
            (test for test in self.target.tests if test.unsupported), self.session.plan.platform, ""
        )
        found = {outcome.test: outcome for outcome in unsupported}
        if self.target.supported:
            found |= self._to_the_end(skip=sorted(found))
            self._repeat(found)
            self._account(found)
        return list(found.values())

    def _to_the_end(self, skip: Sequence[str]) -> dict[str, TestOutcome]:
        """Start pytest again after each crash, until all is reported or it has crashed too often."""
        found: dict[str, TestOutcome] = {}
        crashes = 0
        while True:
            record, completed = self._once(skip=(*skip, *found))
            seen = (self._seen(name, event, completed) for name, event in record.results.items())
            found |= {outcome.test: outcome for outcome in seen}
            if record.exit_code in _ENDED_WELL and not completed.timed_out:
                return found
            crashed = record.running or self.target.name
            found[crashed] = self._crashed(crashed, record, completed)
            # What the runner lacks ends one test after the other, and says nothing about the next.
            crashes += found[crashed].state is not OutcomeState.NOT_SUPPORTED
            if record.running is None or crashes == _MOST_CRASHES:
                remaining = (name for name in record.collected if name not in found)
                found |= {name: self._after(found[crashed], name) for name in remaining}
                return found

    def _repeat(self, found: dict[str, TestOutcome]) -> None:
        """Run failed tests again, in one fresh process, as far as the budget of the run allows that."""
        failed = [
            name
            for name, outcome in found.items()
            if outcome.state is OutcomeState.FAIL
            and not self.session.plan.is_fault_of_runner(outcome.suite, name)
        ]
        again = self.session.repeats.take(found[name] for name in failed)
        found |= {name: not_repeated(found[name]) for name in failed if name not in again}
        if not again:
            return
        record, _ = self._once(only=sorted(again))
        for name in again:
            event = record.results.get(name)
            if event is not None and event.event == "result":
                state = _STATES.get(event.state, OutcomeState.INFRA_ERROR)
                second = replace(found[name], state=state, seconds=round(event.seconds, 3))
                found[name] = after_repeat(found[name], replace(second, reason=event.reason[:LONGEST_REASON]))

    def _account(self, found: dict[str, TestOutcome]) -> None:
        """Add outcomes for the planned tests that pytest did not report."""
        heard = {name.partition("[")[0] for name in found} | {name.partition("::")[0] for name in found}
        for test in self.target.tests:
            file = test.test.partition("::")[0]
            if test.test not in heard:
                broken = found.get(file) or found.get(self.target.name)
                found[test.test] = self._without(test.test, broken)

    def _once(
        self, *, only: Sequence[str] | None = None, skip: Iterable[str] = ()
    ) -> tuple[PytestRecord, Completed]:
        session, target, guest_path = self.session, self.target, self.session.runner.guest_path
        work = session.folder(f"{self.suite.name}-{target.name}")
        cwd, events, crash = work / "cwd", work / "events.jsonl", work / "crash.txt"
        cwd.mkdir()
        files = [guest_path(self.folder / target.file)] if self.folder and target.file else []
        top = guest_path(self.folder or cwd)
        # Else pytest reads each conftest.py above, such as /tmp/conftest.py, and lists the files beside it:
        # https://docs.pytest.org/en/stable/reference/reference.html#cmdoption-confcutdir
        options = ["-c", guest_path(INSIDE / "pytest.ini"), "--rootdir", top, "--confcutdir", top, *_OPTIONS]
        spec = {
            "arguments": [*options, *target.arguments, *files],
            "modules": list(target.modules),
            "base": guest_path(self.folder) if self.folder else "",
            "only": sorted(session.only) or None if only is None else only,
            "skip": list(skip),
            "timeout": session.timeout,
            "events": guest_path(events),
            "crash": guest_path(crash),
        }
        write_json(work / "spec.json", spec)
        seconds = session.timeout * max(4, len(target.tests))
        completed = session.run_script("run_pytest.py", work / "spec.json", cwd=cwd, timeout=seconds)
        return read_record(events, crash), completed

    def _seen(self, name: str, event: PytestEvent, completed: Completed) -> TestOutcome:
        make = self.session.outcome
        failed = event.state == "fail" or event.event == "uncollectable"
        limit = limit_of_test(self.session.runner, event.detail, completed) if failed else None
        if limit is not None:
            state = OutcomeState.NOT_SUPPORTED
            return make(self._planned(name), state, event.seconds, reason=limit, log=event.detail)
        match event.event:
            case "result":
                state = _STATES.get(event.state, OutcomeState.INFRA_ERROR)
                expected = "the project expects it to fail: " if state is OutcomeState.KNOWN_FAIL else ""
                reason = f"{expected}{event.reason}"
                return make(self._planned(name), state, event.seconds, reason=reason, log=event.detail)
            case "absent":
                reason = "the package does not ship these tests"
                return make(
                    self._planned(module_file(event.module)), OutcomeState.NOT_SUPPORTED, 0, reason=reason
                )
            case "skipped-file":
                reason = event.reason.removeprefix("Skipped: ")
                return make(self._planned(name), OutcomeState.SKIPPED, 0, reason=reason)
            case _:
                reason = f"cannot be collected: {last_line(event.detail)}"
                return make(self._planned(name), OutcomeState.FAIL, 0, reason=reason, log=event.detail)

    def _crashed(self, name: str, record: PytestRecord, completed: Completed) -> TestOutcome:
        timeout = record.timed_out or completed.timed_out
        reason = exceeded_limit(completed) or f"the process crashed: {describe_exit(completed)}"
        if timeout:
            reason = f"took longer than {self.session.timeout:g} s"
        log = f"{transcript(completed)}--- crash report\n{record.crash_report}"
        state = OutcomeState.TIMEOUT if timeout else OutcomeState.FAIL
        limit = None if timeout else self.session.runner.limitation(completed)
        if limit is not None:
            state, reason = OutcomeState.NOT_SUPPORTED, limit
        seconds = self.session.timeout if timeout else 0.0
        return self.session.outcome(self._planned(name), state, seconds, reason=reason, log=log)

    def _after(self, crashed: TestOutcome, name: str) -> TestOutcome:
        """Return the outcome of a test that the same process should have run after a crash."""
        if crashed.state is OutcomeState.NOT_SUPPORTED:
            return self.session.outcome(self._planned(name), crashed.state, 0, reason=crashed.reason)
        reason = f"the process crashed in {crashed.test}"
        return self.session.outcome(self._planned(name), OutcomeState.NOT_RUN, 0, reason=reason)

    def _without(self, name: str, broken: TestOutcome | None) -> TestOutcome:
        """Return the outcome of a planned test that pytest did not report."""
        if broken is not None and broken.state is OutcomeState.NOT_SUPPORTED:
            return self._after(broken, name)
        reason = f"{broken.test}: {broken.reason}" if broken else "pytest did not collect it"
        return self.session.outcome(self._planned(name), OutcomeState.NOT_RUN, 0, reason=reason)

    def _planned(self, name: str) -> PlannedTest:
        """Return the plan's entry for a test, which may be one case of it, or one test of a planned file."""
        by_name: Mapping[str, PlannedTest] = {test.test: test for test in self.target.tests}
        known = by_name.get(name) or by_name.get(name.partition("[")[0])
        package = self.target.package
        packages = known.packages if known else (package,) if package else ()
        return PlannedTest(suite=self.suite.name, test=name, package=package, packages=packages)

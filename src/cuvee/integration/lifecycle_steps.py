"""The steps of a lifecycle: each is a test, and does not run if one that it needs has failed."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from pathlib import Path

from cuvee import process
from cuvee.errors import ToolMissingError
from cuvee.integration.installation_tests import how_it_ended
from cuvee.integration.lifecycle_files import DesktopFiles, FilesHere, FilesUnknownError
from cuvee.integration.model import PlannedTest
from cuvee.integration.outcome_rules import not_run
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.runners.protocol import InstallerVerb, Sandbox
from cuvee.integration.test_session import MOST_OUTPUT, TestSession, transcript
from cuvee.process import Completed, Request


class StepFailedError(Exception):
    """A step of a lifecycle has not done what it should, or could not be done."""

    def __init__(self, reason: str, *, log: str = "", state: OutcomeState = OutcomeState.FAIL) -> None:
        super().__init__(reason)
        self.reason = reason
        self.log = log
        self.state = state


@dataclass(slots=True, kw_only=True)
class Steps:
    """The steps that were made in the sandbox of a session, with what became of them.

    ``seconds`` is what one program may take, and ``files`` those of the sandbox.
    """

    session: TestSession
    tests: Sequence[PlannedTest]
    seconds: float
    files: DesktopFiles = field(default_factory=FilesHere)
    outcomes: list[TestOutcome] = field(default_factory=list)
    _failed: dict[str, str] = field(default_factory=dict)

    @property
    def sandbox(self) -> Sandbox:
        """Where the release is installed."""
        return self.session.sandbox

    def step(self, name: str, work: Callable[[], None], *, after: Sequence[str] = ()) -> None:
        """Do the work of one test, unless a test before it has failed that it needs."""
        (test,) = (test for test in self.tests if test.test == name)
        cause = next((self._failed[needed] for needed in after if needed in self._failed), "")
        if cause:
            self._failed[name] = cause
            self.outcomes += not_run([test], self.session.plan.platform, cause)
            return
        started = time.monotonic()
        failure: StepFailedError | None = None
        try:
            work()
        except StepFailedError as error:
            failure = error
        except FilesUnknownError as error:
            failure = StepFailedError(error.message, log=error.log)
        state = OutcomeState.PASS if failure is None else failure.state
        reason, log = ("", "") if failure is None else (failure.reason, failure.log)
        seconds = time.monotonic() - started
        outcome = self.session.outcome(test, state, seconds, reason=reason, log=log)
        self.outcomes.append(outcome)
        if failure is not None:
            self._failed[name] = f"{name}: {outcome.reason}"

    def prepare(self) -> None:
        """Make what the first program would make anyway."""
        request = self.session.runner.prepare(self.sandbox, timeout=self.seconds)
        if request is not None:
            self._run(request)

    def install(self, installer: Path) -> None:
        """Install a release with its installer."""
        self._demand(self.session.runner.install(self.sandbox, installer, timeout=self.seconds))

    def maintain(self, installer: Path, verb: InstallerVerb) -> None:
        """Change the release that is installed, with an installer."""
        self._demand(self.session.runner.maintain(self.sandbox, installer, verb, timeout=self.seconds))

    def administer(self, verb: str) -> None:
        """Run a verb of the installed release's own command."""
        self._demand(self._administration(verb))

    def succeeds(self, verb: str) -> bool:
        """Whether a verb of the installed release's own command exits with 0."""
        return self._run(self._administration(verb)).ok

    def _administration(self, verb: str) -> Request:
        name = f"{self.session.plan.administered}-admin"
        return self.session.runner.administer(self.sandbox, name, verb, timeout=self.seconds)

    def _demand(self, request: Request) -> None:
        completed = self._run(request)
        if not completed.ok:
            state, reason = how_it_ended(completed)
            limit = self.session.runner.limitation(completed)
            if limit is not None and state is OutcomeState.FAIL:
                state, reason = OutcomeState.NOT_SUPPORTED, limit
            raise StepFailedError(reason, log=transcript(completed), state=state)

    def _run(self, request: Request) -> Completed:
        if self.session.stop.is_set():
            raise CancelledError
        try:
            return process.run(replace(request, most_output=MOST_OUTPUT))
        except ToolMissingError as error:
            raise StepFailedError(error.message, log=error.message) from error

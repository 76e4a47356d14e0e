"""The tests of the suite ``smoke`` about the installer: it installs, and verifies itself and the prefix.

They run before any program of the packages does, so that what they see is what the installer wrote.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from cuvee import process
from cuvee.errors import ToolMissingError
from cuvee.integration.model import PlannedTest, installer_test
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.test_session import TestSession, describe_exit, last_line, transcript
from cuvee.process import Completed, Request

INSTALL_SECONDS = 900.0


def install_copy(session: TestSession, installer: Path, copy: Path) -> TestOutcome:
    """Install the release with a copy of its installer, which is made here."""
    try:
        shutil.copyfile(installer, copy)
    except OSError as error:
        copy.unlink(missing_ok=True)
        reason = f"the installer cannot be copied to {copy.parent}: {error.strerror}"
        return session.outcome(installer_test("install"), OutcomeState.INFRA_ERROR, 0, reason=reason)
    return install(session, copy)


def install(session: TestSession, installer: Path) -> TestOutcome:
    """Install the release silently. That it fails counts against the release; a missing tool does not."""
    test = installer_test("install")
    try:
        completed = process.run(session.runner.install(session.sandbox, installer, timeout=INSTALL_SECONDS))
    except ToolMissingError as error:
        return session.outcome(test, OutcomeState.INFRA_ERROR, 0, reason=error.message, log=error.message)
    outcome = _outcome(session, test, completed)
    python = session.runner.program(session.sandbox, "python")
    if outcome.state is OutcomeState.PASS and not python.exists():
        reason = "the installer succeeded, but the prefix has no interpreter"
        log = transcript(completed)
        return session.outcome(test, OutcomeState.FAIL, completed.seconds, reason=reason, log=log)
    return outcome


def verify(session: TestSession, installer: Path) -> Iterator[TestOutcome]:
    """Yield whether the prefix is what was released, and whether the installer's parts have their hashes."""
    runner, sandbox, admin = session.runner, session.sandbox, session.plan.administered
    if admin and session.plan.smoke:
        request = runner.administer(sandbox, f"{admin}-admin", "verify", timeout=INSTALL_SECONDS)
        yield _answer(session, "verify", request)
        yield _answer(session, "check", runner.check(sandbox, installer, timeout=INSTALL_SECONDS))


def how_it_ended(completed: Completed) -> tuple[OutcomeState, str]:
    """Return what a program that installs or administers has shown, and the reason if it did not succeed."""
    if completed.timed_out:
        return OutcomeState.TIMEOUT, f"took longer than {completed.request.timeout:g} s"
    if completed.ok:
        return OutcomeState.PASS, ""
    said = last_line(completed.stderr) or last_line(completed.stdout)
    return OutcomeState.FAIL, f"{describe_exit(completed)}: {said}".rstrip(": ")


def _answer(session: TestSession, name: str, request: Request) -> TestOutcome:
    test = installer_test(name)
    try:
        completed = process.run(request)
    except ToolMissingError as error:
        return session.outcome(test, OutcomeState.FAIL, 0, reason=error.message, log=error.message)
    return _outcome(session, test, completed)


def _outcome(session: TestSession, test: PlannedTest, completed: Completed) -> TestOutcome:
    state, reason = how_it_ended(completed)
    return session.outcome(test, state, completed.seconds, reason=reason, log=transcript(completed))

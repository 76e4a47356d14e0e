"""The tests of the suite ``smoke`` about the installer: it installs, and verifies itself and the prefix.

They run before any program of the packages does, so that what they see is what the installer wrote.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from cuvee import process
from cuvee.errors import ToolMissingError
from cuvee.integration.model import installer_test
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.test_session import TestSession, describe_exit, last_line, transcript
from cuvee.process import Request

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
    state = OutcomeState.FAIL
    if completed.timed_out:
        state, reason = OutcomeState.TIMEOUT, f"took longer than {INSTALL_SECONDS:g} s"
    elif not completed.ok:
        reason = f"{describe_exit(completed)}: {last_line(completed.stderr)}"
    elif not session.runner.program(session.sandbox, "python").exists():
        reason = "the installer succeeded, but the prefix has no interpreter"
    else:
        state, reason = OutcomeState.PASS, ""
    return session.outcome(test, state, completed.seconds, reason=reason, log=transcript(completed))


def verify(session: TestSession, installer: Path) -> Iterator[TestOutcome]:
    """Yield whether the prefix is what was released, and whether the installer's parts have their hashes."""
    runner, sandbox, admin = session.runner, session.sandbox, session.plan.administered
    if admin and session.plan.smoke:
        request = runner.administer(sandbox, f"{admin}-admin", "verify", timeout=INSTALL_SECONDS)
        yield _answer(session, "verify", request)
        yield _answer(session, "check", runner.check(sandbox, installer, timeout=INSTALL_SECONDS))


def _answer(session: TestSession, name: str, request: Request) -> TestOutcome:
    test = installer_test(name)
    try:
        completed = process.run(request)
    except ToolMissingError as error:
        return session.outcome(test, OutcomeState.FAIL, 0, reason=error.message, log=error.message)
    if completed.ok:
        return session.outcome(test, OutcomeState.PASS, completed.seconds)
    said = last_line(completed.stderr) or last_line(completed.stdout)
    state = OutcomeState.TIMEOUT if completed.timed_out else OutcomeState.FAIL
    reason = f"{describe_exit(completed)}: {said}".rstrip(": ")
    return session.outcome(test, state, completed.seconds, reason=reason, log=transcript(completed))

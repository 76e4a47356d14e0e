"""The tests of the suite ``smoke`` about the installer: it installs, and verifies itself and the prefix.

They run before any program of the packages does, so that what they see is what the installer wrote.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from cuvee import process
from cuvee.errors import ToolMissingError
from cuvee.integration.model import VERIFY_AFTER, PlannedTest, installer_test
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.test_session import TestSession, describe_exit, last_line, transcript
from cuvee.process import Completed, Request

INSTALL_SECONDS = 900.0
_DIFFERENCE = re.compile(r"(?:changed|missing|mode changed|extra): (.+)")
"""A line of the verb ``verify`` about a file that is not as it was released."""


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
        seconds = completed.request.allowed or completed.request.timeout
        return OutcomeState.TIMEOUT, f"took longer than {seconds:g} s"
    if completed.ok:
        return OutcomeState.PASS, ""
    said = last_line(completed.stderr) or last_line(completed.stdout)
    return OutcomeState.FAIL, f"{describe_exit(completed)}: {said}".rstrip(": ")


def verify_after(session: TestSession, known: frozenset[str]) -> TestOutcome:
    """Return whether the prefix is still what was released, but for ``known`` paths that tests have changed.

    Those are outcomes of these tests, and so is the byte code of such a source.
    """
    runner, sandbox, test = session.runner, session.sandbox, installer_test(VERIFY_AFTER)
    request = runner.administer(
        sandbox, f"{session.plan.administered}-admin", "verify", timeout=INSTALL_SECONDS
    )
    try:
        completed = process.run(request)
    except ToolMissingError as error:
        return session.outcome(test, OutcomeState.FAIL, 0, reason=error.message, log=error.message)
    found = [match for match in map(_DIFFERENCE.fullmatch, completed.stdout.splitlines()) if match]
    strange = [match[0] for match in found if not known & {match[1], _source(match[1])}]
    if completed.ok or (found and not strange and not completed.timed_out):
        reason = "" if completed.ok else "tests have left behind what differs; each has an outcome of its own"
        return session.outcome(test, OutcomeState.PASS, completed.seconds, reason=reason)
    state = OutcomeState.TIMEOUT if completed.timed_out else OutcomeState.FAIL
    said = strange[0] if strange else last_line(completed.stderr) or last_line(completed.stdout)
    reason = f"after the tests: {said}"
    return session.outcome(test, state, completed.seconds, reason=reason, log=transcript(completed))


def _source(path: str) -> str:
    """Return the path of the source that byte code is made from; other paths as they are."""
    folder, _, name = path.rpartition("/__pycache__/")
    return f"{folder}/{name.partition('.')[0]}.py" if folder and name.endswith(".pyc") else path


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

"""The tests of the suite ``smoke`` that start the commands of Python packages."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from cuvee.integration.installed_environment import InstalledEnvironment
from cuvee.integration.model import CommandRule, PackagePlan, PlannedTest, smoke_test
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.runners.protocol import Command
from cuvee.integration.test_session import TestSession, describe_exit, last_line, transcript
from cuvee.process import Completed

_USUAL = (("--help",), ("--version",))
# ELF; Mach-O, both orders, 32 and 64 bits, and fat; PE
_STARTABLE = (
    b"#!", b"\x7fELF", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"MZ",
)  # fmt: skip
_LONGEST_COMPLETER = 100_000
_WITH_EXTRAS = re.compile(r"([A-Za-z0-9][\w.-]*)\[([\w.,\s-]+)\]")


def run_command(
    session: TestSession, package: PackagePlan, command: str, installed: InstalledEnvironment
) -> TestOutcome:
    """Start a command, and return whether it answers in one of the ways that count."""
    test = smoke_test(f"command:{command}", package.name)
    rule = session.plan.rule(command)
    if rule.skip:
        return session.outcome(test, OutcomeState.SKIPPED, 0, reason=rule.skip)
    program = session.runner.program(session.sandbox, command)
    reason = _not_a_program(session, program, command, installed)
    if reason:
        return session.outcome(test, OutcomeState.NOT_SUPPORTED, 0, reason=reason)
    if not program.exists():
        return session.outcome(test, OutcomeState.FAIL, 0, reason=f"{command} was not installed")
    attempts: list[Completed] = []
    for arguments, environment in _ways(rule, package, command, program):
        if attempts and attempts[-1].timed_out and arguments in _USUAL:
            continue  # what does not end with --help does not end with --version
        attempt = Command(
            program=command,
            arguments=arguments,
            cwd=session.folder(test.test),
            timeout=session.timeout,
            environment=environment,
        )
        completed = session.run(attempt)
        attempts.append(completed)
        accepted = rule.accepts(completed.exit_code, completed.stdout + completed.stderr)
        if accepted and not completed.timed_out:
            return session.outcome(test, OutcomeState.PASS, sum(attempt.seconds for attempt in attempts))
    extra = _missing_extra(package, command, attempts, installed)
    if extra:
        return failed(session, test, attempts, extra, OutcomeState.NOT_SUPPORTED)
    reason = f"{' '.join(arguments)}: {describe_exit(completed)}: {last_line(completed.stderr)}".rstrip(": ")
    return failed(session, test, attempts, reason)


def _ways(
    rule: CommandRule, package: PackagePlan, command: str, program: Path
) -> Iterator[tuple[tuple[str, ...], Mapping[str, str]]]:
    """Yield arguments and variables for a command: a rule's, else the usual and the documented ones.

    A script that completes commands for a shell is called as bash does:
    https://www.gnu.org/software/bash/manual/html_node/Programmable-Completion.html.
    """
    if rule.arguments is not None:
        yield rule.arguments, {}
        return
    documented = (way for way in package.usages.get(command, ()) if way not in _USUAL)
    yield from ((arguments, {}) for arguments in (*_USUAL, *documented))
    with program.open("rb") as file:
        content = file.read(_LONGEST_COMPLETER)
    if content.startswith(b"#!") and b"COMP_LINE" in content:
        line = f"{command} "
        yield (command, "", command), {"COMP_LINE": line, "COMP_POINT": str(len(line))}


def _not_a_program(session: TestSession, program: Path, command: str, installed: InstalledEnvironment) -> str:
    """Return why no system would start a file that is installed among programs; the empty text if one would.

    An entry point is always a program: installers write it.
    """
    if command in installed.scripts:
        return ""
    if program.suffix == ".exe" and not program.exists():
        elsewhere = (program.with_suffix(""), session.sandbox.prefix / "bin" / command)
        if any(path.exists() for path in elsewhere):
            return "it is a script without a launcher, so Windows cannot start it"
    if program.is_file():
        with program.open("rb") as file:
            first = file.read(4)
        if not first.startswith(_STARTABLE):
            return "it has no #! line, so that no system starts it; shells read such files"
    return ""


def _missing_extra(
    package: PackagePlan, command: str, attempts: Sequence[Completed], installed: InstalledEnvironment
) -> str:
    """Return which extra a command needs that the release was not asked for; the empty text if none.

    Its entry point names the extra, or what it prints does: ``pip install 'httpx[cli]'``. The extra must need
    something that is not installed: else the failure has another cause.
    """
    stated = list(installed.scripts.get(command, ()))
    text = "\n".join(completed.stdout + completed.stderr for completed in attempts)
    for match in _WITH_EXTRAS.finditer(text):
        name = str(canonicalize_name(match[1]))
        if name in package.distributions:
            stated += [(name, extra.strip()) for extra in match[2].split(",")]
    for name, extra in dict.fromkeys(stated):
        missing = next(installed.unmet_of_extra(name, extra), "")
        if missing:
            return f"it belongs to the extra {name}[{extra}], which needs {missing}"
    return ""


def failed(
    session: TestSession,
    test: PlannedTest,
    attempts: Sequence[Completed],
    reason: str,
    state: OutcomeState = OutcomeState.FAIL,
) -> TestOutcome:
    """Return the outcome of a program that did not do what it should, unless a limit of the runner is why."""
    if state is OutcomeState.FAIL:
        state = OutcomeState.TIMEOUT if attempts[-1].timed_out else state
        limit = next(filter(None, map(session.runner.limitation, attempts)), None)
        if limit is not None and state is OutcomeState.FAIL:
            state, reason = OutcomeState.NOT_SUPPORTED, limit
    seconds = sum(attempt.seconds for attempt in attempts)
    return session.outcome(test, state, seconds, reason=reason, log="\n".join(map(transcript, attempts)))

"""The suite ``smoke``: each package imports, its commands answer, and the installed metadata agree."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from packaging.markers import InvalidMarker, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from cuvee.channel.wheels.lenient_requirements import lenient_requirement
from cuvee.codec import decode
from cuvee.integration.model import PackagePlan, PlannedTest, smoke_test
from cuvee.integration.outcome_rules import after_retry
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.runners.protocol import Command
from cuvee.integration.test_session import Job, TestSession, describe_exit, last_line, transcript
from cuvee.process import Completed

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledDistribution:
    """A Python distribution as the interpreter finds it.

    ``missing`` lists absent files of its RECORD; `None` when it has none.
    """

    name: str | None
    version: str
    requires: tuple[str, ...] = ()
    missing: tuple[str, ...] | None = ()


@dataclass(frozen=True, kw_only=True)
class InstalledEnvironment:
    """What ``inside/describe_environment.py`` prints.

    ``path`` is ``sys.path``; ``markers`` are the values of environment markers:
    https://packaging.python.org/en/latest/specifications/dependency-specifiers.
    """

    prefix: str
    base_prefix: str
    path: tuple[str, ...]
    markers: Mapping[str, str]
    distributions: tuple[InstalledDistribution, ...]

    @cached_property
    def by_name(self) -> Mapping[str, InstalledDistribution]:
        """The distributions by normalised name; the first one on ``sys.path`` is the one that is imported."""
        return {canonicalize_name(found.name): found for found in reversed(self.distributions) if found.name}


def describe(session: TestSession) -> tuple[TestOutcome, InstalledEnvironment | None]:
    """Start the release's interpreter and return what is installed; `None` when it does not say."""
    test = smoke_test("interpreter", "python")
    completed = session.run_script("describe_environment.py", cwd=session.folder("describe"))
    log = transcript(completed)
    if not completed.ok:
        state = OutcomeState.TIMEOUT if completed.timed_out else OutcomeState.FAIL
        reason = f"the interpreter does not start: {last_line(completed.stderr) or describe_exit(completed)}"
        return session.outcome(test, state, completed.seconds, reason=reason, log=log), None
    try:
        installed = decode(InstalledEnvironment, json.loads(completed.stdout))
    except ValueError as error:
        reason = f"the interpreter's answer cannot be read: {error}"
        return session.outcome(test, OutcomeState.FAIL, completed.seconds, reason=reason, log=log), None
    expected = session.runner.guest_path(session.sandbox.prefix)
    own = (expected, installed.base_prefix)
    outside = [entry for entry in installed.path if entry and not entry.startswith(own)]
    if installed.prefix != expected or outside:
        reason = f"it is not in its prefix: sys.prefix is {installed.prefix}, and sys.path has {outside}"
        return session.outcome(test, OutcomeState.FAIL, completed.seconds, reason=reason, log=log), installed
    return session.outcome(test, OutcomeState.PASS, completed.seconds), installed


def jobs(session: TestSession, installed: InstalledEnvironment) -> Iterator[Job]:
    """Yield the suite's jobs: imports, commands and metadata of each package."""
    for package in session.plan.packages:
        if package.imports:
            yield partial(_twice, partial(_imports, session, package))
        for command in package.commands:
            yield partial(_twice, partial(_command, session, package, command))
        if package.distributions:
            yield partial(_metadata, session, package, installed)


def _twice(attempt: "partial[TestOutcome]") -> Sequence[TestOutcome]:
    outcome = attempt()
    return [after_retry(outcome, attempt()) if outcome.state is OutcomeState.FAIL else outcome]


def _imports(session: TestSession, package: PackagePlan) -> TestOutcome:
    test = smoke_test(f"import:{package.name}", package.name)
    completed = session.run_script("import_modules.py", *package.imports, cwd=session.folder(test.test))
    if completed.ok:
        return session.outcome(test, OutcomeState.PASS, completed.seconds)
    reason = last_line(completed.stdout) or describe_exit(completed)
    if completed.timed_out:
        reason = f"took longer than {session.timeout:g} s"
    return _failed(session, test, [completed], reason)


def _command(session: TestSession, package: PackagePlan, command: str) -> TestOutcome:
    test = smoke_test(f"command:{command}", package.name)
    rule = session.plan.rule(command)
    if rule.skip:
        return session.outcome(test, OutcomeState.SKIPPED, 0, reason=rule.skip)
    program = session.runner.program(session.sandbox, command)
    if program.suffix == ".exe" and not program.exists() and program.with_suffix("").exists():
        reason = "it is a script without a launcher, so Windows cannot start it"
        return session.outcome(test, OutcomeState.NOT_SUPPORTED, 0, reason=reason)
    if not program.exists():
        return session.outcome(test, OutcomeState.FAIL, 0, reason=f"{command} was not installed")
    attempts: list[Completed] = []
    usual = (("--help",), ("--version",))
    for arguments in usual if rule.arguments is None else (rule.arguments,):
        attempt = Command(
            program=command, arguments=arguments, cwd=session.folder(test.test), timeout=session.timeout
        )
        completed = session.run(attempt)
        attempts.append(completed)
        accepted = rule.accepts(completed.exit_code, completed.stdout + completed.stderr)
        if completed.timed_out or accepted:
            break
    if accepted and not completed.timed_out:
        return session.outcome(test, OutcomeState.PASS, sum(attempt.seconds for attempt in attempts))
    reason = f"{' '.join(arguments)}: {describe_exit(completed)}: {last_line(completed.stderr)}".rstrip(": ")
    return _failed(session, test, attempts, reason)


def _failed(
    session: TestSession, test: PlannedTest, attempts: Sequence[Completed], reason: str
) -> TestOutcome:
    """Return the outcome of a failed program: its own failure, a timeout, or a limit of the runner."""
    state = OutcomeState.TIMEOUT if attempts[-1].timed_out else OutcomeState.FAIL
    limit = next(filter(None, map(session.runner.limitation, attempts)), None)
    if limit is not None and state is OutcomeState.FAIL:
        state, reason = OutcomeState.NOT_SUPPORTED, limit
    seconds = sum(attempt.seconds for attempt in attempts)
    return session.outcome(test, state, seconds, reason=reason, log="\n".join(map(transcript, attempts)))


def _metadata(
    session: TestSession, package: PackagePlan, installed: InstalledEnvironment
) -> Sequence[TestOutcome]:
    problems = list(metadata_problems(package, installed))
    test = smoke_test(f"metadata:{package.name}", package.name)
    if not problems:
        return [session.outcome(test, OutcomeState.PASS, 0)]
    log = "\n".join(problems) + "\n"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return [session.outcome(test, OutcomeState.FAIL, 0, reason=problems[0] + more, log=log)]


def metadata_problems(package: PackagePlan, installed: InstalledEnvironment) -> Iterator[str]:
    """Yield where the installed metadata of a package contradict the lock, themselves or other packages."""
    main = canonicalize_name(package.name)
    for name in package.distributions:
        distribution = installed.by_name.get(name)
        if distribution is None:
            yield f"the distribution {name} is not installed"
            continue
        is_main = name == main or len(package.distributions) == 1
        if is_main and not same_version(distribution.version, package.version):
            yield f"{name} says it is {distribution.version}, but {package.version} is locked"
        for text in distribution.requires:
            problem = _unsatisfied(text, installed)
            if problem:
                yield f"{name} requires {problem}"
        if distribution.missing:
            shown = ", ".join(distribution.missing[:_SHOWN])
            yield f"{len(distribution.missing)} files of {name} are missing: {shown}"


def same_version(python: str, conda: str) -> bool:
    """Whether a version of Python packaging (https://peps.python.org/pep-0440/) equals a conda version.

    conda writes ``_`` where ``-`` separates a build, and keeps ``1!2.0+cpu``.
    """
    try:
        return Version(python) == Version(conda.replace("_", "-"))
    except InvalidVersion:
        return python.replace("-", "_") == conda.replace("-", "_")


def _unsatisfied(text: str, installed: InstalledEnvironment) -> str:
    try:
        requirement, _ = lenient_requirement(text)
        if requirement.marker and not requirement.marker.evaluate({**installed.markers, "extra": ""}):
            return ""
    except (InvalidRequirement, InvalidMarker, UndefinedEnvironmentName) as error:
        return f"{text!r}, which cannot be parsed: {error}"
    found = installed.by_name.get(canonicalize_name(requirement.name))
    if found is None:
        return f"{text}, which is not installed"
    try:
        fits = requirement.specifier.contains(found.version, prereleases=True)
    except InvalidVersion:
        fits = False
    return "" if fits else f"{text}, but {found.version} is installed"

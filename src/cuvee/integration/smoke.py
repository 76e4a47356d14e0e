"""The suite ``smoke``: each package imports, its commands answer, and the installed metadata agree."""

import re
from collections.abc import Iterator, Sequence
from functools import partial

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from cuvee.codec import decode
from cuvee.files import parse_json
from cuvee.integration.command_tests import failed, run_command
from cuvee.integration.installation_tests import INSTALL_SECONDS
from cuvee.integration.installed_environment import InstalledEnvironment
from cuvee.integration.model import SMOKE, PackagePlan, smoke_test
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.repeat_budget import after_repeat, not_repeated
from cuvee.integration.test_session import Job, TestSession, describe_exit, last_line, transcript

_SHOWN = 5
_MISSING_MODULE = re.compile(r"ModuleNotFoundError: No module named '([^'.]+)")


def describe(session: TestSession) -> tuple[TestOutcome, InstalledEnvironment | None]:
    """Start the release's interpreter and return what is installed; `None` when it does not say."""
    test = smoke_test("interpreter", "python")
    # Nothing runs without its answer, and it is the first program: on a busy machine, Wine takes minutes.
    seconds = max(session.timeout, INSTALL_SECONDS)
    completed = session.run_script("describe_environment.py", cwd=session.folder("describe"), timeout=seconds)
    log = transcript(completed)
    if not completed.ok:
        state = OutcomeState.TIMEOUT if completed.timed_out else OutcomeState.FAIL
        reason = f"the interpreter does not start: {last_line(completed.stderr) or describe_exit(completed)}"
        return session.outcome(test, state, completed.seconds, reason=reason, log=log), None
    try:
        installed = decode(InstalledEnvironment, parse_json(completed.stdout))
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
            imports = partial(_imports, session, package, installed)
            yield Job(unit=f"{SMOKE}/import:{package.name}", run=partial(_repeated, session, imports))
        for command in package.commands:
            start = partial(run_command, session, package, command, installed)
            yield Job(unit=f"{SMOKE}/command:{command}", run=partial(_repeated, session, start))
        if package.distributions:
            compare = partial(_metadata, session, package, installed)
            yield Job(unit=f"{SMOKE}/metadata:{package.name}", run=compare)


def _repeated(session: TestSession, attempt: "partial[TestOutcome]") -> Sequence[TestOutcome]:
    outcome = attempt()
    if outcome.state is not OutcomeState.FAIL:
        return [outcome]
    again = session.repeats.take([outcome])
    return [after_repeat(outcome, attempt()) if again else not_repeated(outcome)]


def _imports(session: TestSession, package: PackagePlan, installed: InstalledEnvironment) -> TestOutcome:
    test = smoke_test(f"import:{package.name}", package.name)
    completed = session.run_script("import_modules.py", *package.imports, cwd=session.folder(test.test))
    if completed.ok:
        return session.outcome(test, OutcomeState.PASS, completed.seconds)
    reason = last_line(completed.stdout) or describe_exit(completed)
    if completed.timed_out:
        reason = f"took longer than {session.timeout:g} s"
    absent = _MISSING_MODULE.search(completed.stdout)
    needed = canonicalize_name(absent[1]) if absent else ""
    if needed in package.test_needs and needed not in installed.by_name:
        reason = f"its own test of this needs {needed}, which the release lacks"
        return failed(session, test, [completed], reason, OutcomeState.NOT_SUPPORTED)
    return failed(session, test, [completed], reason)


def _metadata(
    session: TestSession, package: PackagePlan, installed: InstalledEnvironment
) -> Sequence[TestOutcome]:
    test = smoke_test(f"metadata:{package.name}", package.name)
    problems = list(metadata_problems(package, installed))
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
            problem = installed.unmet(text)
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

"""The suite ``smoke``: each package imports, its commands answer, and the installed metadata agree."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from packaging.markers import InvalidMarker, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from cuvee.integration.bench import Bench, Job, ending, last_line, transcript
from cuvee.integration.outcomes import State, TestOutcome
from cuvee.integration.plan import SMOKE, PackagePlan, PlannedTest
from cuvee.integration.runners import Command
from cuvee.integration.verdicts import after_retry
from cuvee.process import Completed

_INSIDE = Path(__file__).parent / "inside"
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A Python distribution as the release sees it. ``missing`` lists absent files of its RECORD."""

    name: str
    version: str
    requires: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What the interpreter says of itself: PEP 508 markers, and distributions by normalised name."""

    markers: Mapping[str, str]
    distributions: Mapping[str, Distribution]


def look(bench: Bench) -> tuple[TestOutcome, Installed | None]:
    """Start the release's interpreter and ask what is installed; `None` when it can not say."""
    test = _test("interpreter", "python")
    command = Command(
        program="python",
        arguments=("-I", _INSIDE / "look.py"),
        cwd=bench.folder("look"),
        timeout=bench.timeout,
    )
    completed = bench.run(command)
    state = State.TIMEOUT if completed.timed_out else State.FAIL
    if not completed.ok:
        reason = f"the interpreter does not start: {last_line(completed.stderr) or ending(completed)}"
        return bench.outcome(test, state, completed.seconds, reason=reason, log=transcript(completed)), None
    try:
        data = json.loads(completed.stdout)
        installed = _parse(data)
    except (ValueError, KeyError, TypeError) as error:
        reason = f"the interpreter's answer can not be read: {error}"
        return bench.outcome(test, state, completed.seconds, reason=reason, log=transcript(completed)), None
    expected = bench.runner.spell(bench.place.prefix)
    own = (expected, data["base_prefix"])
    strangers = [place for place in data["path"] if place and not place.startswith(own)]
    if data["prefix"] != expected or strangers:
        reason = (
            f"it does not live in its prefix: sys.prefix is {data['prefix']}, and sys.path has {strangers}"
        )
        return bench.outcome(
            test, State.FAIL, completed.seconds, reason=reason, log=transcript(completed)
        ), installed
    return bench.outcome(test, State.PASS, completed.seconds), installed


def jobs(bench: Bench, installed: Installed) -> Iterator[Job]:
    """Give the suite's pieces, one per package and question."""
    for package in bench.plan.packages:
        if package.imports:
            yield partial(_twice, partial(_imports, bench, package))
        for command in package.commands:
            yield partial(_twice, partial(_command, bench, package, command))
        if package.distributions:
            yield partial(_metadata, bench, package, installed)


def _test(test: str, package: str) -> PlannedTest:
    return PlannedTest(suite=SMOKE, test=test, package=package, packages=(package,))


def _twice(attempt: "partial[TestOutcome]") -> Sequence[TestOutcome]:
    outcome = attempt()
    return [after_retry(outcome, attempt()) if outcome.state is State.FAIL else outcome]


def _imports(bench: Bench, package: PackagePlan) -> TestOutcome:
    test = _test(f"import:{package.name}", package.name)
    command = Command(
        program="python",
        arguments=("-I", _INSIDE / "imports.py", *package.imports),
        cwd=bench.folder(test.test),
        timeout=bench.timeout,
    )
    completed = bench.run(command)
    return _judged(bench, test, completed, reason=last_line(completed.stdout))


def _command(bench: Bench, package: PackagePlan, command: str) -> TestOutcome:
    test = _test(f"command:{command}", package.name)
    rule = bench.plan.rule(command)
    if rule.skip:
        return bench.outcome(test, State.SKIPPED, 0, reason=rule.skip)
    program = bench.runner.program(bench.place, command)
    if program.suffix == ".exe" and not program.exists() and program.with_suffix("").exists():
        reason = "it is a script without a program beside it, which Windows can not start"
        return bench.outcome(test, State.NOT_SUPPORTED, 0, reason=reason)
    if not program.exists():
        return bench.outcome(test, State.FAIL, 0, reason=f"{command} was not installed")
    attempts: list[Completed] = []
    custom = (("--help",), ("--version",))
    for arguments in custom if rule.arguments is None else (rule.arguments,):
        asked = Command(
            program=command, arguments=arguments, cwd=bench.folder(test.test), timeout=bench.timeout
        )
        completed = bench.run(asked)
        attempts.append(completed)
        accepted = rule.accepts(completed.exit_code, completed.stdout + completed.stderr)
        if completed.timed_out or accepted:
            break
    seconds = sum(attempt.seconds for attempt in attempts)
    if accepted and not completed.timed_out:
        return bench.outcome(test, State.PASS, seconds)
    reason = f"{' '.join(arguments)}: {ending(completed)}: {last_line(completed.stderr)}".rstrip(": ")
    state, reason = _fate(bench, attempts, reason)
    return bench.outcome(test, state, seconds, reason=reason, log="\n".join(map(transcript, attempts)))


def _fate(bench: Bench, attempts: Sequence[Completed], reason: str) -> tuple[State, str]:
    """Say what a program's failure is, and why: its own, for want of time, or for want of a better runner."""
    if attempts[-1].timed_out:
        return State.TIMEOUT, reason
    limit = next(filter(None, map(bench.runner.limit, attempts)), None)
    return (State.FAIL, reason) if limit is None else (State.NOT_SUPPORTED, limit)


def _judged(bench: Bench, test: PlannedTest, completed: Completed, *, reason: str) -> TestOutcome:
    if completed.ok:
        return bench.outcome(test, State.PASS, completed.seconds)
    if completed.timed_out:
        reason = f"took longer than {bench.timeout:g} s"
    state, reason = _fate(bench, [completed], reason or ending(completed))
    return bench.outcome(test, state, completed.seconds, reason=reason, log=transcript(completed))


def _metadata(bench: Bench, package: PackagePlan, installed: Installed) -> Sequence[TestOutcome]:
    problems = list(metadata_problems(package, installed))
    test = _test(f"metadata:{package.name}", package.name)
    if not problems:
        return [bench.outcome(test, State.PASS, 0)]
    log = "\n".join(problems) + "\n"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return [bench.outcome(test, State.FAIL, 0, reason=problems[0] + more, log=log)]


def metadata_problems(package: PackagePlan, installed: Installed) -> Iterator[str]:
    """Say where the installed metadata of a package contradict its lock, themselves or the other packages."""
    main = canonicalize_name(package.name)
    for name in package.distributions:
        distribution = installed.distributions.get(name)
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
    """Whether a PEP 440 version and a conda version mean the same.

    conda keeps ``_`` where ``-`` is reserved, and takes ``1!2.0+cpu`` as it is.
    """
    try:
        return Version(python) == Version(conda.replace("_", "-"))
    except InvalidVersion:
        return python.replace("-", "_") == conda.replace("-", "_")


def _unsatisfied(text: str, installed: Installed) -> str:
    try:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({**installed.markers, "extra": ""}):
            return ""
    except (InvalidRequirement, InvalidMarker, UndefinedEnvironmentName) as error:
        return f"what can not be read: {text!r} ({error})"
    found = installed.distributions.get(canonicalize_name(requirement.name))
    if found is None:
        return f"{text}, which is not installed"
    try:
        fits = requirement.specifier.contains(found.version, prereleases=True)
    except InvalidVersion:
        fits = False
    return "" if fits else f"{text}, but {found.version} is installed"


def _parse(data: Any) -> Installed:
    distributions: dict[str, Distribution] = {
        canonicalize_name(entry["name"]): Distribution(
            name=entry["name"],
            version=entry["version"],
            requires=tuple(entry["requires"]),
            missing=tuple(entry["missing"] or ()),
        )
        # The first one on sys.path is the one that is imported.
        for entry in reversed(data["distributions"])
        if entry["name"]
    }
    return Installed(
        markers={str(key): str(value) for key, value in data["markers"].items()}, distributions=distributions
    )

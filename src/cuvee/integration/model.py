"""Plans: what is to be tested on one platform, known before anything is installed."""

import datetime as dt
import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cuvee.files import fingerprint, sha256_file
from cuvee.manifest.model import Waiver

SMOKE = "smoke"
"""The suite that needs no files: it follows from what the packages say of themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePlan:
    """What the smoke suite asks of one package.

    Attributes
    ----------
    name, version
        The conda package's.
    imports
        Modules that must import, as the package's own test metadata says.
    commands
        Programs of a Python package that must answer ``--help``, without ``.exe``.
    distributions
        Normalised names of the Python distributions whose metadata it installs.
    """

    name: str
    version: str
    imports: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    distributions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTest:
    """One test, as far as it is known before the run.

    Attributes
    ----------
    unsupported
        Why this release can not run it, or the empty text.
    """

    suite: str
    test: str
    package: str | None = None
    packages: tuple[str, ...] = ()
    unsupported: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PytestTarget:
    """What one pytest process runs: a file of our own, or modules that a package ships.

    Attributes
    ----------
    file
        Relative to the suite's folder, or `None`.
    modules
        Import names of test modules.
    arguments
        More of pytest's options, such as ``("-k", "not slow")``.
    tests
        The tests that are known to be in it; one per module for shipped modules.
    """

    name: str
    file: str | None = None
    modules: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    package: str | None = None
    tests: tuple[PlannedTest, ...]

    @property
    def supported(self) -> bool:
        """Whether this release can run any of it."""
        return any(not test.unsupported for test in self.tests)


@dataclass(frozen=True, slots=True, kw_only=True)
class PytestSuite:
    """A suite that the release's own pytest runs. ``folder`` holds its files, if it has any."""

    name: str
    folder: Path | None = None
    targets: tuple[PytestTarget, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRule:
    """How to ask a command that does not follow the custom: with other arguments, or not at all.

    Attributes
    ----------
    arguments
        Asked instead of ``--help``, then ``--version``; `None` for the custom.
    exit_codes, says
        What counts as an answer: one of these codes, and this text in what it prints.
    skip
        Why not to ask it.
    """

    command: str
    arguments: tuple[str, ...] | None = None
    exit_codes: tuple[int, ...] = (0,)
    says: str = ""
    skip: str = ""

    def accepts(self, exit_code: int, output: str) -> bool:
        """Whether this is an answer."""
        return exit_code in self.exit_codes and self.says in output


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFailure:
    """A failure that is understood and accepted; ``suite`` and ``test`` are glob patterns.

    ``platforms`` empty means all.
    """

    suite: str
    test: str
    platforms: tuple[str, ...] = ()
    reason: str
    link: str | None = None
    until: dt.date | None = None

    def covers(self, suite: str, test: str, platform: str) -> bool:
        """Whether it speaks of this test there."""
        return (
            (not self.platforms or platform in self.platforms)
            and fnmatch.fnmatchcase(suite, self.suite)
            and (test == self.test or fnmatch.fnmatchcase(test, self.test))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is to be tested on one platform.

    Attributes
    ----------
    smoke
        Whether the smoke suite is asked for. The installation itself is always tested.
    known_failures, waivers
        Those that hold on the day of the run.
    """

    platform: str
    packages: tuple[PackagePlan, ...]
    smoke: bool = True
    suites: tuple[PytestSuite, ...] = ()
    command_rules: tuple[CommandRule, ...] = ()
    known_failures: tuple[KnownFailure, ...] = ()
    waivers: tuple[Waiver, ...] = field(default=(), repr=False)

    def rule(self, command: str) -> CommandRule:
        """Give the rule that speaks of ``command``."""
        for rule in self.command_rules:
            if fnmatch.fnmatchcase(command, rule.command):
                return rule
        return CommandRule(command=command)

    def tests(self) -> Iterator[PlannedTest]:
        """Give every test that is known beforehand, in the order of the results."""
        yield PlannedTest(suite=SMOKE, test="install")
        if self.smoke:
            yield PlannedTest(suite=SMOKE, test="interpreter", package="python", packages=("python",))
            for package in self.packages:
                yield from _smoke_tests(package)
        for suite in self.suites:
            for target in suite.targets:
                yield from target.tests

    def fingerprint(self) -> str:
        """Give a hash over all that the plan says, files of suites included, for cache keys."""
        files = [
            (str(path.relative_to(suite.folder)), sha256_file(path))
            for suite in self.suites
            if suite.folder is not None
            for path in suite_files(suite.folder)
        ]
        bare = [(suite.name, repr(suite.targets)) for suite in self.suites]
        rest = (self.platform, self.smoke, self.packages, self.command_rules, self.known_failures)
        waivers = [(w.check, w.package, w.platform, w.reason) for w in self.waivers]
        return fingerprint([repr(rest), bare, files, waivers])


def suite_files(folder: Path) -> list[Path]:
    """Give all files of a suite's folder but byte code, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _smoke_tests(package: PackagePlan) -> Iterator[PlannedTest]:
    tests = []
    if package.imports:
        tests.append(f"import:{package.name}")
    if package.distributions:
        tests.append(f"metadata:{package.name}")
    tests += [f"command:{command}" for command in package.commands]
    for test in tests:
        yield PlannedTest(suite=SMOKE, test=test, package=package.name, packages=(package.name,))

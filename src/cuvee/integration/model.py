"""Plans: what to test on one platform, known before anything is installed."""

import datetime as dt
import enum
import fnmatch
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from cuvee.conda.match_spec import read_spec
from cuvee.manifest.model import Waiver

_SPLIT_NAMES = ("", "-base", "-core")  # conda-forge's matplotlib-base is matplotlib without Qt

USUAL_DISK = 4_000_000_000
"""The bytes that one program of a suite may write, if its suite says nothing else."""

LEFT_BEHIND = "left-behind"
"""The last part of the name of the outcome of a target whose tests have changed the release's prefix."""

VERIFY_AFTER = "verify-after"
"""The test of the smoke suite that verifies the prefix once more, after all others."""

SMOKE = "smoke"
"""The suite that needs no files: it follows from the packages' own metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePlan:
    """What the smoke suite tests of one conda package.

    ``imports`` are modules, as the package's own test metadata says; ``commands`` the programs of a Python
    package, without ``.exe``; ``distributions`` the normalised names of those that it installs. The package's
    own tests say the rest: ``usages`` are arguments with which they start a command, and ``test_needs`` the
    normalised names of what they need besides.
    """

    name: str
    version: str
    imports: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    distributions: tuple[str, ...] = ()
    usages: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    test_needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTest:
    """One test, as far as it is known before the run.

    It cannot run without the packages ``needs``; ``unsupported`` says why this release cannot run it, and
    ``absent`` which file it lacks for that, and where to put it.
    """

    suite: str
    test: str
    package: str | None = None
    packages: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    unsupported: str = ""
    absent: str = ""


class SuiteKind(enum.Enum):
    """How the tests of a suite are run."""

    PYTEST = "pytest"
    UPSTREAM = "upstream"
    COMMAND = "command"
    NOTEBOOK = "notebook"
    LIFECYCLE = "lifecycle"
    PACKAGED = "packaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A part of a suite that runs by itself; ``tests`` are those that are known to be in it."""

    name: str
    tests: tuple[PlannedTest, ...]

    @property
    def supported(self) -> bool:
        """Whether this release can run any of it."""
        return any(not test.unsupported for test in self.tests)


@dataclass(frozen=True, slots=True, kw_only=True)
class PytestTarget(Target):
    """What one pytest process runs: a file of our own, or modules that a package ships.

    ``file`` is relative to the suite's folder; ``arguments`` are more of pytest's options. Shipped modules
    have one test each.
    """

    file: str | None = None
    modules: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    package: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTarget(Target):
    """A program of the release, or a Python ``script`` in the suite's folder, which it starts in a copy of.

    One of ``exit_codes``, and the text ``says`` in what it prints, count as passed. ``junit`` is the JUnit
    XML that it writes, relative to the folder; `None` if it writes none.
    """

    program: str = "python"
    script: str | None = None
    arguments: tuple[str, ...] = ()
    exit_codes: tuple[int, ...] = (0,)
    says: str = ""
    junit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookTarget(Target):
    """A notebook in the suite's folder; with ``compare`` its outputs must be those that are saved in it."""

    file: str
    compare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSuite:
    """Tests that run inside the installed release, as its folder describes them.

    Attributes
    ----------
    folder
        Its files, if it has any.
    owner
        One of the manifest's; empty if it has none.
    platforms
        Where it runs; empty means everywhere.
    timeout
        Seconds that one of its tests may take; `None` is the usual time.
    memory
        Bytes that the processes of one target may have together; `None` does not limit them.
    disk
        Bytes that they may write together.
    network
        Whether its tests need a network.
    packages
        Of the kind ``packaged``: the packages whose tests it runs; empty means all.
    needs
        The packages without which none of its tests runs.
    tools
        Match specs of what rides beside the release if that does not have it.
    """

    name: str
    kind: SuiteKind = SuiteKind.PYTEST
    title: str = ""
    owner: str = ""
    folder: Path | None = None
    platforms: tuple[str, ...] = ()
    timeout: float | None = None
    memory: int | None = None
    disk: int = USUAL_DISK
    network: bool = False
    packages: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()

    def for_packages(self, packages: Collection[str], platform: str | None = None) -> Self:
        """Return the suite for a release of ``packages``: what needs others is unsupported.

        So is all of it on a platform that it is not for.
        """
        elsewhere = ""
        if platform is not None and self.platforms and platform not in self.platforms:
            elsewhere = f"the suite is for {', '.join(self.platforms)}"

        packages = frozenset((*packages, *(read_spec(tool).name for tool in self.tools)))

        def planned(test: PlannedTest) -> PlannedTest:
            lacking = missing_reason(test.needs, packages)
            return replace(test, unsupported=elsewhere or lacking or test.unsupported)

        return replace(
            self,
            targets=tuple(
                replace(target, tests=tuple(map(planned, target.tests))) for target in self.targets
            ),
        )


def has_package(name: str, packages: Collection[str]) -> bool:
    """Whether a package is among others, also as the part of it that does the work."""
    return any(name + suffix in packages for suffix in _SPLIT_NAMES)


def missing_reason(needs: Collection[str], packages: Collection[str]) -> str:
    """Return which needed packages the release lacks, as a reason; the empty text when it has all."""
    lacking = [name for name in needs if not has_package(name, packages)]
    return f"the release has no {', '.join(lacking)}" if lacking else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRule:
    """How to start a command that answers neither ``--help`` nor ``--version``, or why not to.

    ``arguments`` are used instead of ``--help``, then ``--version``; `None` for these two. One of
    ``exit_codes``, and the text ``says`` in what it prints, count as an answer.
    """

    command: str
    arguments: tuple[str, ...] | None = None
    exit_codes: tuple[int, ...] = (0,)
    says: str = ""
    skip: str = ""

    def accepts(self, exit_code: int, output: str) -> bool:
        """Whether a program that ended like this has answered."""
        return exit_code in self.exit_codes and self.says in output


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFailure:
    """A failure that is understood and accepted; ``suite`` and ``test`` are glob patterns.

    ``platforms`` empty means all. With ``runners``, also patterns, it is a fault of these, which do not
    support the test. If it is ``strict``, a test that passes has failed.
    """

    suite: str
    test: str
    platforms: tuple[str, ...] = ()
    runners: tuple[str, ...] = ()
    reason: str
    link: str | None = None
    until: dt.date | None = None
    strict: bool = False

    def holds_on(self, day: dt.date | None) -> bool:
        """Whether it is accepted on ``day``; `None` is any day."""
        return self.until is None or day is None or day <= self.until

    def is_of(self, runner: str) -> bool:
        """Whether it is about tests that this runner runs."""
        return not self.runners or any(fnmatch.fnmatchcase(runner, pattern) for pattern in self.runners)

    def covers(self, suite: str, test: str, platform: str) -> bool:
        """Whether it is about this test on this platform."""
        return _is_about(self, suite, test, platform)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedTest:
    """A test whose results do not count until a day; ``suite`` and ``test`` are glob patterns.

    ``platforms`` empty means all. ``owner`` is who makes it reliable again.
    """

    suite: str
    test: str
    platforms: tuple[str, ...] = ()
    owner: str
    reason: str
    link: str | None = None
    until: dt.date

    def holds_on(self, day: dt.date | None) -> bool:
        """Whether it is in quarantine on ``day``; `None` is any day."""
        return day is None or day <= self.until

    def covers(self, suite: str, test: str, platform: str) -> bool:
        """Whether it is about this test on this platform."""
        return _is_about(self, suite, test, platform)


def _is_about(item: KnownFailure | QuarantinedTest, suite: str, test: str, platform: str) -> bool:
    return (
        (not item.platforms or platform in item.platforms)
        and fnmatch.fnmatchcase(suite, item.suite)
        and (test == item.test or fnmatch.fnmatchcase(test, item.test))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is to be tested on one platform, and what is accepted on the day of the run.

    ``smoke`` says whether the manifest names the smoke suite. The installation itself is always tested.
    ``administered`` is the distribution whose installer can verify itself and its prefix; empty for others'.
    ``runner`` is what runs it; empty before that is known.
    """

    platform: str
    packages: tuple[PackagePlan, ...]
    administered: str = ""
    runner: str = ""
    smoke: bool = True
    suites: tuple[PlannedSuite, ...] = ()
    command_rules: tuple[CommandRule, ...] = ()
    known_failures: tuple[KnownFailure, ...] = ()
    quarantine: tuple[QuarantinedTest, ...] = ()
    waivers: tuple[Waiver, ...] = field(default=(), repr=False)

    def is_fault_of_runner(self, suite: str, test: str) -> bool:
        """Whether a failure of a test is known to be the fault of what runs it."""
        return any(
            item.runners and item.is_of(self.runner) and item.covers(suite, test, self.platform)
            for item in self.known_failures
        )

    def rule(self, command: str) -> CommandRule:
        """Return the rule that applies to ``command``."""
        for rule in self.command_rules:
            if fnmatch.fnmatchcase(command, rule.command):
                return rule
        return CommandRule(command=command)

    def tests(self) -> Iterator[PlannedTest]:
        """Yield every test that is known beforehand, in the order of the results."""
        yield installer_test("install")
        if self.smoke:
            if self.administered:
                yield from map(installer_test, ("verify", "check"))
            yield smoke_test("interpreter", "python")
            for package in self.packages:
                if package.imports:
                    yield smoke_test(f"import:{package.name}", package.name)
                if package.distributions:
                    yield smoke_test(f"metadata:{package.name}", package.name)
                for command in package.commands:
                    yield smoke_test(f"command:{command}", package.name)
            if self.administered:
                yield installer_test(VERIFY_AFTER)
        for suite in self.suites:
            for target in suite.targets:
                yield from target.tests


def smoke_test(test: str, package: str) -> PlannedTest:
    """Return a test of the smoke suite that is about one package."""
    return PlannedTest(suite=SMOKE, test=test, package=package, packages=(package,))


def installer_test(test: str) -> PlannedTest:
    """Return a test of the smoke suite that is about the installer."""
    return PlannedTest(suite=SMOKE, test=test)

"""Suites of the kind ``packaged``: the tests that packages carry, run in their release."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from cuvee.conda.noarch_python import noarch_target
from cuvee.conda.package_archive import read_info_files
from cuvee.conda.package_paths import PATH_LISTS, listed_paths
from cuvee.errors import CuveeError
from cuvee.files import sha256_file
from cuvee.integration.carried_scripts import CarriedScripts
from cuvee.integration.carried_tests import (
    CarriedTest,
    ContentsTest,
    DownstreamTest,
    ImportsTest,
    ScriptTest,
)
from cuvee.integration.installed_environment import InstalledEnvironment
from cuvee.integration.model import PlannedSuite, PlannedTest
from cuvee.integration.outcome_rules import not_run
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.package_contents import contents_problems
from cuvee.integration.packaged_plan import PackagedTarget
from cuvee.integration.repeat_budget import repeat_failed
from cuvee.integration.test_session import Job, TestSession
from cuvee.platforms import get

_WORST = (OutcomeState.INFRA_ERROR, OutcomeState.TIMEOUT, OutcomeState.FAIL, OutcomeState.NOT_RUN)


def jobs(session: TestSession, suite: PlannedSuite, installed: InstalledEnvironment) -> Iterator[Job]:
    """Yield the suite's jobs, one per package."""
    for target in suite.targets:
        if isinstance(target, PackagedTarget):
            run = _PackageRun(session=session, target=target, installed=installed)
            yield Job(unit=f"{suite.name}/{target.name}", run=run.outcomes)


@dataclass(frozen=True, kw_only=True)
class _PackageRun:
    """The tests of one package in the installed release."""

    session: TestSession
    target: PackagedTarget
    installed: InstalledEnvironment

    def outcomes(self) -> Sequence[TestOutcome]:
        """Run what can be run, failures again; return an outcome for every test."""
        found: list[TestOutcome] = []
        for test, carried in zip(self.target.tests, self.target.carried, strict=True):
            if test.unsupported:
                found += not_run([test], self.session.plan.platform, "")
            else:
                found += repeat_failed(
                    self.session.repeats,
                    lambda test=test, carried=carried: [self.once(test, carried)],  # type: ignore[misc]
                )
        return found

    def once(self, test: PlannedTest, carried: CarriedTest) -> TestOutcome:
        """Run a test; return what became of it."""
        if (problem := self._hindrance(carried)) is not None:
            return self.session.outcome(test, problem[0], 0, reason=problem[1])
        match carried:
            case ImportsTest():
                return self._imports(test, carried)
            case ScriptTest():
                return self._scripts.run(test, carried)
            case ContentsTest():
                return self._contents(test, carried)
            case DownstreamTest():
                return self._downstream(test, self.target.downstream[carried.name])
        raise TypeError(carried)

    def _hindrance(self, carried: CarriedTest) -> tuple[OutcomeState, str] | None:
        """Return what keeps a test from being run, if anything does, and what becomes of it then."""
        if carried.broken:
            return OutcomeState.FAIL, carried.broken
        if carried.unsupported:
            return OutcomeState.NOT_SUPPORTED, carried.unsupported
        if not self._is_intact:
            return OutcomeState.INFRA_ERROR, "its archive has changed since the tests were planned"
        return None

    @cached_property
    def _is_intact(self) -> bool:
        """Whether the archive is still the locked one: what is run of it was not seen before."""
        archive, package = self.target.archive, self.target.package
        return archive is not None and package is not None and sha256_file(archive) == package.sha256

    @cached_property
    def _scripts(self) -> CarriedScripts:
        return CarriedScripts(session=self.session, target=self.target)

    def _imports(self, test: PlannedTest, carried: ImportsTest) -> TestOutcome:
        """Import modules in a process of their own; then look at what is required of what is installed."""
        version = self.installed.markers.get("python_full_version", "")
        if carried.pythons and not any(f"{version}.".startswith(f"{item}.") for item in carried.pythons):
            reason = f"it is for Python {', '.join(carried.pythons)}, and the release has {version}"
            return self.session.outcome(test, OutcomeState.NOT_SUPPORTED, 0, reason=reason)
        lines = tuple(f"import {name}" for name in carried.imports)
        script = ScriptTest(name=carried.name, lines=lines, interpreter="python", requires=carried.requires)
        outcome = self._scripts.run(test, script)
        if outcome.state is not OutcomeState.PASS or not carried.pip_check:
            return outcome
        problems = list(self._unmet())
        if not problems:
            return outcome
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        log = "\n".join(problems) + "\n"
        reason = f"pip check: {problems[0]}{more}"
        return self.session.outcome(test, OutcomeState.FAIL, outcome.seconds, reason=reason, log=log)

    def _unmet(self) -> Iterator[str]:
        """Yield what pip would find wrong with the package, and with those that it needs."""
        for name in sorted(self.target.distributions):
            found = self.installed.by_name.get(name)
            for text in found.requires if found is not None else ():
                problem = self.installed.unmet(text)
                if problem:
                    yield f"{name} requires {problem}"

    def _contents(self, test: PlannedTest, carried: ContentsTest) -> TestOutcome:
        package, archive, session = self.target.package, self.target.archive, self.session
        if package is None or archive is None:
            raise ValueError(f"{self.target.name} has no archive")
        try:
            listed = [item.path for item in listed_paths(read_info_files(archive, PATH_LISTS), {})]
        except (CuveeError, ValueError, TypeError, KeyError, AttributeError) as error:
            return session.outcome(test, OutcomeState.FAIL, 0, reason=f"its list of files: {error}")
        noarch_python = package.noarch == "python"
        places = {path: self._place(path, noarch_python=noarch_python) for path in listed}
        absent = self._scripts.absent(test, places.values())
        if isinstance(absent, TestOutcome):
            return absent
        problems = list(
            contents_problems(
                carried,
                [path for path, place in places.items() if place not in absent],
                get(session.plan.platform),
                noarch_python=noarch_python,
            )
        )
        if not problems:
            return session.outcome(test, OutcomeState.PASS, 0)
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        log = "\n".join(problems) + "\n"
        return session.outcome(test, OutcomeState.FAIL, 0, reason=problems[0] + more, log=log)

    def _place(self, path: str, *, noarch_python: bool) -> str:
        """Return where a file of the package is installed, relative to the prefix."""
        if not noarch_python:
            return path
        scripts = "Scripts" if get(self.session.plan.platform).is_windows else "bin"
        return noarch_target(path, site_packages=self._site_packages, scripts=scripts)

    @cached_property
    def _site_packages(self) -> str:
        """The folder of pure packages, relative to the prefix."""
        minor = ".".join(self.installed.markers.get("python_full_version", "3.0").split(".")[:2])
        windows = get(self.session.plan.platform).is_windows
        return "Lib/site-packages" if windows else f"lib/python{minor}/site-packages"

    def _downstream(self, test: PlannedTest, other: PackagedTarget) -> TestOutcome:
        """Return what becomes of the tests of another package, as one outcome: the worst."""
        run = replace(self, target=other)
        found = [
            run.once(planned, carried) for planned, carried in zip(other.tests, other.carried, strict=True)
        ]
        seconds = sum(outcome.seconds for outcome in found)
        for state in _WORST:
            for outcome in found:
                if outcome.state is state:
                    reason = f"{outcome.test}: {outcome.reason}"
                    worst = self.session.outcome(test, state, seconds, reason=reason)
                    return replace(worst, log=outcome.log)
        if not any(outcome.state is OutcomeState.PASS for outcome in found):
            reason = "; ".join(f"{outcome.test}: {outcome.reason}" for outcome in found)
            return self.session.outcome(test, OutcomeState.NOT_SUPPORTED, seconds, reason=reason)
        return self.session.outcome(test, OutcomeState.PASS, seconds)

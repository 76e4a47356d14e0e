"""Planning suites of the kind ``packaged``: the tests that the archives of the release carry."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cuvee.conda.match_spec import read_spec
from cuvee.conda.package_archive import read_info_files
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.rattler_records import matchable
from cuvee.integration.carried_tests import TEST_FILES, CarriedTest, DownstreamTest, carried_tests
from cuvee.integration.model import PackagePlan, PlannedSuite, PlannedTest, SuiteKind, Target
from cuvee.integration.tool_sets import lacking
from cuvee.lock.model import PlatformLock
from cuvee.platforms import get


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagedTarget(Target):
    """The tests that one package carries; ``carried`` has one for each of ``tests``, in this order.

    Of what they require, only what the release lacks is left.

    Attributes
    ----------
    package
        `None` if the release does not have it.
    archive
        Its archive; `None` if it is not here.
    distributions
        The normalised names of the Python distributions that it and what it depends on install.
    downstream
        For tests whose subject is another package, that one's.
    """

    package: LockedPackage | None = None
    archive: Path | None = None
    carried: tuple[CarriedTest, ...] = ()
    distributions: frozenset[str] = frozenset()
    downstream: Mapping[str, "PackagedTarget"] = field(default_factory=dict)


class PackagedPlanner:
    """Finds the tests that packages of one platform carry; each archive is read once.

    Parameters
    ----------
    archives
        For each package's identifier its archive, verified.
    plans
        What is known of the packages otherwise.
    """

    def __init__(
        self, lock: PlatformLock, archives: Mapping[str, Path], plans: tuple[PackagePlan, ...]
    ) -> None:
        self._lock = lock
        self._archives = archives
        self._distributions = {plan.name: plan.distributions for plan in plans}
        self._read: dict[str, tuple[CarriedTest, ...]] = {}
        self._windows = get(lock.platform).is_windows

    def with_targets(self, suite: PlannedSuite) -> PlannedSuite:
        """Return a suite of the kind ``packaged`` with its targets, and any other as it is.

        Raises
        ------
        IntegrityError
            If an archive cannot be read.
        """
        if suite.kind is not SuiteKind.PACKAGED:
            return suite
        names = suite.packages or tuple(package.name for package in self._lock.packages)
        return replace(suite, targets=tuple(self._target(suite, name) for name in names))

    def _target(self, suite: PlannedSuite, name: str) -> PackagedTarget:
        package = self._lock.by_name.get(name)
        archive = None if package is None else self._archives.get(package.identifier)
        carried = () if package is None or archive is None else self._carried(package, archive)
        downstream = {
            test.name: self._without_downstream(suite, found)
            for test in carried
            if isinstance(test, DownstreamTest) and (found := self._matching(test.spec)) is not None
        }
        reason = "its archive is not here" if package and archive is None else ""
        reason = reason or "it carries no tests"
        tests = [self._planned(suite, name, test, downstream) for test in carried]
        if not tests:
            nothing = CarriedTest(name="tests", unsupported=reason)
            tests, carried = [self._planned(suite, name, nothing, {})], (nothing,)
        return PackagedTarget(
            name=name,
            tests=tuple(tests),
            package=package,
            archive=archive,
            carried=carried,
            distributions=frozenset(self._closure_distributions(name)),
            downstream=downstream,
        )

    def _without_downstream(self, suite: PlannedSuite, package: LockedPackage) -> PackagedTarget:
        """Return the target of a package whose tests are those of another, too: they lead no further."""
        archive = self._archives.get(package.identifier)
        carried = self._carried(package, archive) if archive is not None else ()
        own = tuple(test for test in carried if not isinstance(test, DownstreamTest))
        return PackagedTarget(
            name=package.name,
            tests=tuple(self._planned(suite, package.name, test, {}) for test in own),
            package=package,
            archive=archive,
            carried=own,
            distributions=frozenset(self._closure_distributions(package.name)),
        )

    def _carried(self, package: LockedPackage, archive: Path) -> tuple[CarriedTest, ...]:
        if package.name not in self._read:
            files = read_info_files(archive, TEST_FILES)
            self._read[package.name] = tuple(
                replace(test, requires=lacking(test.requires, self._lock))
                for test in carried_tests(files, windows=self._windows)
            )
        return self._read[package.name]

    def _planned(
        self,
        suite: PlannedSuite,
        package: str,
        test: CarriedTest,
        downstream: Mapping[str, PackagedTarget],
    ) -> PlannedTest:
        unsupported = test.unsupported
        packages: tuple[str, ...] = (package,)
        if isinstance(test, DownstreamTest):
            found = downstream.get(test.name)
            if found is None:
                unsupported = f"the release has no {test.spec}"
            elif not found.carried:
                unsupported = f"{found.name} carries no tests"
            else:
                packages = (package, found.name)
        return PlannedTest(
            suite=suite.name,
            test=f"{package}::{test.name}",
            package=package,
            packages=packages,
            needs=(package, *suite.needs),
            unsupported=unsupported,
        )

    def _matching(self, text: str) -> LockedPackage | None:
        """Return the package of the release that a match spec takes."""
        spec = read_spec(text)
        package = self._lock.by_name.get(spec.name)
        taken = package is not None and spec.matcher is not None and spec.matcher.matches(matchable(package))
        return package if taken else None

    def _closure_distributions(self, name: str) -> Iterator[str]:
        pending, seen = [name], set[str]()
        while pending:
            name = pending.pop()
            package = self._lock.by_name.get(name)
            if name in seen or package is None:
                continue
            seen.add(name)
            yield from self._distributions.get(name, ())
            pending += [read_spec(text).name for text in package.depends]

"""What suites of the kind ``lifecycle`` test: what happens to a release on a desktop, from its installer on.

Each starting point is a target: this release, and each earlier one that may be upgraded to it. Its steps are
tests, and each needs the one before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cuvee.integration.model import PlannedSuite, PlannedTest, SuiteKind, Target

INSTALL, VERIFY, REPAIR, UNINSTALL = "install", "verify", "repair", "uninstall"
_FRESH = (INSTALL, VERIFY, REPAIR, UNINSTALL)

_CONSTRUCTOR = "installers that constructor makes cannot verify, repair, upgrade or remove a release"


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRelease:
    """A release that users may upgrade from.

    Attributes
    ----------
    version
        Such as ``2026.10.0``.
    installer
        `None` if it is not here; ``absent`` says why, and what to do.
    sha256
        What the record of that release says of the installer.
    unsupported
        Why it cannot be upgraded at all.
    """

    version: str
    installer: Path | None = None
    sha256: str = ""
    absent: str = ""
    unsupported: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleTarget(Target):
    """The steps from one starting point: ``earlier``, or this release if it is `None`."""

    earlier: EarlierRelease | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeSteps:
    """The names of the tests that begin with an earlier release, in their order."""

    install: str
    upgrade: str
    same: str
    files: str
    back: str
    forth: str
    uninstall: str

    @classmethod
    def of(cls, version: str) -> "UpgradeSteps":
        """Return the names for one earlier release."""
        return cls(
            install=f"install {version}",
            upgrade=f"upgrade from {version}",
            same=f"upgrade from {version}: as if newly installed",
            files=f"upgrade from {version}: files of the user",
            back=f"roll back to {version}",
            forth=f"roll forth from {version}",
            uninstall=f"uninstall after the upgrade from {version}",
        )

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (self.install, self.upgrade, self.same, self.files, self.back, self.forth, self.uninstall)


def lifecycle_target(suite: str, earlier: EarlierRelease | None = None) -> LifecycleTarget:
    """Return the target of one starting point."""
    names = _FRESH if earlier is None else UpgradeSteps.of(earlier.version).names
    name = "this release" if earlier is None else f"from {earlier.version}"
    absent = "" if earlier is None else earlier.absent
    unsupported = "" if earlier is None else earlier.unsupported
    return LifecycleTarget(
        name=name,
        earlier=earlier,
        tests=tuple(
            PlannedTest(suite=suite, test=test, absent=absent, unsupported=unsupported) for test in names
        ),
    )


def with_lifecycle(
    suite: PlannedSuite, earlier: Sequence[EarlierRelease], *, administered: bool
) -> PlannedSuite:
    """Return a suite with a target for each earlier release, if it is of the kind ``lifecycle``.

    ``administered`` is whether the release's installers are cuvee's own.
    """
    if suite.kind is not SuiteKind.LIFECYCLE:
        return suite
    stated = suite.targets[0].tests[0]  # it has the packages that the suite's file names

    def completed(target: LifecycleTarget) -> LifecycleTarget:
        tests = tuple(
            replace(
                test,
                needs=stated.needs,
                packages=(),  # it is about the whole installation
                unsupported=test.unsupported or ("" if administered else _CONSTRUCTOR),
            )
            for test in target.tests
        )
        return replace(target, tests=tests)

    targets = (lifecycle_target(suite.name), *(lifecycle_target(suite.name, item) for item in earlier))
    return replace(suite, targets=tuple(map(completed, targets)))

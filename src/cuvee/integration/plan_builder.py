"""Building a plan from a manifest, a lock, and the packages' own metadata."""

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

from cuvee.conda.package_record import LockedPackage
from cuvee.integration.lifecycle_plan import EarlierRelease, with_lifecycle
from cuvee.integration.model import SMOKE, PackagePlan, Plan
from cuvee.integration.package_plan import read_package_plan
from cuvee.integration.packaged_plan import PackagedPlanner
from cuvee.integration.suite_files import SuiteFiles
from cuvee.lock.model import PlatformLock
from cuvee.manifest.model import Manifest


def build_plan(
    manifest: Manifest,
    lock: PlatformLock,
    files: SuiteFiles,
    archives: Mapping[str, Path],
    *,
    today: dt.date | None = None,
    earlier: Sequence[EarlierRelease] = (),
) -> Plan:
    """Plan the tests of one platform.

    Parameters
    ----------
    archives
        For each package's identifier its archive, verified. A package without one is not tested by itself.
    today
        The day on which known failures, quarantine and waivers must be in force; `None` takes all.
    earlier
        The releases from which suites of the kind ``lifecycle`` upgrade.

    Raises
    ------
    IntegrityError
        If an archive cannot be read.
    """
    names = frozenset(lock.by_name)
    administered = manifest.distribution if manifest.installers.engine == "cuvee" else ""
    packages = tuple(_package(package, archives.get(package.identifier)) for package in lock.packages)
    planner = PackagedPlanner(lock, archives, packages)
    suites = (
        planner.with_targets(with_lifecycle(suite, earlier, administered=bool(administered)))
        for suite in files.suites
    )
    return Plan(
        platform=lock.platform,
        packages=packages,
        administered=administered,
        smoke=SMOKE in manifest.suites,
        suites=tuple(suite.for_packages(names, lock.platform) for suite in suites),
        command_rules=files.command_rules,
        known_failures=tuple(failure for failure in files.known_failures if failure.holds_on(today)),
        quarantine=tuple(item for item in files.quarantine if item.holds_on(today)),
        waivers=tuple(
            waiver
            for waiver in manifest.waivers
            if waiver.platform in {None, lock.platform} and (today is None or today <= waiver.expires)
        ),
    )


def _package(package: LockedPackage, archive: Path | None) -> PackagePlan:
    if archive is None:
        return PackagePlan(name=package.name, version=package.version)
    return read_package_plan(package.name, package.version, archive)

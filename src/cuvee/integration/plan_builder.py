"""Making a plan from a manifest, a lock, and the packages' own metadata."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

from cuvee.conda.record import LockedPackage
from cuvee.errors import UsageError
from cuvee.integration.model import SMOKE, PackagePlan, Plan
from cuvee.integration.package_contents import read_facts
from cuvee.integration.suites import read_command_rules, read_known_failures, read_suite
from cuvee.lock.model import PlatformLock
from cuvee.manifest.model import Manifest


def build_plan(
    manifest: Manifest,
    lock: PlatformLock,
    suites_folder: Path,
    archives: Mapping[str, Path],
    *,
    today: dt.date | None = None,
) -> Plan:
    """Plan the tests of one platform.

    Parameters
    ----------
    suites_folder
        The folder ``integration_tests``, with a folder or a YAML file per suite, ``smoke.yaml`` and
        ``known-failures.yaml``; only what the manifest's ``suites`` name must exist.
    archives
        For each package's identifier its archive, verified. A package without one is not asked anything.
    today
        The day on which known failures and waivers must still hold; `None` lets all hold.

    Raises
    ------
    UsageError
        If a suite is missing or can not be read.
    IntegrityError
        If an archive can not be read.
    """
    names = frozenset(lock.by_name)
    return Plan(
        platform=lock.platform,
        packages=tuple(_package(package, archives.get(package.identifier)) for package in lock.packages),
        smoke=SMOKE in manifest.suites,
        suites=tuple(
            read_suite(suites_folder, _safe(name), names) for name in manifest.suites if name != SMOKE
        ),
        command_rules=read_command_rules(suites_folder / "smoke.yaml"),
        known_failures=read_known_failures(suites_folder / "known-failures.yaml", today),
        waivers=tuple(
            waiver
            for waiver in manifest.waivers
            if waiver.platform in {None, lock.platform} and (today is None or today <= waiver.expires)
        ),
    )


def _package(package: LockedPackage, archive: Path | None) -> PackagePlan:
    if archive is None:
        return PackagePlan(name=package.name, version=package.version)
    facts = read_facts(archive)
    return PackagePlan(
        name=package.name,
        version=package.version,
        imports=facts.imports,
        commands=facts.commands,
        distributions=facts.distributions,
    )


def _safe(name: str) -> str:
    if not name.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"{name!r} can not be the name of a suite", hint="Use letters, digits, - and _.")
    return name

"""Running one test in a prefix of any packages, which rattler links; outcomes are cached by the set."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cuvee import process
from cuvee.codec import Document
from cuvee.conda.event_loop import run
from cuvee.conda.package_info import read_info
from cuvee.conda.rattler_records import repodata_record
from cuvee.errors import CuveeError
from cuvee.files import fingerprint, storage_errors
from cuvee.folder_hashes import folder_inputs
from cuvee.integration.model import Plan
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.plan_builder import build_plan
from cuvee.integration.platform_run import run_in_prefix
from cuvee.integration.riding_tools import RidingTools
from cuvee.integration.runners.protocol import Runner, Sandbox
from cuvee.integration.single_test import only_test, result_of
from cuvee.integration.suite_files import SuiteFiles
from cuvee.integration.test_session import TestSession
from cuvee.lock.model import PlatformLock
from cuvee.manifest.model import Manifest
from cuvee.progress import SILENT
from cuvee.temporary_folders import temporary_folder

_DOCUMENT = Document(name="bisect-outcome", kind=TestOutcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class MixtureTrials:
    """One test, and what it takes to run it with any of the packages whose archives are known.

    Attributes
    ----------
    archives
        By their hex SHA-256, verified.
    timeout
        Seconds that the test may take.
    hidden
        What programs of packages must not see.
    """

    manifest: Manifest
    suite: str
    test: str
    files: SuiteFiles
    suites_folder: Path
    archives: Mapping[str, Path]
    runner: Runner
    cache: Path
    today: dt.date
    timeout: float
    hidden: tuple[Path, ...]

    def outcome(self, lock: PlatformLock) -> tuple[TestOutcome, bool]:
        """Return what becomes of the test with the packages of ``lock``, and whether that was cached."""
        path = self.cache / "bisect" / f"{self._key(lock)}.json"
        try:
            return _DOCUMENT.read(path), True
        except CuveeError:  # not there, or damaged
            pass
        plan = only_test(self._plan(lock), self.suite, self.test)
        with temporary_folder("bisect") as made, storage_errors(made):
            found = self._run(plan, lock, made.resolve())
        if found.state is not OutcomeState.INFRA_ERROR:
            _DOCUMENT.write(path, found)
        return found, False

    def _key(self, lock: PlatformLock) -> str:
        packages = sorted((package.name, package.sha256) for package in lock.packages)
        suites = folder_inputs(self.suites_folder)
        return fingerprint(
            [lock.platform, packages, self.suite, self.test, suites, self.runner.name, self.timeout]
        )

    def _plan(self, lock: PlatformLock) -> Plan:
        archives = {package.identifier: self.archives[package.sha256] for package in lock.packages}
        manifest = replace(self.manifest, suites=(self.suite,))
        return build_plan(manifest, lock, self.files, archives, today=self.today)

    def _run(self, plan: Plan, lock: PlatformLock, top: Path) -> TestOutcome:
        sandbox = Sandbox(
            platform=lock.platform,
            prefix=top / "release",
            home=top / "home",
            temp=top / "tmp",
            hidden=self.hidden,
            readonly=(self.cache,),
        )
        for folder in (sandbox.home, sandbox.temp, top / "logs"):
            folder.mkdir()
        run(self._link(lock, sandbox.prefix))
        session = TestSession(
            plan=plan,
            runner=self.runner,
            sandbox=sandbox,
            logs=top / "logs",
            work=top / "work",
            timeout=self.timeout,
            tools=RidingTools(lock=lock),
            only=frozenset({self.test}) if "::" in self.test else frozenset(),
        )
        try:
            outcomes = run_in_prefix(session, SILENT)
        finally:
            cleanup = self.runner.finish(sandbox)
            if cleanup is not None:
                process.run(cleanup)
        names = {target.name for suite in plan.suites for target in suite.targets}
        return replace(result_of(outcomes, self.suite, self.test, names), log=None)

    async def _link(self, lock: PlatformLock, prefix: Path) -> None:
        import rattler

        records = []
        for package in lock.packages:
            archive = self.archives[package.sha256]
            record = repodata_record(package, url=archive.as_uri(), channel=archive.parent.as_uri())
            record.python_site_packages_path = read_info(archive).index.python_site_packages_path
            records.append(record)
        # Hard links would let a test change the cache.
        config = rattler.Config.from_toml("allow-hard-links = false")
        await rattler.install(
            records,
            prefix,
            cache_dir=self.cache / "rattler",
            platform=rattler.Subdir(lock.platform),
            execute_link_scripts=False,
            show_progress=False,
            config=config,
        )

"""One run of the pipeline: what the caller wants, frozen, and what its stages share.

What only some commands use is imported when it is used: commands that only ask must answer at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.errors import CuveeError, UsageError
from cuvee.executors.executor_choice import ExecutorChoice
from cuvee.manifest.model import Manifest, Requirement
from cuvee.platforms import System
from cuvee.progress import Reporter
from cuvee.release.stage import StageRunner
from cuvee.release.workspace import Workspace

if TYPE_CHECKING:
    from cuvee.build.engine import BuildEngine
    from cuvee.build.model import Engine, Recipe, RecipeFacts
    from cuvee.channel.connection import Connection
    from cuvee.channel.model import Absent
    from cuvee.channel.patches.patch_files import PatchSet
    from cuvee.channel.repodata_writer import Record
    from cuvee.channel.wheels.index_comparison import ImportedWheel
    from cuvee.channel.wheels.index_questions import IndexQuestions
    from cuvee.channel.wheels.model import PinnedWheel
    from cuvee.conda.package_record import LockedPackage
    from cuvee.executors.dask_cluster import DaskCluster
    from cuvee.graph.release_graph import ReleaseGraph
    from cuvee.image.model import ImageSigner
    from cuvee.image.settings import InstallerSettings
    from cuvee.installers.branding import Branding
    from cuvee.integration.runners.protocol import Runner
    from cuvee.integration.suite_files import SuiteFiles
    from cuvee.integration.unit_selection import Selection
    from cuvee.lock.model import Lock, PlatformLock
    from cuvee.release.builds_elsewhere import BuildsElsewhere
    from cuvee.release.imported_wheels import ImportedWheels
    from cuvee.release.record import Release, Unsolved
    from cuvee.report.erratum_rows import ErrataOf

SUITES_FOLDER = "integration_tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the caller wants of a run.

    Attributes
    ----------
    dist
        The folder of release folders.
    cache
        Downloads, converted packages, byte code and frames, all keyed by content.
    now
        The time of the run, aware; nothing below reads a clock.
    platforms
        The platforms to make; none means all that the manifest wants.
    refresh
        Look at the channels and the index again, even if the manifest is unchanged.
    emulate
        Test also what this host can only imitate, such as Windows with Wine.
    publish
        Make installers as small as they get, however long that takes.
    folder
        The release folder, if it is not the one below ``dist`` that has the release's name.
    signer
        Signs images and sums; `None` signs nothing.
    secrets
        Files that programs of packages must not read in tests, such as the signing key.
    keep_going
        Build and test what can be, even if findings block the release or a platform cannot be built.
    base
        The release folder or the lock of the manifest's base; `None` looks for it.
    history
        The history file; `None` is the one beside ``dist``.
    retest
        Test again, even if nothing has changed since the tests passed.
    selection
        Which units of work to test, `None` for all; a run with a selection is not recorded.
    place
        Where to test, as `cuvee.integration.runners.selection.runner_at` takes it; not recorded, either.
    executor
        Where units of work run.
    results
        Where results of a run that is not recorded go; `None` is a folder in the cache.
    built
        Folders of what other machines have built, as `cuvee.release.builds_elsewhere` reads them.
    verbose
        Show all conflicts of a set without a solution, however many there are.
    """

    dist: Path
    cache: Path
    now: dt.datetime
    platforms: Sequence[str] = ()
    refresh: bool = False
    emulate: bool = False
    publish: bool = False
    folder: Path | None = None
    signer: ImageSigner | None = None
    secrets: Sequence[Path] = ()
    keep_going: bool = False
    base: Path | None = None
    history: Path | None = None
    retest: bool = False
    selection: Selection | None = None
    place: str | None = None
    executor: ExecutorChoice = field(default_factory=ExecutorChoice)
    results: Path | None = None
    built: Sequence[Path] = ()
    verbose: bool = False


class Session:
    """What the stages of one run share.

    Parameters
    ----------
    manifest
        The evaluated manifest, as it was loaded.

    Raises
    ------
    UsageError
        If the manifest does not want one of the platforms that the caller named.
    """

    def __init__(self, manifest: Manifest, options: Options, reporter: Reporter) -> None:
        present = tuple(entry.name for entry in manifest.present_platforms)
        unknown = [name for name in options.platforms if name not in present]
        if unknown:
            raise UsageError(
                f"{manifest.release_name} is not made for {', '.join(unknown)}",
                hint=f"It is made for {', '.join(present)}.",
            )
        self.manifest = manifest
        self.options = options
        self.reporter = reporter
        self.errata_of: ErrataOf = lambda _: None  # not known which there are
        self.requested_platforms = tuple(
            name for name in present if not options.platforms or name in options.platforms
        )
        self.unsolved: tuple[Unsolved, ...] = ()
        folder = options.folder or options.dist / manifest.release_name
        self.workspace = Workspace(folder.resolve(), options.cache.resolve())
        self.make = StageRunner(folder=self.workspace.folder, reporter=reporter)
        self.while_asking: Callable[[], None] = lambda: None  # runs while the index is asked
        self.summary: tuple[str, ...] = ()
        self.reached: Release | None = None
        self.recipe_facts: RecipeFacts | None = None
        self.records: dict[str, Record] = {}  # what repodata says of the release's own archives, by SHA-256
        self.resolved: Mapping[str, Sequence[PinnedWheel]] = {}  # what the index has told in this run
        self._releases: dict[Path, Release] = {}
        self._archives: dict[str, Mapping[str, Path | CuveeError]] = {}
        self._graph: ReleaseGraph | None = None

    @cached_property
    def place(self) -> Runner | None:
        """What runs tests in the place that the caller named; `None` if that is this host."""
        from cuvee.integration.runners.selection import runner_at

        if self.options.place is None:
            return None
        runner = runner_at(self.options.place)
        refusals = [runner.refusal(platform) for platform in self.requested_platforms]
        if all(refusal is not None for refusal in refusals):
            raise UsageError(
                f"{self.manifest.release_name} is made for {', '.join(self.requested_platforms)},"
                f" and none of that runs there: {'; '.join(dict.fromkeys(filter(None, refusals)))}",
                hint="Name a machine or a system of one of these platforms.",
            )
        return runner

    @property
    def selection(self) -> Selection:
        """Which units of work to test."""
        from cuvee.integration.unit_selection import Selection

        return self.options.selection or Selection()

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms that this run makes: those that were requested, but for those without a solution."""
        left_out = {name for item in self.unsolved for name in item.platforms}
        return tuple(name for name in self.requested_platforms if name not in left_out)

    @cached_property
    def connection(self) -> Connection:
        """The way to the channels, opened when it is first needed."""
        from cuvee.channel.connection import connect

        return connect(self.workspace.cache, self.reporter)

    @cached_property
    def index(self) -> IndexQuestions:
        """The questions about imported wheels that this run has for the Python index."""
        from cuvee.channel.wheels.index_questions import IndexQuestions

        return IndexQuestions()

    @cached_property
    def imported_wheels(self) -> ImportedWheels:
        """The wheels that packages of the release's own channel were made of."""
        from cuvee.release.imported_wheels import ImportedWheels

        return ImportedWheels(self.workspace.folder, self.workspace.imported_wheels, self.reporter)

    @cached_property
    def branding(self) -> Branding:
        """What the installers look like."""
        from cuvee.installers.branding import read_branding

        return read_branding(self.manifest.installers.branding)

    @cached_property
    def settings(self) -> Mapping[System, InstallerSettings]:
        """What the installers of each system do."""
        from cuvee.installers.settings_reader import read_settings

        return read_settings(self.manifest.installers.branding)

    @cached_property
    def engines(self) -> Mapping[Engine, BuildEngine]:
        """What builds recipes, by their kind."""
        from cuvee.build.recipes import engines

        return engines()

    @cached_property
    def recipes(self) -> tuple[Recipe, ...]:
        """The recipes that the manifest names, from ``recipes/`` in its folder or above it."""
        from cuvee.build.recipes import read_recipes, recipe_folders

        return read_recipes(recipe_folders(self.manifest), self.engines)

    @cached_property
    def builds_elsewhere(self) -> Mapping[str, BuildsElsewhere]:
        """What other machines have built of the recipes, by platform."""
        if not self.options.built:
            return {}
        from cuvee.release.builds_elsewhere import read_builds_elsewhere

        return read_builds_elsewhere(self.options.built, self.manifest)

    @cached_property
    def patches(self) -> tuple[PatchSet, ...]:
        """The patched packages of the manifest, with their files."""
        from cuvee.channel.patches.patch_files import read_patches

        found = read_patches(self.manifest.patched, self.manifest.path.parent)
        if any(item.package.wheel for item in found):
            self.engines["rattler-build"].check()  # runs their tests
        return found

    @property
    def patched_wheels(self) -> frozenset[str]:
        """The names of packages that are made of patched wheels, whatever channels have of them."""
        return frozenset(item.package.name for item in self.patches if item.package.wheel)

    @cached_property
    def cluster(self) -> DaskCluster:
        """The cluster on which units of work run, connected when it is first needed."""
        from cuvee.executors.dask_cluster import DaskCluster

        return DaskCluster(self.options.executor.address)

    def close(self) -> None:
        """End the connection to a cluster, if there is one."""
        if "cluster" in self.__dict__:
            self.cluster.close()

    @property
    def history_file(self) -> Path:
        """The file that keeps what the runs of all releases have found."""
        from cuvee.history.history_file import HISTORY

        return self.options.history or self.workspace.folder.parent.parent / HISTORY

    @property
    def suites_folder(self) -> Path:
        """The folder ``integration_tests`` in the manifest's folder or above it."""
        from cuvee.manifest.folder_lookup import find_upwards

        folder = self.manifest.path.parent
        return find_upwards(folder, SUITES_FOLDER) or folder / SUITES_FOLDER

    @cached_property
    def suite_files(self) -> SuiteFiles:
        """The suites and what belongs to them."""
        from cuvee.integration.suite_files import read_suite_files

        owners = frozenset(owner.name for owner in self.manifest.owners)
        return read_suite_files(self.suites_folder, self.manifest.suites, owners)

    def read_files(self) -> None:
        """Read all files beside the manifest, so that their problems are shown before any work starts."""
        for name in ("branding", "settings", "suite_files", "recipes", "patches", "builds_elsewhere"):
            getattr(self, name)

    @cached_property
    def additions(self) -> tuple[Requirement, ...]:
        """What the release needs besides what its manifest requests, each with the reason."""
        from cuvee.release.additions import additions

        return additions(self.manifest)

    @cached_property
    def base_lock(self) -> Lock | None:
        """The lock of the release that this one is based on, if it can be found."""
        from cuvee.release.base_lock import find_base_lock

        return find_base_lock(self.manifest, dist=self.workspace.folder.parent, stated=self.options.base)

    def graph(self, lock: Lock, absent: tuple[Absent, ...]) -> ReleaseGraph:
        """Return the graph of the release; it is built once in a run."""
        from cuvee.graph.release_graph import build_graph

        if self._graph is None:
            self._graph = build_graph(
                self.manifest,
                lock,
                absent,
                additions=self.additions,
                base=self.base_lock,
                today=self.options.now,
            )
        return replace(self._graph, recipes=self.recipe_facts)

    def record_of(self, folder: Path) -> Release:
        """Return the record of another release, read once in a run; for errors see `Release.open`."""
        from cuvee.release.record import Release

        if folder not in self._releases:
            self._releases[folder] = Release.open(folder)
        return self._releases[folder]

    def imported_wheel(self, package: LockedPackage) -> ImportedWheel | None:
        """Return the wheel that a package of the release's own channel was made of; `None` if of none.

        Raises
        ------
        IntegrityError
            If the archive cannot be read.
        """
        return self.imported_wheels.of(package)

    def requested(self, platform: str) -> tuple[Requirement, ...]:
        """Return what is requested on one platform: by the manifest, and by cuvee for its own needs."""
        return self.manifest.requirements(platform, self.additions)

    def try_archives(self, lock: PlatformLock) -> Mapping[str, Path | CuveeError]:
        """Return the verified archives of one platform by identifier, or why one is not available.

        They are looked for once in a run.
        """
        from cuvee.channel.archive_download import fetch_archives

        if lock.platform not in self._archives:
            self._archives[lock.platform] = fetch_archives(
                lock.packages,
                release=self.workspace.folder,
                cache=self.workspace.cache,
                connection=self.connection,
                reporter=self.reporter,
            )
        return self._archives[lock.platform]

    def archives(self, lock: PlatformLock) -> Mapping[str, Path]:
        """Return the verified archives of one platform by identifier; raise if one is not available."""
        from cuvee.channel.archive_download import all_or_raise

        return all_or_raise(self.try_archives(lock))

"""What every stage of one release needs: the manifest, the workspace, and the caller's wishes."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from cuvee.channel.connection import Connection, connect
from cuvee.errors import SourceUnreachableError
from cuvee.files import fingerprint
from cuvee.image.model import ImageSigner
from cuvee.image.settings import InstallerSettings
from cuvee.installers.branding import Branding, read_branding
from cuvee.installers.settings_reader import read_settings
from cuvee.integration.suite_files import SuiteFiles, read_suite_files
from cuvee.lock.model import Lock
from cuvee.lock.pixi_lock import read_lock
from cuvee.manifest.folder_lookup import find_upwards
from cuvee.manifest.model import Manifest
from cuvee.platforms import System
from cuvee.progress import SILENT, Reporter
from cuvee.release.inputs import code
from cuvee.release.workspace import StageRecord, Stopwatch, Workspace
from cuvee.report.model import Stage

SUITES_FOLDER = "integration_tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a stage gives back: the files and folders it wrote, and facts (JSON values) for later stages."""

    outputs: tuple[Path, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Context:
    """One run of the pipeline.

    Attributes
    ----------
    platforms
        Those of the manifest's present platforms that the caller asked for.
    now
        The time of the run, aware; nothing below reads a clock.
    refresh
        Look at the channels and the index again, even if the manifest is unchanged.
    emulate
        Test also what this host can only imitate, such as Windows with Wine.
    recorded_only
        Make nothing: take each stage's result as it was recorded, or fail if there is none.
    signer
        Signs images and sums; `None` signs nothing.
    publish
        Make installers as small as they get, however long that takes.
    """

    manifest: Manifest
    workspace: Workspace
    platforms: tuple[str, ...]
    now: dt.datetime
    refresh: bool = False
    emulate: bool = False
    recorded_only: bool = False
    signer: ImageSigner | None = None
    publish: bool = False
    reporter: Reporter = SILENT
    stages: list[Stage] = field(default_factory=list)

    @cached_property
    def connection(self) -> Connection:
        """The way to the channels, opened when it is first needed."""
        return connect(self.workspace.cache)

    @cached_property
    def branding(self) -> Branding:
        """What the installers look like, read when it is first needed."""
        return read_branding(self.manifest.installers.branding)

    @cached_property
    def settings(self) -> Mapping[System, InstallerSettings]:
        """What the installers of each system do, read when it is first needed."""
        return read_settings(self.manifest.installers.branding)

    @property
    def suites_folder(self) -> Path:
        """The folder ``integration_tests`` in the manifest's folder or above it."""
        folder = self.manifest.path.parent
        return find_upwards(folder, SUITES_FOLDER) or folder / SUITES_FOLDER

    @cached_property
    def suite_files(self) -> SuiteFiles:
        """The suites and what belongs to them, read when they are first needed."""
        return read_suite_files(self.suites_folder, self.manifest.suites)

    @cached_property
    def base_lock(self) -> Lock | None:
        """The lock of the release that this one is based on, if it has been cut beside this one."""
        if self.manifest.base is None:
            return None
        path = self.workspace.folder.with_name(self.manifest.base.release_name) / "lock" / "pixi.lock"
        return read_lock(path) if path.is_file() else None

    def stage(self, name: str, inputs: Any, work: Callable[[], Made], *, again: bool = False) -> StageRecord:
        """Do ``work`` unless its result is there and was made from ``inputs`` (JSON values) by this cuvee.

        Raises
        ------
        SourceUnreachableError
            If only recorded results are wanted, and there is none.
        """
        if self.recorded_only:
            return self._recorded(name)
        key = fingerprint([name, inputs, code()])
        record = None if again else self.workspace.current(name, key)
        if record is not None:
            self.reporter.say(f"{name}: unchanged")
            self.stages.append(Stage(name=name, seconds=record.seconds, reused=True, inputs=key))
            return record
        watch = Stopwatch()
        made = work()
        record = self.workspace.finished(name, key, made.outputs, seconds=watch.seconds, facts=made.facts)
        self.stages.append(Stage(name=name, seconds=record.seconds, inputs=key))
        return record

    def _recorded(self, name: str) -> StageRecord:
        record = self.workspace.record(name)
        if record is None:
            raise SourceUnreachableError(
                f"{self.workspace.folder} has no result of the stage {name}",
                hint=f"Run `cuvee release {self.manifest.path}` first.",
            )
        self.stages.append(Stage(name=name, seconds=record.seconds, reused=True, inputs=record.inputs))
        return record

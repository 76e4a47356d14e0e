"""The release folder: where each stage leaves its result, and one process at a time that works on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.errors import CuveeError
from cuvee.files import locked_file, sha256_file

if TYPE_CHECKING:
    from cuvee.release.artefacts import Artefact, ArtefactKind


class Workspace:
    """One release's folder and the cache that all releases share.

    Parameters
    ----------
    folder
        ``dist/<distribution>-<version>``.
    cache
        Downloads, converted packages, byte code and frames, all keyed by content.

    Attributes
    ----------
    channel
        The release's own channel.
    builds
        The logs of what was built from recipes.
    imports
        The folder of the channel that builds take packages from.
    index_questions
        What the Python index was asked about imported wheels.
    imported_wheels
        Which wheels packages of the release's own channel were made of.
    lock_file
        The ``pixi.lock``.
    metapackages
        The channel of the metapackages.
    pictures
        Pictures of the graph, and the graph for other programs.
    findings_file
        The findings of all checks.
    conflict_file
        Why the manifest has no solution, while it has none.
    certificate_file
        The proof that the release fits together.
    installers
        The installers.
    results
        The outcomes, a folder per platform.
    report
        The page and its data.
    """

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        self.cache = cache
        self.channel = folder / "channel"
        self.builds = folder / "builds"
        self.imports = folder / ".stages" / "imports"
        self.index_questions = folder / ".stages" / "index-questions"
        self.imported_wheels = folder / ".stages" / "imported-wheels"
        self.lock_file = folder / "lock" / "pixi.lock"
        self.metapackages = folder / "metapackages"
        self.pictures = folder / "checks" / "graph"
        self.findings_file = folder / "checks" / "findings.json"
        self.conflict_file = folder / "checks" / "conflict.json"
        self.certificate_file = folder / "checks" / "certificate.json"
        self.installers = folder / "installers"
        self.results = folder / "results"
        self.report = folder / "report"

    def package_list(self, platform: str) -> Path:
        """Return the path of a platform's list of packages for ``conda create --file``."""
        return self.folder / "lock" / f"{platform}.explicit.txt"

    def image(self, platform: str) -> Path:
        """Return the folder of a platform's image."""
        return self.folder / "images" / platform

    def sbom(self, platform: str) -> Path:
        """Return the path of a platform's bill of materials."""
        return self.folder / "sbom" / f"{platform}.cdx.json"

    def spdx(self, platform: str) -> Path:
        """Return the path of a platform's bill of materials as SPDX."""
        return self.folder / "sbom" / f"{platform}.spdx.json"

    def constructor_project(self, platform: str) -> Path:
        """Return the folder of the project from which constructor makes a platform's installers."""
        return self.installers / "constructor" / platform

    def artefact(
        self,
        path: Path,
        kind: ArtefactKind,
        *,
        platform: str | None = None,
        form: str = "",
        seconds: float = 0.0,
    ) -> Artefact:
        """Return the artefact that the file at ``path`` is, with its size and hash."""
        from cuvee.release.artefacts import Artefact

        return Artefact(
            path=path.relative_to(self.folder).as_posix(),
            kind=kind,
            platform=platform,
            format=form,
            size=path.stat().st_size,
            seconds=seconds,
            sha256=sha256_file(path),
        )

    def not_made(
        self, path: Path, error: CuveeError, *, platform: str, form: str, kind: ArtefactKind | None = None
    ) -> Artefact:
        """Return the installer that would be at ``path``, with the error that kept it from being made.

        The same for another kind of artefact. Its record names no folders of this machine.
        """
        from cuvee.release.artefacts import Artefact, ArtefactKind, NotMade

        why, here = NotMade.because_of(error), f"{self.folder.parent}/"
        return Artefact(
            path=path.relative_to(self.folder).as_posix(),
            kind=kind or ArtefactKind.INSTALLER,
            platform=platform,
            format=form,
            not_made=replace(why, reason=why.reason.replace(here, ""), remedy=why.remedy.replace(here, "")),
        )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the release folder for this process.

        Raises
        ------
        BusyError
            If another process is cutting the same release.
        """
        with locked_file(self.folder / ".stages" / "lock", folder=self.folder):
            self._sweep()
            yield

    def _sweep(self) -> None:
        """Remove what runs that were killed have left half made, beside what they wanted to make."""
        for pattern in (".*.part", "*/.*.part", ".*.old", "*/.*.old"):
            for path in self.folder.glob(pattern):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

"""What the report shows of each package that was built from a recipe, with its log."""

from dataclasses import dataclass
from pathlib import Path

from cuvee.build.model import BuiltPackage
from cuvee.release.record import Release
from cuvee.report.logs import Excerpt, excerpt

BUILDS = "builds"
"""The folder of the release folder that has the logs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRow:
    """One package that was built.

    Attributes
    ----------
    wave
        From 1; packages of a wave need only those of the waves before it. 0 if it is not known.
    seconds
        How long build and tests took, in the run that built it.
    reused
        Whether it came from the cache.
    key
        The hash of all that the build depends on.
    log
        Of its build and its tests; `None` if logs are not quoted.
    differing
        The files in which two builds of it differ, if that was checked.
    """

    name: str
    version: str
    build: str
    subdir: str
    recipe: str
    wave: int
    seconds: float
    reused: bool
    key: str
    sha256: str
    log: Excerpt | None
    differing: tuple[str, ...] = ()

    @property
    def identifier(self) -> str:
        """``name-version-build@platform``."""
        return f"{self.name}-{self.version}-{self.build}@{self.subdir}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Builds:
    """All packages that were built, in the order of their waves, and whether builds were isolated."""

    rows: tuple[BuildRow, ...]
    isolated: bool


def builds(release: Release, folder: Path | None) -> Builds | None:
    """Return what was built from recipes; `None` if the release has none.

    Parameters
    ----------
    folder
        The release folder, from which logs are quoted; `None` to quote none.
    """
    made = release.built
    if made is None:
        return None
    differing = {item.package: item.files for item in made.irreproducible}
    ordered = sorted(made.packages, key=lambda item: (item.wave, item.name))
    rows = (_row(item, folder, differing.get(f"{item.stem}@{item.subdir}", ())) for item in ordered)
    return Builds(rows=tuple(rows), isolated=made.isolated)


def _row(package: BuiltPackage, folder: Path | None, differing: tuple[str, ...]) -> BuildRow:
    return BuildRow(
        name=package.name,
        version=package.version,
        build=package.build,
        subdir=package.subdir,
        recipe=package.recipe,
        wave=package.wave,
        seconds=package.seconds,
        reused=package.reused,
        key=package.key,
        sha256=package.sha256,
        log=excerpt(folder, BUILDS, package.log, top="") if folder is not None else None,
        differing=differing,
    )

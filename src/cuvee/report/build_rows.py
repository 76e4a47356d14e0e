"""What the report shows of each package that was built from a recipe or has patches, with its log."""

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
    not_tested
        Why its tests were not run; empty if they have passed.
    built_on
        The platform of another machine that has built it; empty if none has.
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
    not_tested: str = ""
    built_on: str = ""

    @property
    def identifier(self) -> str:
        """``name-version-build@platform``."""
        return f"{self.name}-{self.version}-{self.build}@{self.subdir}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchedRow:
    """A package of a patched wheel, and what its tests have said before it entered the channel.

    ``not_tested`` says why they were not run; it is empty if they have passed.
    """

    identifier: str
    log: Excerpt | None
    not_tested: str = ""

    @property
    def name(self) -> str:
        """The package."""
        return self.identifier.rsplit("-", 2)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Builds:
    """All packages that were built, in the order of their waves, and whether builds were isolated.

    ``patched`` are those of patched wheels.
    """

    rows: tuple[BuildRow, ...] = ()
    isolated: bool = True
    patched: tuple[PatchedRow, ...] = ()


def builds(release: Release, folder: Path | None) -> Builds | None:
    """Return what was built from recipes, and patched wheels; `None` if the release has neither.

    Parameters
    ----------
    folder
        The release folder, from which logs are quoted; `None` to quote none.
    """
    made = release.built
    patched = tuple(
        PatchedRow(
            identifier=item.package,
            log=_log(folder, f"{item.package}.log") if not item.not_tested else None,
            not_tested=item.not_tested,
        )
        for item in release.channel.patched
    )
    if made is None:
        return Builds(patched=patched) if patched else None
    differing = {item.package: item.files for item in made.irreproducible}
    ordered = sorted(made.packages, key=lambda item: (item.wave, item.name))
    rows = (_row(item, folder, differing.get(f"{item.stem}@{item.subdir}", ())) for item in ordered)
    return Builds(rows=tuple(rows), isolated=made.isolated, patched=patched)


def _log(folder: Path | None, name: str) -> Excerpt | None:
    return excerpt(folder, BUILDS, name, top="") if folder is not None else None


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
        log=_log(folder, package.log),
        differing=differing,
        not_tested=package.not_tested,
        built_on=package.built_on,
    )

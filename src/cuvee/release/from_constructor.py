"""From a constructor project to our installers: packages solved or fetched, an image, a file per format."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TYPE_CHECKING

from cuvee.channel.archive_download import fetch_archives
from cuvee.channel.connection import Connection, rattler_channel
from cuvee.conda.match_spec import read_spec
from cuvee.conda.package_record import LockedPackage
from cuvee.errors import TooLargeError, ToolMissingError, UsageError
from cuvee.files import sha256_file, write_text
from cuvee.image.model import Image, ReleaseLabel
from cuvee.image.python_paths import DECODERS, needs_decoder
from cuvee.image.settings import ExtraFile, InstallerSettings
from cuvee.installers.constructor.build_outputs import write_outputs
from cuvee.installers.constructor.explicit_archives import lock_archives
from cuvee.installers.constructor.model import Project
from cuvee.installers.formats import in_order, make
from cuvee.installers.naming import installer_name
from cuvee.lock.model import PlatformLock
from cuvee.lock.solve import Problem, solve
from cuvee.manifest.model import PlatformEntry, Position, Requirement
from cuvee.progress import Reporter
from cuvee.release.image_stage import byte_compiler
from cuvee.release.record import Artefact, ArtefactKind, NotMade
from cuvee.release.sums import SUMS, sums_text
from cuvee.release.workspace import artefact_at

if TYPE_CHECKING:
    from rattler import MatchSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What work on a project needs: the cache, the way to channels and archives, and who listens."""

    cache: Path
    connection: Connection
    reporter: Reporter


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What a project came to on one platform.

    Attributes
    ----------
    artefacts
        The installers, made or missing; their paths are relative to the output folder.
    outputs
        The files beside them.
    """

    project: Project
    lock: PlatformLock
    artefacts: tuple[Artefact, ...] = ()
    outputs: tuple[Path, ...] = ()


def lock_project(project: Project, means: Means) -> PlatformLock:
    """Give the closure that a project asks for; what it excludes is out of it.

    Raises
    ------
    UsageError
        If a spec is none, or if it excludes what is not there or what the installer itself needs.
    BlockedError
        If there is no solution.
    """
    packages = project.packages
    if packages.archives:
        lock = lock_archives(
            packages.archives,
            project.platform,
            packages.floor,
            cache=means.cache,
            connection=means.connection,
            reporter=means.reporter,
        )
    else:
        lock = _solve(project, means)
    absent = sorted(set(packages.exclude) - set(lock.by_name))
    if absent:
        raise UsageError(f"{project.source}: nothing asks for {', '.join(absent)}, so it can not be excluded")
    kept = tuple(package for package in lock.packages if package.name not in packages.exclude)
    lock = replace(lock, packages=kept)
    _check_able(project, lock)
    return lock


def _check_able(project: Project, lock: PlatformLock) -> None:
    """Look whether an installer can start from a closure: it runs on the closure's own interpreter."""
    python = lock.by_name.get("python")
    if python is None:
        raise UsageError(
            f"{project.source}: there is no python among the packages",
            hint="Our installers run on the Python that they install; add it to the specs.",
        )
    if needs_decoder(python.version) and not set(DECODERS) & set(lock.by_name):
        raise UsageError(
            f"{project.source}: neither {' nor '.join(DECODERS)} is among the packages",
            hint="Our installers unpack with one of them, unless Python is 3.14 or newer; add one.",
        )


def _solve(project: Project, means: Means) -> PlatformLock:
    task = f"Solving for {project.platform}"
    means.reporter.start(task)
    wanted = tuple(_requirement(project, spec) for spec in project.packages.specs)
    if "python" not in {item.name for item in wanted}:
        wanted = (*wanted, _requirement(project, "python"))
    lock = _solve_for(project, wanted, means.connection)
    python = lock.by_name.get("python")
    if python and needs_decoder(python.version) and not set(DECODERS) & set(lock.by_name):
        means.reporter.say(f"{DECODERS[0]} is added: the installer unpacks with it")
        lock = _solve_for(project, (*wanted, _requirement(project, DECODERS[0])), means.connection)
    means.reporter.finish(task, note=f"{len(lock.packages)} packages")
    return lock


def _solve_for(project: Project, wanted: tuple[Requirement, ...], connection: Connection) -> PlatformLock:
    problem = Problem(
        platforms=(PlatformEntry(name=project.platform, floor=project.packages.floor),),
        requirements=wanted,
        channels=project.packages.channels,
    )
    return solve(problem, connection).platforms[0]


def _parsed(project: Project, spec: str) -> "MatchSpec":
    parsed = read_spec(spec).matcher
    if parsed is None:
        raise UsageError(f"{project.source}: {spec[:80]} is no spec: {read_spec(spec).problem}")
    return parsed


def _requirement(project: Project, spec: str) -> Requirement:
    parsed = _parsed(project, spec)
    return Requirement(
        name=_name(project, spec),
        version=str(parsed.version or "*"),
        platforms=(project.platform,),
        match=str(parsed),
        position=Position(file=project.source, line=_line(project.source, spec), column=1),
    )


def _name(project: Project, spec: str) -> str:
    name = _parsed(project, spec).name
    text = getattr(name, "normalized", None)
    if not text:
        raise UsageError(f"{project.source}: {spec} names no package")
    return str(text)


def _line(source: Path, spec: str) -> int:
    """Give the first line that has the spec; templates may have made it, and then there is none."""
    lines = source.read_text(encoding="utf-8").splitlines()
    return next((number for number, line in enumerate(lines, start=1) if spec in line), 1)


def make_installers(project: Project, lock: PlatformLock, *, output: Path, means: Means) -> Converted:
    """Make the installers of a locked project, and the files that it wants beside them, in ``output``.

    A format whose tools are absent, or whose limits the project exceeds, is missing with the reason.
    """
    archives = fetch_archives(
        lock.packages,
        release=output,
        cache=means.cache,
        connection=means.connection,
        reporter=means.reporter,
    )
    lock = replace(lock, packages=tuple(_remapped(package, project) for package in lock.packages))
    output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".image-", dir=output) as name:
        image = _image(project, lock, archives, Path(name), means)
        found: dict[str, Artefact] = {}
        for kind in in_order(project.formats):
            found[kind] = _make(project, image, kind, output, means.reporter, exe=found.get("exe"))
        artefacts = tuple(found.values())
    made = [output / item.path for item in artefacts if item.not_made is None]
    outputs = write_outputs(project, lock, archives=archives, installers=made, folder=output)
    if made:
        outputs = (*outputs, output / SUMS)
        write_text(outputs[-1], sums_text(artefacts))
    return Converted(project=project, lock=lock, artefacts=artefacts, outputs=outputs)


def _remapped(package: LockedPackage, project: Project) -> LockedPackage:
    """Let a package come from where the project says that it comes from."""
    for remap in project.packages.remaps:
        source = str(rattler_channel(remap.source).base_url).rstrip("/") + "/"
        if package.url.startswith(source):
            destination = str(rattler_channel(remap.destination).base_url).rstrip("/")
            url = f"{destination}/{package.url.removeprefix(source)}"
            return replace(package, url=url, channel=destination)
    return package


def _image(
    project: Project, lock: PlatformLock, archives: Mapping[str, Path], folder: Path, means: Means
) -> Image:
    from cuvee.image.build import build_image
    from cuvee.trust.sbom import make_sbom, newest

    names = {_name(project, spec): str(_parsed(project, spec)) for spec in project.packages.requested}
    requested = {name: names[name] for name in sorted(names) if name in lock.by_name}
    label = ReleaseLabel(distribution=project.distribution, version=project.version, title=project.name)
    return build_image(
        lock,
        release=label,
        archives=archives,
        requested=requested,
        cache=means.cache,
        folder=folder / "image",
        compiler=byte_compiler(lock, means.cache, means.reporter),
        reporter=means.reporter,
        settings=_settings(project, folder),
        sbom=make_sbom(lock, release=label, direct=requested, made_at=newest(lock)),
    )


def _settings(project: Project, folder: Path) -> InstallerSettings:
    if not project.frozen:
        return project.settings
    source = folder / "frozen"
    write_text(source, project.frozen)
    marker = ExtraFile(source=source, target="conda-meta/frozen", sha256=sha256_file(source))
    files = sorted((*project.settings.extra_files, marker), key=lambda file: file.target)
    return replace(project.settings, extra_files=tuple(files))


def _make(
    project: Project, image: Image, kind: str, output: Path, reporter: Reporter, *, exe: Artefact | None
) -> Artefact:
    name = project.file_name or installer_name(image, kind, name=project.name)
    start = monotonic()
    try:
        made = output / exe.path if exe is not None and exe.not_made is None else None
        target = make(kind, image, project.branding, output / name, reporter, exe=made)
    except (ToolMissingError, TooLargeError, UsageError) as error:
        if not isinstance(error, ToolMissingError) and len(project.formats) == 1:
            raise
        return Artefact(
            path=name,
            kind=ArtefactKind.INSTALLER,
            platform=project.platform,
            format=kind,
            not_made=NotMade.because_of(error),
        )
    seconds = round(monotonic() - start, 3)
    return artefact_at(
        output, target, ArtefactKind.INSTALLER, platform=project.platform, form=kind, seconds=seconds
    )

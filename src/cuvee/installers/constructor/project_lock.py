"""Locking a constructor project: its specs are solved, or its archives are fetched and locked."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.channel.connection import Connection
from cuvee.conda.match_spec import read_spec
from cuvee.errors import UsageError
from cuvee.image.python_paths import DECODERS, decoder_requirement, is_decoder, needs_decoder
from cuvee.installers.constructor.kept_locks import SolvedProject, kept_or_solved
from cuvee.installers.constructor.model import Project
from cuvee.lock.model import PlatformLock
from cuvee.progress import Reporter

if TYPE_CHECKING:
    from rattler import MatchSpec

    from cuvee.manifest.model import Requirement


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectTools:
    """What converting a project needs: the cache, the connection to channels, and the reporter."""

    cache: Path
    connection: Connection
    reporter: Reporter


def lock_project(project: Project, tools: ProjectTools) -> PlatformLock:
    """Return the closure of a project, without the packages that it excludes.

    Raises
    ------
    UsageError
        If a spec is not a match spec, or if it excludes a package that is not in the closure or that the
        installer needs.
    UnsolvableError
        If there is no solution.
    """
    packages = project.packages
    if packages.archives:
        from cuvee.installers.constructor.explicit_archives import lock_archives

        lock = lock_archives(
            packages.archives,
            project.platform,
            packages.floor,
            cache=tools.cache,
            connection=tools.connection,
            reporter=tools.reporter,
        )
    else:
        lock = _solve(project, tools)
    absent = sorted(set(packages.exclude) - set(lock.by_name))
    if absent:
        raise UsageError(
            f"{project.source}: {', '.join(absent)} cannot be excluded, since no package depends on it"
        )
    kept = tuple(package for package in lock.packages if package.name not in packages.exclude)
    lock = replace(lock, packages=kept)
    _check_startable(project, lock)
    return lock


def project_name_and_spec(project: Project, spec: str) -> tuple[str, str]:
    """Return the package's name and the whole of a match spec, as rattler writes it.

    Raises
    ------
    UsageError
        If it is not a match spec, or names no package.
    """
    parsed = _parsed(project, spec)
    name = getattr(parsed.name, "normalized", None)
    if not name:
        raise UsageError(f"{project.source}: {spec} names no package")
    return str(name), str(parsed)


def _check_startable(project: Project, lock: PlatformLock) -> None:
    """Raise `UsageError` unless installers can start: they run on the closure's own interpreter."""
    python = lock.by_name.get("python")
    if python is None:
        raise UsageError(
            f"{project.source}: there is no python among the packages",
            hint="Our installers run on the Python that they install; add it to the specs.",
        )
    if _lacks_decoder(lock):
        raise UsageError(
            f"{project.source}: neither {' nor '.join(DECODERS)} is among the packages",
            hint="Our installers unpack with one of them, unless Python is 3.14 or newer; add one.",
        )


def _lacks_decoder(lock: PlatformLock) -> bool:
    python = lock.by_name.get("python")
    if python is None or not needs_decoder(python.version):
        return False
    return lock.by_name.keys().isdisjoint(DECODERS) and not any(map(is_decoder, lock.by_name))


def _solve(project: Project, tools: ProjectTools) -> PlatformLock:
    task = f"Solving for {project.platform}"
    tools.reporter.start(task)
    solved = kept_or_solved(
        project,
        lambda: _solve_anew(project, tools.connection),
        cache=tools.cache,
        connection=tools.connection,
        reporter=tools.reporter,
    )
    if solved.added:
        tools.reporter.say(solved.added)
    tools.reporter.finish(task, note=f"{len(solved.lock.packages)} packages")
    return solved.lock


def _solve_anew(project: Project, connection: Connection) -> SolvedProject:
    requested = tuple(_requirement(project, spec) for spec in project.packages.specs)
    if "python" not in {item.name for item in requested}:
        requested = (*requested, _requirement(project, "python"))
    lock = _solve_for(project, requested, connection)
    if not _lacks_decoder(lock):
        return SolvedProject(lock=lock)
    decoder = decoder_requirement((project.platform,), requested[0].position)
    lock = _solve_for(project, (*requested, decoder), connection)
    return SolvedProject(lock=lock, added=f"{decoder.name} is added: {decoder.reason}")


def _solve_for(
    project: Project, requested: "tuple[Requirement, ...]", connection: Connection
) -> PlatformLock:
    from cuvee.lock.solve import Problem, solve
    from cuvee.manifest.model import PlatformEntry

    problem = Problem(
        platforms=(PlatformEntry(name=project.platform, floor=project.packages.floor),),
        requirements=requested,
        channels=project.packages.channels,
    )
    return solve(problem, connection).platforms[0]


def _parsed(project: Project, spec: str) -> "MatchSpec":
    read = read_spec(spec)
    if read.matcher is None:
        raise UsageError(f"{project.source}: {spec[:80]} is not a match spec: {read.problem}")
    return read.matcher


def _requirement(project: Project, spec: str) -> "Requirement":
    from cuvee.manifest.model import Position, Requirement

    name, match = project_name_and_spec(project, spec)
    return Requirement(
        name=name,
        version=str(_parsed(project, spec).version or "*"),
        platforms=(project.platform,),
        match=match,
        position=Position(file=project.source, line=_line(project.source, spec), column=1),
    )


def _line(source: Path, spec: str) -> int:
    """Return the first line with the spec, or 1: a template may have made it."""
    lines = source.read_text(encoding="utf-8").splitlines()
    return next((number for number, line in enumerate(lines, start=1) if spec in line), 1)

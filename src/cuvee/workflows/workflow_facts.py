"""What a workflow needs to know of a release: its manifest, and the machines that can test its installers."""

import re
import tomllib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from cuvee import platforms
from cuvee.errors import UsageError
from cuvee.manifest.model import Manifest
from cuvee.workflows.ci_systems import CUTS_ON, PROGRAMS, CiSystem

_TESTED = {"linux": "sh", "osx": "sh", "win": "exe"}
"""The format that tests install with, by system; the others are for services of their systems."""

# A CI system replaces what begins with a dollar sign in the values of its variables.
_SAFE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff$]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformJob:
    """A platform, and the machine that builds its packages or tests its installer."""

    platform: str
    machine: str

    @property
    def system(self) -> str:
        """The operating system of the machine."""
        return platforms.get(self.platform).system


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowFacts:
    """What the template of a workflow takes.

    Attributes
    ----------
    manifest
        The manifest's path below the root of the repository, with ``/``.
    release, distribution
        The names of the release, and of its distribution.
    requirement
        What pip installs to bring cuvee.
    jobs
        The platforms that are tested.
    left_out
        The others that the release is for, with the reasons.
    programs
        Packages of Debian and Ubuntu that cutting needs.
    builds
        The platforms whose packages of recipes are built on a machine of theirs.
    not_built
        The others that have such packages, with the reasons.
    """

    manifest: str
    release: str
    distribution: str
    requirement: str
    jobs: tuple[PlatformJob, ...]
    left_out: tuple[tuple[str, str], ...]
    programs: tuple[str, ...]
    builds: tuple[PlatformJob, ...] = ()
    not_built: tuple[tuple[str, str], ...] = ()

    @property
    def built_options(self) -> str:
        """The options by which the release takes what was built."""
        return "".join(f" --built built/{job.platform}" for job in self.builds)


def facts_of(manifest: Manifest, system: CiSystem, *, requirement: str | None = None) -> WorkflowFacts:
    """Return the facts of a manifest that is in a repository.

    Parameters
    ----------
    requirement
        What pip installs; `None` is this version of cuvee, or the checkout if the repository is cuvee's own.

    Raises
    ------
    DocumentError, ToolMissingError
        If its recipes cannot be read.
    UsageError
        If there is no repository, no installer that a hosted machine could test, or a name that CI systems
        would not take as it is.
    """
    root = repository_of(manifest.path)
    if manifest.installers.engine != "cuvee":
        raise UsageError(
            f"{manifest.path}: {manifest.installers.engine} makes its installers, which no workflow sets up",
            hint="Leave `engine` out of `installers`, or write the workflow by hand.",
        )
    jobs, left_out = _jobs(manifest, system)
    if not jobs:
        reasons = "\n".join(f"  {platform}: {reason}" for platform, reason in left_out)
        raise UsageError(
            f"{manifest.release_name} has nothing to test on {system.title}:\n{reasons}",
            hint="Name installers in the manifest, such as `installers: {formats: {linux: [sh]}}`.",
        )
    made = {kind for entry in manifest.present_platforms for kind in _formats(manifest, entry.name)}
    builds, not_built = _builds(manifest, system)
    return WorkflowFacts(
        manifest=as_it_is(manifest.path.resolve().relative_to(root).as_posix(), "path of the manifest"),
        release=manifest.release_name,
        distribution=manifest.distribution,
        requirement=as_it_is(requirement or _requirement(root, manifest), "requirement"),
        jobs=jobs,
        left_out=left_out,
        programs=tuple(sorted(name for kind in made for name in PROGRAMS.get(kind, ()))),
        builds=builds,
        not_built=not_built,
    )


def repository_of(path: Path) -> Path:
    """Return the root of the git repository that a file is in.

    Raises
    ------
    UsageError
        If it is in none.
    """
    for folder in path.resolve().parents:
        if (folder / ".git").exists():
            return folder
    raise UsageError(
        f"{path} is in no git repository, and a workflow checks one out", hint="Run `git init` in its root."
    )


def _jobs(
    manifest: Manifest, system: CiSystem
) -> tuple[tuple[PlatformJob, ...], tuple[tuple[str, str], ...]]:
    jobs, left_out = [], []
    for entry in manifest.present_platforms:
        formats, wanted = _formats(manifest, entry.name), _TESTED[platforms.get(entry.name).system]
        machine = system.machines.get(entry.name)
        if not formats:
            left_out.append((entry.name, "the manifest names no installer for it"))
        elif wanted not in formats:
            left_out.append((entry.name, f"tests install with a .{wanted}, which the manifest does not name"))
        elif machine is None:
            left_out.append((entry.name, system.no_machine.get(entry.name, "there is no machine for it")))
        else:
            jobs.append(PlatformJob(platform=entry.name, machine=machine))
    return tuple(jobs), tuple(left_out)


def _builds(
    manifest: Manifest, system: CiSystem
) -> tuple[tuple[PlatformJob, ...], tuple[tuple[str, str], ...]]:
    if not manifest.recipes:
        return (), ()
    from cuvee.workflows.compiled_platforms import compiled_platforms

    jobs, left_out = [], []
    for platform in compiled_platforms(manifest, machine=CUTS_ON):
        machine = system.machines.get(platform)
        if machine is None:
            left_out.append((platform, system.no_machine.get(platform, "there is no machine for it")))
        else:
            jobs.append(PlatformJob(platform=platform, machine=machine))
    return tuple(jobs), tuple(left_out)


def _formats(manifest: Manifest, platform: str) -> tuple[str, ...]:
    return tuple(manifest.installers.formats.get(platforms.get(platform).system, ()))


def _requirement(root: Path, manifest: Manifest) -> str:
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
    except (OSError, ValueError):
        project = {}
    extra = "[build]" if manifest.recipes else ""
    return f".{extra}" if project.get("name") == "cuvee" else f"cuvee{extra}=={version('cuvee')}"


def as_it_is(text: str, what: str) -> str:
    """Return a text that no CI system changes or takes for more than one line.

    Raises
    ------
    UsageError
        If it is another one.
    """
    if not _SAFE.fullmatch(text):
        raise UsageError(
            f"The {what} has a character that CI systems do not take as it is: {text!r}",
            hint="Leave out dollar signs and control characters.",
        )
    return text

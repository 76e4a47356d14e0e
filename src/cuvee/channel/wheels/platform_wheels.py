"""The wheels that were chosen for each platform, and the packages to make of all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.version import Version

from cuvee.channel.wheels.dependencies import ResolvedProjects, environment
from cuvee.channel.wheels.planned_packages import InspectedWheel, PlannedPackage, plan
from cuvee.channel.wheels.resolved_metadata import check_resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformWheels:
    """What was resolved for one platform.

    Attributes
    ----------
    python
        The full version of the interpreter.
    wheels
        Those to import, by project.
    resolved
        The versions that were resolved, by project, also of those that channels carry.
    carried
        The projects that channels carry.
    extras
        What the manifest requests of a project.
    conda_names
        The conda names of projects, where they are not the normalised ones.
    """

    platform: str
    python: str
    wheels: Mapping[str, InspectedWheel]
    resolved: Mapping[str, Version]
    carried: frozenset[str]
    extras: Mapping[str, tuple[str, ...]]
    conda_names: Mapping[str, str]

    def depends(self) -> dict[str, tuple[str, ...]]:
        """Return the match specs that each project depends on, without `python`.

        Raises
        ------
        IntegrityError
            If the wheels are not those that were resolved.
        """
        projects = ResolvedProjects(
            projects={name: wheel.metadata for name, wheel in self.wheels.items()},
            environment=environment(self.platform, self.python),
            conda_names=self.conda_names,
        )
        check_resolution(projects, self.resolved, self.extras, python=self.python, carried=self.carried)
        return {name: projects.depends(name, self.extras.get(name, ())) for name in self.wheels}


def plan_all(chosen: Sequence[PlatformWheels], launcher: str | None) -> list[PlannedPackage]:
    """Return the packages of all projects; ``launcher`` is the hex digest of the one for Windows.

    Raises
    ------
    IntegrityError
        If the wheels are not those that were resolved.
    """
    minors = {item.platform: ".".join(item.python.split(".")[:2]) for item in chosen}
    depends = {item.platform: item.depends() for item in chosen}
    planned: list[PlannedPackage] = []
    for name in sorted({name for item in chosen for name in item.wheels}):
        here = {item.platform: item.wheels[name] for item in chosen if name in item.wheels}
        needs = {platform: depends[platform][name] for platform in here}
        conda_name = chosen[0].conda_names.get(name, name)
        planned += (_named(package, conda_name) for package in plan(here, needs, minors, launcher))
    return planned


def _named(package: PlannedPackage, conda_name: str) -> PlannedPackage:
    return replace(package, conversion=replace(package.conversion, conda_name=conda_name))

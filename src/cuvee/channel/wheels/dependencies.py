"""The dependencies of imported packages: markers evaluated for the target platform, extras expanded.

https://packaging.python.org/en/latest/specifications/dependency-specifiers/ (PEP 508)

An extra is a set of dependencies. A package that requires ``foo[bar]`` depends on ``foo`` and on what
``bar`` adds to it, transitively. The package ``foo`` gets these only if the manifest requests ``foo[bar]``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from cuvee import platforms
from cuvee.channel.wheels.core_metadata import CoreMetadata
from cuvee.channel.wheels.version_specs import conda_spec


def environment(platform: str, python: str) -> dict[str, str]:
    """Return the PEP 508 environment of CPython ``python`` (full version) on a platform.

    What only a running machine knows (``platform_release``, ``platform_version``) are empty, as in uv.
    """
    minor = ".".join(python.split(".")[:2])
    return {
        "implementation_name": "cpython",
        "implementation_version": python,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_version": "",
        "python_full_version": python,
        "python_version": minor,
        **dict(platforms.get(platform).markers),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedProjects:
    """All projects that were resolved for one platform, by name, and its marker environment.

    ``conda_names`` are those of projects whose packages do not have the normalised name.
    """

    projects: Mapping[str, CoreMetadata]
    environment: Mapping[str, str]
    conda_names: Mapping[str, str] = field(default_factory=dict)

    def requirements(self, name: str, extras: tuple[str, ...] = ()) -> Mapping[str, SpecifierSet]:
        """Return the other projects that ``name`` requires here, with all bounds on each."""
        bounds_by_name: dict[str, SpecifierSet] = {}
        for key, specifiers in self._expand(name, frozenset(extras), set()):
            bounds_by_name[key] = bounds_by_name.get(key, SpecifierSet()) & specifiers
        bounds_by_name.pop(name, None)
        return bounds_by_name

    def depends(self, name: str, extras: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return the match specs that project ``name`` depends on here, sorted and without `python`."""
        bounds_by_name = self.requirements(name, extras)
        specs = (
            (self.conda_names.get(key, key), conda_spec(bounds, self._version(key)))
            for key, bounds in bounds_by_name.items()
        )
        return tuple(sorted(key if spec == "*" else f"{key} {spec}" for key, spec in specs))

    def _version(self, name: str) -> Version | None:
        return self.projects[name].version if name in self.projects else None

    def _expand(
        self, name: str, extras: frozenset[str], seen: set[tuple[str, str]], *, base: bool = True
    ) -> Iterator[tuple[str, SpecifierSet]]:
        """Yield what a project requires, names normalised; without ``base`` only what its extras add."""
        project = self.projects.get(name)
        for requirement in project.requires if project else ():
            always = self._applies(requirement, "")
            if always and not base:
                continue
            if not always and not any(self._applies(requirement, extra) for extra in extras):
                continue
            other = canonicalize_name(requirement.name)
            yield other, requirement.specifier
            new = {
                extra for extra in map(canonicalize_name, requirement.extras) if (other, extra) not in seen
            }
            if new:
                seen.update((other, extra) for extra in new)
                yield from self._expand(other, frozenset(new), seen, base=False)

    def _applies(self, requirement: Requirement, extra: str) -> bool:
        return requirement.marker is None or requirement.marker.evaluate({**self.environment, "extra": extra})


def python_spec(requires: SpecifierSet, minor: str | None) -> str:
    """Return the dependency on `python`, by ``Requires-Python``.

    ``minor`` is the only minor version whose folders the package uses, such as ``3.11``, or `None`.
    """
    if minor is None:
        spec = conda_spec(requires)
        return "python" if spec == "*" else f"python {spec}"
    major, number = map(int, minor.split("."))
    bounds = f">={minor},<{major}.{number + 1}.0a0"
    within = (Version(f"{minor}.{micro}") for micro in range(100))
    if all(requires.contains(version, prereleases=True) for version in within):
        return f"python {bounds}"
    return f"python {bounds},{conda_spec(requires)}"

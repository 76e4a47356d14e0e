"""What an imported package depends on: markers evaluated for the target platform, extras followed.

An extra is a bundle of dependencies. Whoever asks for ``foo[bar]`` depends on ``foo`` and on what ``bar``
adds to it, transitively; the package ``foo`` itself gets them only if the manifest asks for ``foo[bar]``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from cuvee import platforms
from cuvee.channel.wheels.core_metadata import CoreMetadata
from cuvee.channel.wheels.version_specs import conda_spec


def environment(platform: str, python: str) -> dict[str, str]:
    """Give the PEP 508 environment of CPython ``python`` (full version) on a platform.

    What only a running machine knows (``platform_release``, ``platform_version``) is empty, as in uv.
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
    """All projects that were resolved for one platform, by name, and its PEP 508 environment."""

    projects: Mapping[str, CoreMetadata]
    environment: Mapping[str, str]

    def depends(self, name: str, extras: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Give the match specs of what project ``name`` needs here, sorted; `python` is not among them."""
        asked: dict[str, SpecifierSet] = {}
        for key, specifiers in self._expand(name, frozenset(extras), set()):
            asked[key] = asked.get(key, SpecifierSet()) & specifiers
        asked.pop(name, None)
        specs = ((key, conda_spec(bounds, self._version(key))) for key, bounds in asked.items())
        return tuple(sorted(key if spec == "*" else f"{key} {spec}" for key, spec in specs))

    def _version(self, name: str) -> Version | None:
        return self.projects[name].version if name in self.projects else None

    def _expand(
        self, name: str, extras: frozenset[str], seen: set[tuple[str, str]], *, base: bool = True
    ) -> Iterator[tuple[str, SpecifierSet]]:
        """Yield what a project asks for, names normalised; without ``base`` only what its extras add."""
        project = self.projects.get(name)
        for requirement in project.requires if project else ():
            always = self._holds(requirement, "")
            if always and not base:
                continue
            if not always and not any(self._holds(requirement, extra) for extra in extras):
                continue
            other = canonicalize_name(requirement.name)
            yield other, requirement.specifier
            new = {
                extra for extra in map(canonicalize_name, requirement.extras) if (other, extra) not in seen
            }
            if new:
                seen.update((other, extra) for extra in new)
                yield from self._expand(other, frozenset(new), seen, base=False)

    def _holds(self, requirement: Requirement, extra: str) -> bool:
        return requirement.marker is None or requirement.marker.evaluate({**self.environment, "extra": extra})


def python_spec(requires: SpecifierSet, minor: str | None) -> str:
    """Give the dependency on `python`.

    Parameters
    ----------
    requires
        ``Requires-Python``.
    minor
        The only minor version that the package's files are laid out for, such as ``3.11``, or `None`.
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

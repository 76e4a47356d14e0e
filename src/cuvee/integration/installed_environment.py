"""What an installed release's interpreter says is there, and which requirements that meets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from packaging.markers import InvalidMarker, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from cuvee.channel.wheels.lenient_requirements import lenient_requirement


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledDistribution:
    """A Python distribution as the interpreter finds it.

    ``missing`` lists absent files of its RECORD; `None` when it has none. ``scripts`` are the commands of its
    entry points, each with the extras that it needs.
    """

    name: str | None
    version: str
    requires: tuple[str, ...] = ()
    missing: tuple[str, ...] | None = ()
    scripts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class InstalledEnvironment:
    """What ``inside/describe_environment.py`` prints.

    ``path`` is ``sys.path``; ``markers`` are the values of environment markers:
    https://packaging.python.org/en/latest/specifications/dependency-specifiers.
    """

    prefix: str
    base_prefix: str
    path: tuple[str, ...]
    markers: Mapping[str, str]
    distributions: tuple[InstalledDistribution, ...]

    @cached_property
    def by_name(self) -> Mapping[str, InstalledDistribution]:
        """The distributions by normalised name; the first one on ``sys.path`` is the one that is imported."""
        return {canonicalize_name(found.name): found for found in reversed(self.distributions) if found.name}

    @cached_property
    def scripts(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """The commands of entry points, each with the extras that it needs, as distribution and extra."""
        return {
            command: tuple((name, extra) for extra in extras)
            for name, found in self.by_name.items()
            for command, extras in found.scripts.items()
        }

    def unmet(self, text: str) -> str:
        """Return why a requirement is not met; the empty text if it is, or applies only with an extra."""
        try:
            requirement, _ = lenient_requirement(text)
            return self._unmet(text, requirement) if self._applies(requirement, "") else ""
        except (InvalidRequirement, InvalidMarker, UndefinedEnvironmentName) as error:
            return f"{text!r}, which cannot be parsed: {error}"

    def unmet_of_extra(self, name: str, extra: str) -> Iterator[str]:
        """Yield what an extra of a distribution requires beyond the distribution itself, and is not met."""
        pending, seen = [canonicalize_name(extra)], set[str]()
        found = self.by_name.get(canonicalize_name(name))
        while pending and found is not None:
            extra = pending.pop()
            seen.add(extra)
            for requirement in self._requirements_of(found, extra):
                if canonicalize_name(requirement.name) == canonicalize_name(name):  # ``tool[all]``
                    more = map(canonicalize_name, requirement.extras)
                    pending += [other for other in more if other not in seen]
                elif problem := self._unmet(str(requirement), requirement):
                    yield problem

    def _requirements_of(self, found: InstalledDistribution, extra: str) -> Iterator[Requirement]:
        """Yield the requirements that hold with an extra, and not without it."""
        for text in found.requires:
            try:
                requirement, _ = lenient_requirement(text)
                if self._applies(requirement, extra) and not self._applies(requirement, ""):
                    yield requirement
            except (InvalidRequirement, InvalidMarker, UndefinedEnvironmentName):
                continue  # the metadata test says so

    def _applies(self, requirement: Requirement, extra: str) -> bool:
        return requirement.marker is None or requirement.marker.evaluate({**self.markers, "extra": extra})

    def _unmet(self, text: str, requirement: Requirement) -> str:
        found = self.by_name.get(canonicalize_name(requirement.name))
        if found is None:
            return f"{text}, which is not installed"
        try:
            fits = requirement.specifier.contains(found.version, prereleases=True)
        except InvalidVersion:
            fits = False
        return "" if fits else f"{text}, but {found.version} is installed"

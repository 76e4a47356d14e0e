"""Is the closure complete, and does nothing in it contradict anything else?"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cuvee.graph.checks.base import STRICT
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import Edge, PlatformGraph, ReleaseGraph, parse_spec, record_of, spec_name
from cuvee.lock.model import LockedPackage


@dataclass(slots=True)
class _Group:
    """The victims, platforms and evidence of one cause."""

    packages: list[str]
    victims: list[str]
    platforms: list[str]
    evidence: list[str]


class _Causes:
    """Collects what was found by cause, so that one cause is one finding on all platforms."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}

    def add(self, cause: str, *, packages: list[str], victim: LockedPackage, evidence: str) -> None:
        group = self._groups.setdefault(
            cause, _Group(packages=packages, victims=[], platforms=[], evidence=[])
        )
        for items, item in (
            (group.victims, victim.identifier),
            (group.platforms, victim.platform),
            (group.evidence, evidence),
            (group.packages, victim.name),
        ):
            if item not in items:
                items.append(item)

    def findings(
        self, check: str, verdict: Verdict, release: ReleaseGraph, *, action: str
    ) -> Iterator[Finding]:
        for cause, group in self._groups.items():
            yield Finding(
                check=check,
                verdict=verdict,
                cause=cause,
                packages=tuple(group.packages),
                victims=tuple(group.victims),
                platforms=tuple(group.platforms),
                owners=release.owners_of(group.packages),
                evidence=tuple(group.evidence),
                action=action,
            )


class Metadata:
    """Every dependency can be read."""

    identifier = "metadata"
    family = "metadata"
    title = "Every dependency is a match spec that can be read."
    prerequisites: tuple[str, ...] = ()
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find entries of ``depends`` and ``constrains`` that are not match specs."""
        causes = _Causes()
        for graph in release.platforms:
            for package in graph.lock.packages:
                for text in (*package.depends, *package.constrains):
                    if spec_name(text) is None:
                        causes.add(
                            f"{package.stem} states {text!r}, which is not a match spec of one name",
                            packages=[package.name],
                            victim=package,
                            evidence=f"channel: {package.channel}",
                        )
        yield from causes.findings(
            self.identifier,
            Verdict.BLOCKED,
            release,
            action="Have the channel's metadata mended, or take another build.",
        )


class Closure:
    """Every dependency is met within the set."""

    identifier = "closure"
    family = "graph"
    title = "Every dependency of every package is met by a package of the set."
    prerequisites = ("duplicates", "metadata")
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find dependencies on packages, and requirements of the manifest, that nothing in the set meets."""
        causes = _Causes()
        for graph in release.platforms:
            for edge in graph.edges:
                if not edge.satisfied and not edge.is_virtual:
                    _add_unmet(causes, edge)
        yield from causes.findings(
            self.identifier,
            Verdict.BLOCKED,
            release,
            action="Solve again, or add what is missing to a channel.",
        )
        yield from _unmet_requirements(self.identifier, release)


class Floor:
    """The set asks no more of a system than the release promises."""

    identifier = "floor"
    family = "graph"
    title = "Nothing asks more of the operating system than the platform's floor."
    prerequisites = ("metadata",)
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find dependencies on virtual packages that the floor does not offer."""
        causes = _Causes()
        for graph in release.platforms:
            for edge in graph.edges:
                if edge.is_virtual and not edge.satisfied:
                    _add_unmet(causes, edge)
        yield from causes.findings(
            self.identifier,
            Verdict.BLOCKED,
            release,
            action="Raise the platform's floor, or take an older build.",
        )


class Constrains:
    """No package contradicts another."""

    identifier = "constrains"
    family = "graph"
    title = "What a package constrains is within its bounds, or not in the set."
    prerequisites = ("duplicates", "metadata")
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find packages of the set that another one's ``constrains`` excludes."""
        causes = _Causes()
        for graph in release.platforms:
            for package in graph.lock.packages:
                for text in package.constrains:
                    other = _outside(graph, text)
                    if other is not None:
                        causes.add(
                            f"{other.stem} is outside of {text!r}, to which {package.name} constrains it",
                            packages=[other.name],
                            victim=package,
                            evidence=f"{package.stem} constrains {text}",
                        )
        yield from causes.findings(
            self.identifier, Verdict.BLOCKED, release, action="Pin one of the two so that they fit together."
        )


class Constraints:
    """Nothing contradicts the manifest's constraints."""

    identifier = "constraints"
    family = "policy"
    title = "Nothing in the set contradicts the manifest's constraints."
    prerequisites = ("duplicates", "metadata")
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find packages outside of the manifest's ``constraints``."""
        causes = _Causes()
        for graph in release.platforms:
            for constraint in release.manifest.constraints:
                other = _outside(graph, constraint.spec)
                if other is not None:
                    causes.add(
                        f"{other.stem} is outside of the constraint {constraint.spec!r}",
                        packages=[other.name],
                        victim=other,
                        evidence=f"stated at {constraint.position}",
                    )
        yield from causes.findings(
            self.identifier, Verdict.BLOCKED, release, action="Solve again, or relax the constraint."
        )


def _add_unmet(causes: _Causes, edge: Edge) -> None:
    has = f"the set has {', '.join(edge.found)}" if edge.found else "the set has none"
    causes.add(
        f"Nothing in the set meets {edge.spec!r}: {has}",
        packages=[edge.target] if edge.target and not edge.is_virtual else [],
        victim=edge.source,
        evidence=f"{edge.source.stem} depends on {edge.spec}",
    )


def _outside(graph: PlatformGraph, text: str) -> LockedPackage | None:
    spec, package = parse_spec(text), graph.lock.by_name.get(spec_name(text) or "")
    if spec is None or package is None or spec.matches(record_of(package)):
        return None
    return package


def _unmet_requirements(check: str, release: ReleaseGraph) -> Iterator[Finding]:
    for requirement in release.manifest.packages:
        spec = parse_spec(requirement.spec)
        platforms = []
        for graph in release.platforms:
            package = graph.lock.by_name.get(requirement.name)
            is_met = spec is not None and package is not None and spec.matches(record_of(package))
            if graph.platform in requirement.platforms and not is_met:
                platforms.append(graph.platform)
        if platforms:
            yield Finding(
                check=check,
                verdict=Verdict.BLOCKED,
                cause=f"The manifest asks for {requirement.spec!r}, which the lock does not have",
                packages=(requirement.name,),
                platforms=tuple(platforms),
                owners=release.owners_of([requirement.name]),
                evidence=(f"asked for at {requirement.position}",),
                action="Run `cuvee lock` again.",
            )

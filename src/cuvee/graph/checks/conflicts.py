"""Checks that no package contradicts the floor, another package, or the manifest's constraints."""

from collections.abc import Iterable

from cuvee.conda.match_spec import read_spec
from cuvee.graph.checks.check_interface import Check
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.findings import Finding
from cuvee.graph.release_graph import ReleaseGraph, meets


class FloorCheck(Check):
    """No package needs a newer operating system than the platform's floor."""

    identifier = "floor"
    family = "graph"
    prerequisites = ("metadata",)

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        causes = FindingCollector(self, release)
        for graph in release.platforms:
            for edge in graph.edges:
                if edge.is_virtual and not edge.satisfied:
                    has = f"the floor is {', '.join(edge.found)}" if edge.found else "the floor has none"
                    causes.add(
                        f"The floor does not meet {edge.spec!r}: {has}",
                        victim=edge.source,
                        evidence=f"{edge.source.stem} depends on {edge.spec}",
                        kind="depends",
                    )
            offered = {item.name: item for item in graph.lock.virtual_packages}
            for package in graph.lock.packages:
                for text in package.constrains:
                    item = offered.get(read_spec(text).name)
                    if item is not None and not meets(text, item):
                        cause = f"The floor {item} is outside of {text!r}, which {package.name} constrains"
                        evidence = f"{package.stem} constrains {text}"
                        causes.add(cause, victim=package, evidence=evidence, kind="constrains")
        yield from causes.findings("Raise the platform's floor, or take an older build.")


class ConstrainsCheck(Check):
    """Every package is within the bounds that the `constrains` of others set."""

    identifier = "constrains"
    family = "graph"
    prerequisites = ("duplicates", "metadata")

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        causes = FindingCollector(self, release)
        for graph in release.platforms:
            for package, text, other in graph.contradictions():
                causes.add(
                    f"{other.stem} is outside of {text!r}, which {package.name} constrains",
                    at_fault=other.name,
                    victim=package,
                    evidence=f"{package.stem} constrains {text}",
                )
        yield from causes.findings("Pin one of the two to a version that fits the other.")


class ConstraintsCheck(Check):
    """Nothing in the set contradicts the manifest's constraints."""

    identifier = "constraints"
    family = "policy"
    prerequisites = ("duplicates", "metadata")

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        causes = FindingCollector(self, release)
        for graph in release.platforms:
            for constraint in release.manifest.constraints:
                other = graph.excluded_by(constraint.spec)
                if other is not None:
                    causes.add(
                        f"{other.stem} is outside of the constraint {constraint.spec!r}",
                        victim=other,
                        evidence=f"stated at {constraint.position}",
                    )
        yield from causes.findings("Solve again, or relax the constraint.")

"""The check that the closure is complete."""

from collections.abc import Iterable, Iterator

from cuvee.graph.checks.check_interface import Check
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.checks.unmet_dependencies import unmet_reason
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph, meets


class ClosureCheck(Check):
    """Every dependency of every package is met by a package of the set."""

    identifier = "closure"
    family = "graph"
    prerequisites = ("duplicates", "metadata")

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        causes = FindingCollector(self, release)
        for graph in release.platforms:
            for edge in graph.edges:
                if not edge.satisfied and not edge.is_virtual:
                    kind, why = unmet_reason(release, graph, edge)
                    causes.add(
                        f"No package of the set meets {edge.spec!r}: {why}",
                        at_fault=edge.target,
                        victim=edge.source,
                        evidence=f"{edge.source.stem} depends on {edge.spec}",
                        kind=kind.value,
                    )
        yield from causes.findings("Solve again, or add the missing package to a channel.")
        yield from self._requirements(release)

    def _requirements(self, release: ReleaseGraph) -> Iterator[Finding]:
        for requirement in (*release.manifest.packages, *release.additions):
            platforms = []
            for graph in release.platforms:
                package = graph.lock.by_name.get(requirement.name)
                is_met = package is not None and meets(requirement.spec, package)
                if graph.platform in requirement.platforms and not is_met:
                    platforms.append(graph.platform)
            if platforms:
                yield Finding(
                    check=self.identifier,
                    verdict=Verdict.BLOCKED,
                    cause=f"The manifest requests {requirement.spec!r}, which the lock does not have",
                    kind="requirement",
                    packages=(requirement.name,),
                    platforms=tuple(platforms),
                    evidence=(f"requested at {requirement.position}",),
                    action="Run `cuvee lock` again.",
                )

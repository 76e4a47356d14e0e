"""Checks of the graph's structure: unique names and no cycles."""

from collections import Counter
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from cuvee.graph.checks.check_interface import NOTICE, Check
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import PlatformGraph, ReleaseGraph


class DuplicatesCheck(Check):
    """Each name is in the set once per platform."""

    identifier = "duplicates"
    family = "graph"

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        for graph in release.platforms:
            counts = Counter(package.name for package in graph.lock.packages)
            for name in sorted(name for name, count in counts.items() if count > 1):
                found = [package for package in graph.lock.packages if package.name == name]
                yield Finding(
                    check=self.identifier,
                    verdict=Verdict.BLOCKED,
                    cause=f"{name} is locked {len(found)} times on {graph.platform}",
                    packages=(name,),
                    victims=tuple(package.identifier for package in found),
                    platforms=(graph.platform,),
                    evidence=tuple(package.url for package in found),
                    action="Solve again; locks must not be edited by hand.",
                )


class CyclesCheck(Check):
    """No package depends on itself through others; conda allows it, but no build order does."""

    identifier = "cycles"
    family = "graph"
    prerequisites = ("duplicates",)
    severity = NOTICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        platforms: dict[tuple[str, ...], list[str]] = {}
        for graph in release.platforms:
            for group in _cycles(graph):
                platforms.setdefault(group, []).append(graph.platform)
        for names, where in sorted(platforms.items()):
            yield Finding(
                check=self.identifier,
                verdict=Verdict.BLOCKED,
                cause=f"{' and '.join(names)} depend on each other"
                if len(names) > 1
                else f"{names[0]} depends on itself",
                packages=names,
                platforms=tuple(where),
                action="No action is needed for an installation; builds from source must break the cycle.",
            )


def _cycles(graph: PlatformGraph) -> list[tuple[str, ...]]:
    """Return the names of each group of packages that depend on each other."""
    try:
        TopologicalSorter(graph.requires).prepare()
    except CycleError:
        import networkx as nx

        groups = nx.strongly_connected_components(graph.graph)
        return [
            tuple(sorted(group))
            for group in groups
            if len(group) > 1 or any(graph.graph.has_edge(name, name) for name in group)
        ]
    return []

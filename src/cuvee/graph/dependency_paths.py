"""The dependencies of one platform by name, and the shortest chains between two packages."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from cuvee.graph.release_graph import PlatformGraph


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One package's dependency on another: all match specs of the second in the first one's ``depends``."""

    source: str
    target: str
    specs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyPaths:
    """One platform's dependencies by name, forwards and backwards."""

    graph: PlatformGraph
    specs: Mapping[tuple[str, str], tuple[str, ...]]
    sources: Mapping[str, tuple[str, ...]]
    targets: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, graph: PlatformGraph) -> "DependencyPaths":
        """Return the dependencies of a platform's graph."""
        specs: dict[tuple[str, str], list[str]] = defaultdict(list)
        for edge in graph.edges:
            if edge.target is not None and edge.target != edge.source.name:
                specs[edge.source.name, edge.target].append(edge.spec)
        return cls(
            graph=graph,
            specs={pair: tuple(dict.fromkeys(texts)) for pair, texts in specs.items()},
            sources=_grouped((target, source) for source, target in specs),
            targets=_grouped(specs),
        )

    def stems(self, name: str) -> tuple[str, ...]:
        """Return the records of a name on this platform, as text."""
        lock = self.graph.lock
        return tuple(
            [package.stem for package in lock.packages if package.name == name]
            + [str(virtual) for virtual in lock.virtual_packages if virtual.name == name]
        )

    def distances(self, name: str) -> dict[str, int]:
        """Return the distance to ``name`` of each package that depends on it; ``name`` itself is at 0."""
        found, level = {name: 0}, [name]
        while level:
            level = sorted(
                {source for target in level for source in self.sources.get(target, ())} - found.keys()
            )
            distance = max(found.values()) + 1
            found |= dict.fromkeys(level, distance)
        return found

    def next_from(self, distances: Mapping[str, int], source: str) -> list[str]:
        """Return the first packages of the shortest chains from ``source``."""
        nearer = distances[source] - 1
        return [target for target in self.targets.get(source, ()) if distances.get(target) == nearer]

    def chains(self, distances: Mapping[str, int], source: str) -> Iterator[tuple[Dependency, ...]]:
        """Yield each shortest chain from ``source``, without recursion: chains may be thousands long."""
        names, choices = [source], [iter(self.next_from(distances, source))]
        while choices:
            target = next(choices[-1], None)
            if target is None:
                choices.pop()
                names.pop()
                continue
            names.append(target)
            choices.append(iter(self.next_from(distances, target)))
            if distances[target] == 0:
                yield tuple(
                    Dependency(source=one, target=other, specs=self.specs[one, other])
                    for one, other in pairwise(names)
                )

    def counts(self, distances: Mapping[str, int], farthest: int) -> dict[str, int]:
        """Return the number of shortest chains from each package, without following each of them."""
        counts: dict[str, int] = {}
        for source in sorted(distances, key=distances.__getitem__):
            if distances[source] > farthest:
                break
            chains = (counts[target] for target in self.next_from(distances, source))
            counts[source] = sum(chains) if distances[source] else 1
        return counts


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return {key: tuple(sorted(values)) for key, values in groups.items()}

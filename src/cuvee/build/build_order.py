"""The order of builds: waves of outputs; a cycle is named, with the smallest way to break it."""

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import TYPE_CHECKING

from cuvee.build.model import Output
from cuvee.conda.match_spec import read_spec
from cuvee.errors import BlockedError, DocumentError

if TYPE_CHECKING:
    import networkx as nx

_MOST_CYCLES, _MOST_TRIES = 500, 3000


class Need(enum.Enum):
    """What an output needs another for."""

    BUILD = "to build"
    HOST = "in its host environment"
    RUN = "at run time"
    TEST = "in its tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOrder:
    """Outputs by name, in waves: those of one wave need only outputs of the waves before it.

    Attributes
    ----------
    needs
        For each output, the outputs that it needs itself, with what for.
    unneeded
        Names of recipes of which neither the manifest nor another recipe needs anything.
    """

    waves: tuple[tuple[Output, ...], ...]
    needs: Mapping[str, Mapping[str, tuple[Need, ...]]]
    unneeded: tuple[str, ...] = ()

    def wave_of(self, name: str) -> int:
        """Return the number of the wave that an output is in, from 1."""
        return next(
            number for number, wave in enumerate(self.waves, 1) if name in {item.name for item in wave}
        )


def in_order(outputs: Iterable[Output], requested: Iterable[str]) -> BuildOrder:
    """Return the order in which outputs can be built.

    Raises
    ------
    DocumentError
        If two recipes make a package of the same name.
    BlockedError
        If outputs need each other.
    """
    import networkx as nx

    by_name = _by_name(outputs)
    needs = {name: _needs(output, by_name) for name, output in by_name.items()}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sorted(by_name))
    graph.add_edges_from((other, name) for name in sorted(needs) for other in sorted(needs[name]))
    if not nx.is_directed_acyclic_graph(graph):
        raise _cycle(graph, by_name, needs)
    waves = tuple(tuple(by_name[name] for name in sorted(wave)) for wave in nx.topological_generations(graph))
    return BuildOrder(waves=waves, needs=needs, unneeded=_unneeded(by_name, needs, set(requested)))


def _by_name(outputs: Iterable[Output]) -> dict[str, Output]:
    found: dict[str, Output] = {}
    for output in outputs:
        other = found.setdefault(output.name, output)
        if other is output:
            continue
        if other.recipe.file == output.recipe.file:
            raise DocumentError(
                f"{output.recipe.file} makes {output.name} in {other.variant} and in {output.variant}",
                hint="A release has one build of each package: leave one variant.",
            )
        raise DocumentError(
            f"Two recipes make {output.name}: {other.recipe.file} and {output.recipe.file}",
            hint="Remove one of them from `recipes` in the manifest.",
        )
    return found


def _needs(output: Output, by_name: Mapping[str, Output]) -> dict[str, tuple[Need, ...]]:
    kinds = {
        Need.BUILD: output.build_specs,
        Need.HOST: output.host_specs,
        Need.RUN: output.run_specs,
        Need.TEST: output.test_specs,
    }
    found: dict[str, tuple[Need, ...]] = {}
    for need, specs in kinds.items():
        for name in {read_spec(spec).name for spec in specs}:
            if name in by_name and name != output.name:
                found[name] = (*found.get(name, ()), need)
    return found


def _unneeded(
    by_name: Mapping[str, Output], needs: Mapping[str, Mapping[str, object]], requested: set[str]
) -> tuple[str, ...]:
    recipes = {output.recipe.name for output in by_name.values()}
    wanted = {by_name[name].recipe.name for name in requested if name in by_name}
    for name, others in needs.items():
        of_others = (by_name[other].recipe.name for other in others)
        wanted.update(recipe for recipe in of_others if recipe != by_name[name].recipe.name)
    return tuple(sorted(recipes - wanted))


def _cycle(
    graph: "nx.DiGraph[str]", by_name: Mapping[str, Output], needs: Mapping[str, Mapping[str, Sequence[Need]]]
) -> BlockedError:
    """Return the error for outputs that need each other: a cycle of each knot, and what to remove."""
    import networkx as nx

    lines, removals = ["Recipes need each other, so none of them can be built first:"], []
    knots = [part for part in nx.strongly_connected_components(graph) if len(part) > 1]
    for knot in sorted(knots, key=sorted):
        inner: nx.DiGraph[str] = nx.DiGraph(graph.subgraph(knot))
        names = min(
            islice(nx.simple_cycles(inner), _MOST_CYCLES), key=lambda cycle: (len(cycle), sorted(cycle))
        )
        start = names.index(min(names))
        ring = [*names[start:], *names[:start]]  # each is needed by the next
        for needed, name in zip(ring, [*ring[1:], ring[0]], strict=True):
            lines.append(f"  {name} needs {needed} {_why(needs[name][needed])}: {by_name[name].recipe.file}")
        removals += [f"{needed} from {name}" for needed, name in smallest_break(inner)]
    return BlockedError(
        "\n".join(lines),
        hint=f"The smallest way out is to remove {' and '.join(removals)}, or to take it from a channel.",
    )


def _why(needs: Sequence[Need]) -> str:
    return " and ".join(need.value for need in needs)


def smallest_break(graph: "nx.DiGraph[str]") -> tuple[tuple[str, str], ...]:
    """Return the fewest edges without which a graph has no cycle.

    All choices of one edge are tried, then of two, and so on; for a large knot that would take too long, so
    then it is an edge that is in most of the cycles found, again and again.
    """
    import networkx as nx

    edges = sorted(graph.edges)
    tries = 0
    for number in range(1, len(edges) + 1):
        for chosen in combinations(edges, number):
            tries += 1
            if tries > _MOST_TRIES:
                return tuple(_greedy_break(graph.copy()))
            rest = graph.copy()
            rest.remove_edges_from(chosen)
            if nx.is_directed_acyclic_graph(rest):
                return chosen
    return ()


def _greedy_break(graph: "nx.DiGraph[str]") -> Iterator[tuple[str, str]]:
    import networkx as nx

    while not nx.is_directed_acyclic_graph(graph):
        counts: dict[tuple[str, str], int] = {}
        for cycle in islice(nx.simple_cycles(graph), _MOST_CYCLES):
            for edge in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
                counts[edge] = counts.get(edge, 0) + 1
        chosen = max(sorted(counts), key=lambda edge: counts[edge])
        yield chosen
        graph.remove_edge(*chosen)

"""What the checks of archives share: getting at the contents, and keeping findings short."""

from collections.abc import Iterable, Iterator, Sequence

from cuvee.graph.checks.base import NotApplicable
from cuvee.graph.contents import Contents
from cuvee.graph.release_graph import PlatformGraph, ReleaseGraph

_SHOWN = 20


def opened(release: ReleaseGraph) -> Iterator[tuple[PlatformGraph, Contents]]:
    """Give each platform with what its archives hold.

    Raises
    ------
    NotApplicable
        If nobody opened them.
    """
    for graph in release.platforms:
        if graph.contents is None:
            raise NotApplicable("the archives were not opened; `cuvee check --archives` does")
        yield graph, graph.contents


def shown(lines: Iterable[str]) -> tuple[str, ...]:
    """Give lines once each, as many as anybody reads, and how many more there are."""
    unique = tuple(dict.fromkeys(lines))
    if len(unique) <= _SHOWN:
        return unique
    return (*unique[:_SHOWN], f"and {len(unique) - _SHOWN} more")


def counted(items: Sequence[str]) -> str:
    """Give ``a``, or ``a and 3 more``."""
    return items[0] if len(items) == 1 else f"{items[0]} and {len(items) - 1} more"

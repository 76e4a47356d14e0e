"""What the checks of archives share."""

from collections.abc import Iterator, Sequence

from cuvee.graph.checks.base import NotApplicable
from cuvee.graph.contents import Contents
from cuvee.graph.release_graph import PlatformGraph, ReleaseGraph


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


def counted(items: Sequence[str]) -> str:
    """Give ``a``, or ``a and 3 more``."""
    return items[0] if len(items) == 1 else f"{items[0]} and {len(items) - 1} more"

"""What the checks of archives share."""

from collections.abc import Iterator

from cuvee.graph.checks.check_protocol import NotApplicable
from cuvee.graph.prefix_contents import PrefixContents
from cuvee.graph.release_graph import PlatformGraph, ReleaseGraph


def opened(release: ReleaseGraph) -> Iterator[tuple[PlatformGraph, PrefixContents]]:
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

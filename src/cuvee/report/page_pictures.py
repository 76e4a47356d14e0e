"""The pictures that the page shows: of findings beside them, and of the whole release."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cuvee.graph.drawing.layered_svg import draw
from cuvee.graph.drawing.model import verdicts
from cuvee.graph.drawing.neighbourhood import around_finding
from cuvee.graph.drawing.treemap import draw_treemap
from cuvee.graph.drawing.waves import draw_waves
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import PlatformGraph, ReleaseGraph
from cuvee.release.record import Release
from cuvee.report.finding_rows import in_order

MOST = 20
"""How many findings get a picture, the worst first; a page with hundreds would open slowly."""

LARGEST = 400
"""Of how many packages the page has pictures of sizes and build waves; with more, it links to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """SVG texts without a style of their own.

    Attributes
    ----------
    findings
        By the anchor of the finding's row.
    platform
        The platform that the other two show: the manifest's first that is locked; empty without any.
    treemap, waves
        Of that platform.
    others
        The other platforms, or all if there are no pictures here: theirs are next to the findings in the
        release folder.
    """

    findings: Mapping[str, str] = field(default_factory=dict)
    platform: str = ""
    treemap: str = ""
    waves: str = ""
    others: tuple[str, ...] = ()


def pictures(release: Release, graph: ReleaseGraph) -> Pictures:
    """Return what the page shows of the graph of a release."""
    if not graph.platforms:
        return Pictures()
    first = graph.platforms[0]
    requested = {item.name for item in graph.requested(first.platform)}
    if len(first.lock.packages) > LARGEST:
        found = _of_findings(graph, in_order(release.findings))
        return Pictures(findings=found, others=tuple(item.platform for item in graph.platforms))
    seen = verdicts(release.findings, first.platform)
    name = release.name
    return Pictures(
        findings=_of_findings(graph, in_order(release.findings)),
        platform=first.platform,
        treemap=draw_treemap(first, requested, seen, release_name=name, standalone=False),
        waves=draw_waves(first, requested, seen, release_name=name, standalone=False),
        others=tuple(item.platform for item in graph.platforms[1:]),
    )


def _of_findings(release: ReleaseGraph, ordered: tuple[Finding, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, finding in enumerate(ordered, 1):
        if len(found) == MOST or finding.verdict <= Verdict.INFO:
            break
        picture = around_finding(release, _where(release, finding), finding)
        if picture is not None and picture.arrows:
            found[f"finding-{number}"] = draw(picture, standalone=False)
    return found


def _where(release: ReleaseGraph, finding: Finding) -> PlatformGraph:
    hit = (graph for graph in release.platforms if graph.platform in finding.platforms)
    return next(hit, release.platforms[0])

"""The graph of a release as files: pictures, and data for other programs."""

from collections.abc import Collection, Sequence
from pathlib import Path

from cuvee.files import write_text
from cuvee.graph.drawing.graph_formats import FORMATS, part_of_graph, whole_graph
from cuvee.graph.drawing.layered_svg import draw
from cuvee.graph.drawing.model import Picture, verdicts
from cuvee.graph.drawing.neighbourhood import around_finding, is_known, neighbourhood
from cuvee.graph.drawing.treemap import draw_treemap
from cuvee.graph.drawing.waves import draw_waves
from cuvee.graph.findings import Finding
from cuvee.graph.reasons import known_name
from cuvee.graph.release_graph import ReleaseGraph


def write_release(
    release: ReleaseGraph, findings: Sequence[Finding], folder: Path, formats: Collection[str]
) -> tuple[Path, ...]:
    """Write each platform's whole graph; ``svg`` stands for the treemap and the build waves."""
    written = []
    for graph in release.platforms:
        requested = {item.name for item in release.requested(graph.platform)}
        seen = verdicts(findings, graph.platform)
        name = release.manifest.release_name
        texts = {}
        if "svg" in formats:
            texts["treemap.svg"] = draw_treemap(graph, requested, seen, release_name=name)
            texts["waves.svg"] = draw_waves(graph, requested, seen, release_name=name)
        exported = whole_graph(graph, requested, seen)
        texts |= {f"graph.{kind}": write(exported) for kind, write in FORMATS.items() if kind in formats}
        for end, text in texts.items():
            written.append(folder / f"{graph.platform}-{end}")
            write_text(written[-1], text)
    return tuple(written)


def write_packages(
    release: ReleaseGraph,
    findings: Sequence[Finding],
    names: Sequence[str],
    folder: Path,
    formats: Collection[str],
) -> tuple[Path, ...]:
    """Write the neighbourhood of some packages, all in one picture, on each platform that has one of them.

    Raises
    ------
    UsageError
        If a name is on no platform.
    """
    names = [known_name(release, name) for name in names]
    written: list[Path] = []
    for graph in release.platforms:
        if any(is_known(graph, name) for name in names):
            seen = verdicts(findings, graph.platform)
            picture = neighbourhood(release, graph, names, seen)
            written += _write(
                picture, graph.platform, folder / f"{graph.platform}-{'-'.join(names)}", formats
            )
    return tuple(written)


def write_findings(
    release: ReleaseGraph,
    findings: Sequence[Finding],
    check: str,
    folder: Path,
    formats: Collection[str],
) -> tuple[Path, ...]:
    """Write a picture of each finding of a check, on each of its platforms."""
    written: list[Path] = []
    for number, finding in enumerate((item for item in findings if item.check == check), 1):
        for graph in release.platforms:
            if finding.platforms and graph.platform not in finding.platforms:
                continue
            picture = around_finding(release, graph, finding)
            if picture is not None:
                stem = folder / f"{graph.platform}-{check}-{number}"
                written += _write(picture, graph.platform, stem, formats)
    return tuple(written)


def _write(picture: Picture, platform: str, stem: Path, formats: Collection[str]) -> list[Path]:
    exported = part_of_graph(picture, platform)
    texts = {kind: write(exported) for kind, write in FORMATS.items() if kind in formats}
    if "svg" in formats:
        texts["svg"] = draw(picture)
    for kind, text in texts.items():
        write_text(stem.with_name(f"{stem.name}.{kind}"), text)
    return [stem.with_name(f"{stem.name}.{kind}") for kind in texts]

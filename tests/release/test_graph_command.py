"""``cuvee graph`` on a real release, and the pictures that each release carries."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import networkx as nx
import pytest

from cuvee import process
from cuvee.cli.main import run
from cuvee.release.record import Release
from needed_programs import need
from tiny_distribution import Distribution

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def arguments(tiny: tuple[Distribution, Release]) -> list[str]:
    distribution = tiny[0]
    manifest = distribution.root / "manifests" / "tiny" / "2026.11.0.yaml"
    cache = distribution.root / "cache"
    return ["graph", str(manifest), "--dist", str(distribution.dist), "--cache", str(cache), "-q"]


def test_a_release_carries_its_graph(tiny: tuple[Distribution, Release], host_platform: str) -> None:
    folder = tiny[1].folder / "checks" / "graph"
    assert {path.name for path in folder.iterdir()} == {
        f"{platform}-{end}"
        for platform in (host_platform, "win-64")
        for end in ("treemap.svg", "waves.svg", "graph.graphml", "graph.dot", "graph.json")
    }
    graph = nx.read_graphml(folder / f"{host_platform}-graph.graphml")
    lock = tiny[1].lock.by_platform[host_platform]
    assert set(graph) == set(lock.by_name)
    assert graph.nodes["tqdm"]["requested"]
    page = (tiny[1].folder / "report" / "index.html").read_text(encoding="utf-8")
    assert f"Sizes of packages in tiny-2026.11.0 on {host_platform}" in page
    assert 'href="../checks/graph/win-64-waves.svg"' in page


def test_a_package_is_drawn_where_it_is(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["colorama", "--format", "svg", "--format", "json", "-o", str(tmp_path)]
    assert run([*arguments, *options]) == 0
    written = capsys.readouterr().out.split()
    assert written == [str(tmp_path / f"win-64-colorama.{kind}") for kind in ("json", "svg")]
    nodes = json.loads((tmp_path / "win-64-colorama.json").read_text())["nodes"]
    assert {node["id"] for node in nodes} == {"colorama", "tqdm", "python"}
    ET.parse(tmp_path / "win-64-colorama.svg")  # noqa: S314 - our own


def test_a_package_that_is_not_there_is_not_guessed(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments, "coloram", "-o", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "tiny-2026.11.0 has no package 'coloram'" in told
    assert 'did you mean "colorama"?' in told


def test_graphviz_reads_what_is_written(tiny: tuple[Distribution, Release], host_platform: str) -> None:
    need("dot")
    path = tiny[1].folder / "checks" / "graph" / f"{host_platform}-graph.dot"
    done = process.run(process.Request(argv=("dot", "-Tplain", str(path))))
    assert done.ok, done.stderr
    shown = [line.split() for line in done.stdout.splitlines()]
    graph = nx.read_graphml(path.with_suffix(".graphml"))
    assert {line[1].strip('"') for line in shown if line[0] == "node"} == set(graph)
    assert sum(line[0] == "edge" for line in shown) == graph.number_of_edges()

import io
import json
from xml.etree import ElementTree as ET

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.graph.drawing.graph_formats import as_json, dot, graphml, part_of_graph, whole_graph
from cuvee.graph.drawing.layered_svg import draw
from cuvee.graph.drawing.model import Picture, PictureArrow, PictureNode, verdicts
from cuvee.graph.drawing.neighbourhood import MOST_NEIGHBOURS, around_finding, neighbourhood
from cuvee.graph.drawing.svg import fitting, stylesheet, text_width
from cuvee.graph.drawing.treemap import draw_treemap
from cuvee.graph.drawing.waves import draw_waves
from cuvee.graph.findings import Finding, Verdict
from tiny_graph import closure, release

NEEDS = {
    "app": ["lib >=1", "python"],
    "lib": ["base", "ghost >=3", "__glibc >=2.17"],
    "base": [],
    "python": ["base"],
    "other": ["lib >=5"],
}
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - our own


def test_a_neighbourhood_has_both_sides_and_a_path_from_the_requested_packages() -> None:
    made = release(NEEDS, ["app"])
    picture = neighbourhood(made, made.platforms[0], ["base"], {})
    assert {node.key: node.role for node in picture.nodes} == {
        "app": "requested",
        "base": "centre",
        "lib": "indirect",
        "python": "indirect",
    }
    assert [(link.source, link.target) for link in picture.arrows] == [
        ("app", "lib"),
        ("lib", "base"),
        ("python", "base"),
    ]


def test_what_is_asked_for_and_not_met_is_drawn_as_missing() -> None:
    made = release(NEEDS, ["app"])
    picture = neighbourhood(made, made.platforms[0], ["lib"], {"app": Verdict.WARNING})
    nodes = {node.key: node for node in picture.nodes}
    assert (nodes["ghost"].role, nodes["ghost"].note) == ("missing", "missing · required >=3")
    assert (nodes["__glibc"].role, nodes["__glibc"].note) == ("system", "2.28 · required >=2.17")
    assert nodes["other"].note == "1.0 · requires >=5"
    assert nodes["app"].verdict is Verdict.WARNING
    unmet = {(link.source, link.target) for link in picture.arrows if not link.satisfied}
    assert unmet == {("lib", "ghost"), ("other", "lib")}
    drawn = draw(picture)
    assert drawn.count("link unmet") == 2


def test_many_neighbours_become_one_box_and_the_worst_are_kept() -> None:
    users = [f"user{number:02}" for number in range(40)]
    made = release({"hub": [], **{name: ["hub"] for name in users}}, users[:1])
    picture = neighbourhood(made, made.platforms[0], ["hub"], {"user33": Verdict.BLOCKED})
    kept = {node.key for node in picture.nodes}
    assert {"user00", "user33"} <= kept
    assert len(kept) == MOST_NEIGHBOURS + 2
    assert next(node.title for node in picture.nodes if node.role == "more") == "30 more"


def test_a_finding_marks_its_cause() -> None:
    made = release(NEEDS, ["app"])
    finding = Finding(check="closure", verdict=Verdict.BLOCKED, cause="…", packages=("lib", "ghost"))
    picture = around_finding(made, made.platforms[0], finding)
    assert picture is not None
    assert next(node.verdict for node in picture.nodes if node.key == "lib") is Verdict.BLOCKED
    elsewhere = Finding(check="closure", verdict=Verdict.BLOCKED, cause="…", packages=("nobody",))
    assert around_finding(made, made.platforms[0], elsewhere) is None


def test_victims_are_warned_of_and_other_platforms_are_left_alone() -> None:
    findings = [
        Finding(check="a", verdict=Verdict.BLOCKED, cause="…", packages=("x",), victims=("y-1-0@linux-64",)),
        Finding(check="b", verdict=Verdict.BLOCKED, cause="…", packages=("z",), platforms=("win-64",)),
    ]
    assert verdicts(findings, "linux-64") == {"x": Verdict.BLOCKED, "y": Verdict.WARNING}


@pytest.mark.parametrize("kind", ["neighbourhood", "treemap", "waves"])
def test_the_same_release_gives_the_same_picture_and_names_every_package(kind: str) -> None:
    def picture() -> str:
        made = release(NEEDS, ["app"])
        graph = made.platforms[0]
        if kind == "neighbourhood":
            return draw(neighbourhood(made, graph, ["lib", "base"], {}))
        drawer = draw_treemap if kind == "treemap" else draw_waves
        return drawer(graph, ["app"], {"lib": Verdict.BLOCKED}, release_name="tiny-2026.11.0")

    once = picture()
    assert once == picture()
    shown = " ".join(texts(once))
    assert all(name in shown for name in ("app", "lib", "base", "python"))
    assert "tiny-2026.11.0 on linux-64" in shown


def test_a_blocked_package_is_marked_also_without_colours() -> None:
    graph = closure(NEEDS)
    for drawer in (draw_treemap, draw_waves):
        assert "✕ lib" in texts(drawer(graph, [], {"lib": Verdict.BLOCKED}, release_name="tiny"))


def test_a_page_gives_the_style_once() -> None:
    picture = Picture(title="t", nodes=(PictureNode(key="a", title="a"),), arrows=())
    assert stylesheet() not in draw(picture, standalone=False)
    assert "<style>" in draw(picture)
    assert "&" not in stylesheet()
    assert "</" not in stylesheet()


@given(st.text(max_size=30), st.text(max_size=30))
def test_hostile_texts_stay_texts(title: str, spec: str) -> None:
    picture = Picture(
        title=title,
        nodes=(
            PictureNode(key="a", title=title, note=spec, details=(spec,)),
            PictureNode(key="b", title="</svg><script>"),
        ),
        arrows=(
            PictureArrow(source="a", target="b", spec=spec),
            PictureArrow(source="b", target="a", spec=spec),
        ),
    )
    root = ET.fromstring(draw(picture, standalone=False))  # noqa: S314 - our own
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "desc", "g", "text", "rect", "path", "title"}


@given(st.text(max_size=40), st.integers(0, 200))
def test_shortened_texts_fit(text: str, room: int) -> None:
    short = fitting(text, 12, room)
    assert text_width(short, 12) <= room or not short
    assert short in {text, ""} or short.endswith("…")


def test_exports_say_what_the_graph_says() -> None:
    made = release(NEEDS, ["app"])
    exported = whole_graph(made.platforms[0], ["app"], {"lib": Verdict.BLOCKED})
    assert sorted(exported) == sorted(NEEDS)
    assert exported.edges["other", "lib"]["satisfied"] is False
    again = nx.read_graphml(io.BytesIO(graphml(exported).encode()))
    assert {name: again.nodes[name] for name in again} == {name: exported.nodes[name] for name in exported}
    assert sorted(again.edges(data="spec")) == sorted(exported.edges(data="spec"))
    value = json.loads(as_json(exported))
    assert {node["id"]: node["verdict"] for node in value["nodes"]}["lib"] == "blocked"
    assert len(value["edges"]) == exported.number_of_edges()


def test_dot_quotes_what_it_writes() -> None:
    nodes = (PictureNode(key='a"b\\', title="x"), PictureNode(key="}", title="y"))
    text = dot(
        part_of_graph(
            Picture(title="t", nodes=nodes, arrows=(PictureArrow(source='a"b\\', target="}"),)), "linux-64"
        )
    )
    assert '  "a\\"b\\\\" -> "}" [tooltip=""];' in text.splitlines()

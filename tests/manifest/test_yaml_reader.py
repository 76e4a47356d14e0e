"""The reader of YAML: text stays text, every value knows its span, hostile files end quickly."""

from pathlib import Path

import pytest
import yaml

from cuvee.manifest.documents import source_tree, yaml_reader
from cuvee.manifest.documents.problems import Problems, render
from cuvee.manifest.documents.source_tree import SourceNode
from cuvee.manifest.schema import MANIFEST


def read(text: str | bytes) -> tuple[SourceNode | None, Problems]:
    problems = Problems(Path("m.yaml"), MANIFEST)
    data = text if isinstance(text, bytes) else text.encode()
    return yaml_reader.parse_yaml(Path("m.yaml"), data, problems), problems


def plain(node: SourceNode | None) -> object:
    """Return the node as plain Python values."""
    if isinstance(node, source_tree.MappingNode):
        return {entry.key.text: plain(entry.value) for entry in node.entries}
    if isinstance(node, source_tree.SequenceNode):
        return [plain(item) for item in node.items]
    return None if node is None or node.is_null else node.text


@pytest.fixture(params=["C", "Python"])
def _loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "C" and not yaml.__with_libyaml__:
        pytest.skip("needs PyYAML with libyaml")
    monkeypatch.setattr(yaml_reader, "_LOADER", yaml.CSafeLoader if request.param == "C" else yaml.SafeLoader)


@pytest.mark.usefixtures("_loader")
@pytest.mark.parametrize("text", ["3.10", "2027-11-30", "1_000", "0x10", "on", "1e3", ".inf", "012"])
def test_text_stays_text(text: str) -> None:
    assert plain(read(f"a: {text}\n")[0]) == {"a": text}


@pytest.mark.usefixtures("_loader")
@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_null_is_null_unless_in_quotes(text: str) -> None:
    assert plain(read(f"a: {text}\n")[0]) == {"a": None}
    assert plain(read(f"a: '{text}'\n")[0]) == {"a": text}


@pytest.mark.usefixtures("_loader")
def test_anchors_and_merge_keys() -> None:
    text = """\
base: &base {a: 1, b: 2}
more: &more {b: 3, c: 4}
one: {<<: *base, b: own}
two: {b: own, <<: [*base, *more]}
three: &three {<<: *more, d: 5}
four: {<<: *three}
quoted: {"<<": text}
"""
    found = plain(read(text)[0])
    assert isinstance(found, dict)
    assert found["one"] == {"a": "1", "b": "own"}
    assert found["two"] == {"a": "1", "b": "own", "c": "4"}
    assert found["four"] == {"b": "3", "c": "4", "d": "5"}
    assert found["quoted"] == {"<<": "text"}
    assert found == yaml.load(text, Loader=_Strings)  # noqa: S506 - derives from SafeLoader


class _Strings(yaml.SafeLoader):
    """PyYAML with merge keys and without any other types, to compare with."""


_Strings.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith(":merge")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Strings.add_constructor("tag:yaml.org,2002:merge", yaml.SafeLoader.construct_yaml_str)  # type: ignore[type-var]


def test_an_anchor_may_be_given_again() -> None:
    assert plain(read("[&a 1, *a, &a 2, *a]")[0]) == ["1", "1", "2", "2"]


@pytest.mark.usefixtures("_loader")
def test_places_count_characters_behind_wide_ones_and_line_ends_of_each_kind() -> None:
    node, _ = read('\ufeffa: "数値"\r\nb: ["é", x]\rc: |\n  text\n')
    assert isinstance(node, source_tree.MappingNode)
    second = node.entries[1].value
    assert isinstance(second, source_tree.SequenceNode)
    assert (second.items[1].span.line, second.items[1].span.column) == (1, 9)
    assert str(node.entries[2].key.span.position) == "m.yaml:3:1"


def test_libyaml_and_pyyaml_give_the_same_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    for case in sorted((Path(__file__).parent / "good").glob("*.yaml")):
        monkeypatch.setattr(yaml_reader, "_LOADER", yaml.CSafeLoader)
        quick = read(case.read_bytes())
        monkeypatch.setattr(yaml_reader, "_LOADER", yaml.SafeLoader)
        slow = read(case.read_bytes())
        assert plain(quick[0]) == plain(slow[0])
        assert not quick[1]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "{a: " * 100_000,
        "- " * 100_000,
        "? " * 100_000,
        "".join(f"{' ' * depth}a:\n" for depth in range(3000)),
        "a: &a [*a]",
        "&a {<<: *a}",
        "a0: &a0 {k: v}\n" + "".join(f"a{i}: &a{i} {{<<: [{f'*a{i - 1}, ' * 9}]}}\n" for i in range(1, 30)),
        "a0: &a0 {k0: v}\n" + "".join(f"a{i}: &a{i} {{<<: *a{i - 1}, k{i}: v}}\n" for i in range(1, 3000)),
        "x" * (9 << 20),
    ],
    ids=["lists", "maps", "dashes", "keys", "indents", "loop", "merge loop", "merge bomb", "merges", "large"],
)
def test_hostile_files_are_refused_and_cost_little(text: str) -> None:
    # Without the limits these take hours, all memory, or the process itself.
    _, problems = read(text)
    assert problems
    assert len(render(problems.found, Path("m.yaml"))) < 2000


@pytest.mark.usefixtures("_loader")
@pytest.mark.parametrize(
    "text",
    [
        'a: "\\ud800"',
        'a: "\\UFFFFFFFF"',
        'a: "\\x"',
        "a: !<",
        "%YAML 9.9\n---\na: 1",
        "%TAG",
        "\u2028a: 1",
        "@",
        "`",
    ],
)
def test_what_is_odd_is_a_problem_or_text_but_never_a_traceback(text: str) -> None:
    node, problems = read(text)
    assert bool(problems) != (node is not None)


@pytest.mark.parametrize("data", [b"\xff\xfea\x00", b"a: \xe9", b"\x00", b"a: \xed\xa0\x80"])
def test_bytes_that_are_not_text_are_a_problem(data: bytes) -> None:
    assert read(data)[0] is None

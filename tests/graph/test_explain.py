"""What is said of a set without a solution: each case is an index, and the words that it gets."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import conflict_cases as cases
import tiny_index
from cuvee.channel.connection import connect
from cuvee.cli.main import run
from cuvee.graph.explain import as_data, explain, hint, message
from cuvee.graph.explain.explanation_text import edit_line
from cuvee.graph.explain.model import ConflictExplanation
from cuvee.graph.explain.range_loosening import by_distance, loosened, span
from cuvee.graph.explain.telling_causes import MOST_CAUSES, telling
from cuvee.lock.solve import nearest
from golden import same_as
from measuring_work import count_calls

CASES = Path(__file__).parent / "conflicts"


def explained(case: dict[str, Any], folder: Path) -> ConflictExplanation:
    problem = cases.problem_of(case, folder)
    connection = connect(folder / "cache")
    assert cases.solved(problem, connection) is None, "rattler sees no solution either"
    found = explain(
        problem,
        cases.fetched(problem, connection),
        cases.POSITIONS,
        imports=case.get("imports", False),
    )
    assert found is not None
    for conflict in found.conflicts:
        for suggestion in conflict.suggestions:
            others = [other.suggestions[0].edits for other in found.conflicts if other is not conflict]
            mended = cases.edited(problem, [*suggestion.edits, *(edit for group in others for edit in group)])
            assert cases.solved(mended, connection) is not None, "rattler solves each suggestion"
    return found


@pytest.mark.parametrize("path", sorted(CASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_words(path: Path, tmp_path: Path) -> None:
    found = explained(yaml.safe_load(path.read_text()), tmp_path)
    text = f"{message(found)}\nnext: {hint(found)}\n".replace(str(tmp_path), "…")
    same_as(path.with_suffix(".txt"), text)


def test_of_many_conflicts_the_best_way_out_is_first_and_all_are_counted(tmp_path: Path) -> None:
    found = explained(yaml.safe_load((CASES / "many.yaml").read_text()), tmp_path)
    subsets = [mus for conflict in found.conflicts for mus in conflict.subsets]
    short, whole = message(found), message(found, whole=True)
    shown = [mus for mus in subsets if mus.sentence in short]
    assert len(shown) == MOST_CAUSES < len(subsets)
    assert f"… and {len(subsets) - len(shown)} more conflicts that are not shown" in short.splitlines()
    edits = [line for line in short.splitlines() if line.startswith("  - ")]
    assert short.index(edits[0]) < min(short.index(mus.sentence) for mus in shown)
    best = [conflict.suggestions[0] for conflict in found.conflicts]
    assert edits == [f"  - {edit_line(edit)}" for suggestion in best for edit in suggestion.edits]
    assert all(any(mus in shown for mus in conflict.subsets) for conflict in found.conflicts)
    assert all(mus.sentence in whole for mus in subsets)
    assert "not shown" not in whole
    assert f"all {len(subsets)} conflicts" in hint(found)
    assert "--verbose" not in hint(found, whole=True)


@pytest.mark.parametrize("most", range(1, 9))
def test_the_most_telling_are_in_order_and_of_every_conflict(most: int, tmp_path: Path) -> None:
    found = explained(yaml.safe_load((CASES / "many.yaml").read_text()), tmp_path)
    all_of = [mus for conflict in found.conflicts for mus in conflict.subsets]
    shown = [mus for conflict in telling(found.conflicts, most) for mus in conflict.subsets]
    assert shown == [mus for mus in all_of if mus in shown]
    assert len(shown) == min(most, len(all_of))
    assert len(telling(found.conflicts, most)) == min(most, len(found.conflicts))


def test_every_text_has_its_case() -> None:
    assert {path.stem for path in CASES.glob("*.txt")} == {path.stem for path in CASES.glob("*.yaml")}


def test_a_problem_with_a_solution_has_no_explanation(tmp_path: Path) -> None:
    problem = cases.problem_of({"index": ["a 1"], "packages": ["a"]}, tmp_path)
    assert explain(problem, cases.fetched(problem, connect(tmp_path / "cache"))) is None


def test_platforms_share_what_they_share(tmp_path: Path) -> None:
    case = {
        "platforms": ["linux-64", "linux-aarch64", "win-64"],
        "index": ["a 1: b <2", "b 1", "b 2", "c 1: __glibc >=2.40", "c 1: b", "d 1: __unix"],
        "packages": ["a", "b 2", "d"],
    }
    found = explained(case, tmp_path)
    by_names = {
        tuple(sorted(member.name for member in mus.members)): mus.platforms
        for conflict in found.conflicts
        for mus in conflict.subsets
    }
    assert by_names == {("a", "b"): ("linux-64", "linux-aarch64", "win-64"), ("d",): ("win-64",)}
    assert "on win-64: d cannot hold" in message(found)


KEYS = {"action", "key", "before", "after", "text", "file", "line", "column", "brings", "versions_lost"}


def test_as_data(tmp_path: Path) -> None:
    found = explained(yaml.safe_load((CASES / "python-too-old.yaml").read_text()), tmp_path)
    data = json.loads(json.dumps(as_data(found)))
    (conflict,) = data["conflicts"]
    (mus,) = conflict["subsets"]
    assert [member["line"] for member in mus["members"]] == [11, 10]
    for suggestion in conflict["suggestions"]:
        for step in suggestion["edits"]:
            assert set(step) == KEYS
    best = conflict["suggestions"][0]["edits"][0]
    assert (best["key"], best["before"], best["after"]) == ("packages.python", "3.6", "3.9")


def test_the_command_tells_and_leaves_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["python 3.9", "python 3.12", "tqdm 4: python >=3.10"]
    channel = tiny_index.write_index(tmp_path / "channel", map(tiny_index.entry, lines))
    manifest = tiny_index.write_manifest(tmp_path, channel, 'python: "3.9.*"\ntqdm: "*"')
    options = [str(manifest), "--dist", str(tmp_path / "dist"), "--cache", str(tmp_path / "cache"), "-q"]
    assert run(["lock", *options, "--json"]) == 1
    captured = capsys.readouterr()
    conflict = json.loads(captured.out)["conflict"]
    assert "Cannot solve" in conflict["solver"]["linux-64"]
    assert 'change python from "3.9.*" to "3.12.*"' in captured.err
    kept = tmp_path / "dist" / "tiny-2026.11.0" / "checks" / "conflict.json"
    assert json.loads(kept.read_text()) == conflict
    for command in (["check"], ["certify"]):
        assert run([*command, *options, "--json"]) == 1
        assert json.loads(capsys.readouterr().out) == {"conflict": conflict}, command
    tiny_index.write_manifest(tmp_path, channel, 'python: "3.12.*"\ntqdm: "*"')
    assert run(["check", *options, "--no-archives"]) == 0
    assert not kept.exists(), "it is there only while there is no solution"


@pytest.mark.parametrize(
    ("spec", "version", "expected"),
    [
        (">=2.4,<2.5", "1.26.4", ">=1.26.4,<2.5"),
        (">=2.4,<2.5", "3.1.2", ">=2.4,<3.2"),
        (">2", "1.9", ">=1.9"),
        ("<3", "3.1", "<4"),
        ("<=3", "3.1", "<=3.1"),
        ("==1.5", "1.6.2", "==1.6.2"),
        ("1.5", "1.6.2", "1.6.2"),
        ("3.11.*", "3.12.4", "3.12.*"),
        ("=3.11", "3.12.4", "=3.12"),
        ("~=1.4.2", "1.6.3", "~=1.6.3"),
        ("!=1.5,>=1", "1.5", ">=1"),
        ("!=1.5", "1.5", "*"),
        ("<2|>=4", "3.0", "<2|>=4|==3.0"),
        ("*", "1", "*"),
        ("<1!2.0", "1!3.0", "<1!3.0.0.0.1"),
        (">=1.0a1", "0.9rc1", ">=0.9rc1"),
    ],
)
def test_a_range_is_changed_as_little_as_possible(spec: str, version: str, expected: str) -> None:
    from rattler import Version, VersionSpec

    assert loosened(spec, version) == expected
    assert expected == "*" or VersionSpec(expected).matches(Version(version))


def test_versions_as_people_speak_of_them() -> None:
    assert span(["1.10", "1.9", "2.0"]) == "1.9 to 2.0"
    assert span(["1.0", "1.0"]) == "1.0"
    assert span(["not one"]) == ""
    ten = [f"1.{number}" for number in range(10, 0, -1)]
    assert nearest("==1.5.5", ten) == ["1.7", "1.6", "1.5", "1.4", "1.3"]
    assert nearest("*", ten) == ten[:5]
    assert by_distance([False, False, True, False, False], 0) == [2, 3, 1, 4, 0]
    assert by_distance([False, False, False], 1) == [1, 2, 0]


def test_the_work_of_explaining_many_conflicts_at_once_does_not_explode(tmp_path: Path) -> None:
    calls = []
    for count in (8, 24):
        index = [f"base{number} {version}" for number in range(count) for version in (1, 2)]
        index += [f"a{number} 1: base{number} 1; base{number + 1} 1" for number in range(count - 1)]
        index += [f"b{number} 1: base{number} 2" for number in range(count)]
        packages = [f"a{number}" for number in range(count - 1)] + [f"b{number}" for number in range(count)]
        folder = tmp_path / str(count)
        folder.mkdir()
        problem = cases.problem_of({"index": index, "packages": packages}, folder)
        fetched = cases.fetched(problem, connect(tmp_path / "cache"))
        found = explain(problem, fetched)
        assert found is not None
        assert found.complete
        assert sum(len(conflict.subsets) for conflict in found.conflicts) >= count - 1
        calls.append(count_calls(lambda problem=problem, fetched=fetched: explain(problem, fetched)))  # type: ignore[misc]
    assert calls[1] < 9 * calls[0], "three times the conflicts, at most the square of the work"


def test_the_command_shows_all_conflicts_if_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = yaml.safe_load((CASES / "many.yaml").read_text())
    channel = tiny_index.write_index(tmp_path / "channel", map(tiny_index.entry, case["index"]))
    packages = "\n".join(
        f'{(*item.split(), "*")[0]}: "{(*item.split(), "*")[1]}"' for item in case["packages"]
    )
    manifest = tiny_index.write_manifest(tmp_path, channel, packages)
    options = [str(manifest), "--dist", str(tmp_path / "dist"), "--cache", str(tmp_path / "cache"), "-q"]
    assert run(["lock", *options]) == 1
    short = capsys.readouterr().err
    assert "… and 2 more conflicts that are not shown" in short
    assert run(["lock", *options, "--verbose"]) == 1
    whole = capsys.readouterr().err
    assert whole.count("cannot hold") == short.count("cannot hold") + 2
    assert "not shown" not in whole

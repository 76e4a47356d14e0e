"""Why a package is there, and who needs it; held against networkx, and against files for the words."""

import json
from itertools import pairwise
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tiny_index
from cuvee.cli.main import run
from cuvee.cli.needs import needs_lines
from cuvee.cli.render import by_platform
from cuvee.cli.why import why_lines
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.errors import UsageError
from cuvee.graph import reasons
from cuvee.graph.reasons import needs, why
from cuvee.graph.release_graph import ReleaseGraph, build_graph
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.model import (
    Installers,
    Manifest,
    PlatformEntry,
    Position,
    ReleaseVersion,
    Requirement,
)
from golden import same_as

ANSWERS = Path(__file__).parent / "answers"
PLATFORMS = ("linux-64", "win-64")


def package(name: str, *depends: str, platform: str = "linux-64") -> LockedPackage:
    return LockedPackage(
        name=name,
        version="1.0",
        build="0",
        build_number=0,
        platform=platform,
        subdir="noarch",
        url=f"channel/noarch/{name}-1.0-0.conda",
        channel="channel",
        sha256="0" * 64,
        depends=depends,
    )


def release(blessed: dict[str, str], **platforms: dict[str, tuple[str, ...]]) -> ReleaseGraph:
    """Return the graph of packages and their ``depends`` by platform, ``-`` in names written as ``_``."""
    named = {name.replace("_", "-"): packages for name, packages in platforms.items()}
    lock = Lock(
        platforms=tuple(
            PlatformLock(
                platform=platform,
                packages=tuple(
                    package(name, *depends, platform=platform) for name, depends in sorted(packages.items())
                ),
                virtual_packages=(VirtualPackage(name="__glibc", version="2.28"),),
            )
            for platform, packages in named.items()
        )
    )
    requirements = tuple(
        Requirement(
            name=name,
            version=version,
            owner="core" if name == "app" else None,
            platforms=PLATFORMS,
            position=Position(file=Path("tiny/2026.11.0.yaml"), line=line, column=3),
        )
        for line, (name, version) in enumerate(sorted(blessed.items()), 10)
    )
    manifest = Manifest(
        path=Path("tiny/2026.11.0.yaml"),
        distribution="tiny",
        version=ReleaseVersion(2026, 11, 0),
        title="Tiny",
        platforms=tuple(PlatformEntry(name=name, floor={}) for name in named),
        packages=requirements,
        installers=Installers(formats={}),
    )
    return build_graph(manifest, lock)


@pytest.fixture
def diamond() -> ReleaseGraph:
    linux = {
        "app": ("left >=1", "right", "python >=1"),
        "tool": ("app", "python"),
        "left": ("base >=0.5", "base <2"),
        "right": ("base", "python"),
        "python": ("__glibc >=2.17",),
        "base": (),
        "stray": (),
    }
    windows = {name: depends for name, depends in linux.items() if name != "stray"} | {
        "app": ("left >=1", "right", "python >=1", "colorama"),
        "colorama": (),
        "python": (),
    }
    blessed = {"app": "==1.0", "tool": "*", "python": ">=1"}
    return release(blessed, linux_64=linux, win_64=windows)


@pytest.mark.parametrize("name", ["base", "app", "python", "colorama", "stray", "__glibc"])
def test_the_answers_in_words(diamond: ReleaseGraph, name: str) -> None:
    lines = [
        f"$ cuvee why {name}",
        *by_platform((item.platform, why_lines(item, name)) for item in why(diamond, name)),
    ]
    lines += [
        f"$ cuvee needs {name}",
        *by_platform((item.platform, needs_lines(item, name)) for item in needs(diamond, name)),
    ]
    same_as(ANSWERS / f"{name}.txt", "\n".join(lines) + "\n")


def test_all_specs_of_a_dependency_are_told(diamond: ReleaseGraph) -> None:
    linux = why(diamond, "base")[0]
    assert linux.count == 2
    assert [[item.specs for item in reason.dependencies] for reason in linux.reasons] == [
        [("left >=1",), ("base >=0.5", "base <2")],
        [("right",), ("base",)],
    ]


def test_an_unknown_name_gets_a_near_one(diamond: ReleaseGraph) -> None:
    with pytest.raises(UsageError, match='did you mean "colorama"') as caught:
        why(diamond, "colorma")
    assert caught.value.exit_code == 2
    with pytest.raises(UsageError, match=r"no package 'qqq'$"):
        needs(diamond, "qqq")


def test_a_chain_may_be_longer_than_any_stack() -> None:
    names = [f"p{number:04}" for number in range(2000)]
    chain: dict[str, tuple[str, ...]] = {one: (other,) for one, other in pairwise(names)} | {names[-1]: ()}
    (answer,) = why(release({names[0]: "*"}, linux_64=chain), names[-1])
    assert [link.target for link in answer.reasons[0].dependencies] == names[1:]


def test_no_more_reasons_than_anybody_reads_but_all_are_counted() -> None:
    layers = [[f"p{level}x{number}" for number in range(4)] for level in range(6)]
    packages: dict[str, tuple[str, ...]] = {"app": tuple(layers[0]), "end": ()}
    for level, names in enumerate(layers):
        below = layers[level + 1] if level + 1 < len(layers) else ["end"]
        packages |= {name: tuple(below) for name in names}
    (answer,) = why(release({"app": "*"}, linux_64=packages), "end")
    assert answer.count == 4**6
    assert len(answer.reasons) == reasons.MOST_REASONS
    assert f"… and {4**6 - 100} more chains of the same length" in why_lines(answer, "end")


NAMES = [f"n{number}" for number in range(7)]


@settings(max_examples=60)
@given(
    edges=st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=20),
    blessed=st.sets(st.sampled_from(NAMES), min_size=1),
)
def test_reasons_are_the_shortest_paths_of_networkx(edges: set[tuple[str, str]], blessed: set[str]) -> None:
    packages = {name: tuple(sorted(end for start, end in edges if start == name)) for name in NAMES}
    graph = release(dict.fromkeys(blessed, "*"), linux_64=packages)
    known: nx.DiGraph[str] = nx.DiGraph([edge for edge in edges if edge[0] != edge[1]])
    known.add_nodes_from(NAMES)
    (answer,) = why(graph, "n0")
    paths = [
        path
        for root in sorted(blessed - {"n0"})
        if nx.has_path(known, root, "n0")
        for path in nx.all_shortest_paths(known, root, "n0")
    ]
    shortest = min(map(len, paths), default=0)
    expected = sorted(path for path in paths if len(path) == shortest)
    found = [[item.source for item in reason.dependencies] + ["n0"] for reason in answer.reasons]
    assert sorted(found) == expected
    assert answer.count == len(expected)
    (hit,) = needs(graph, "n0")
    assert {item.name for item in hit.dependents} == nx.ancestors(known, "n0")
    assert all(item.distance == nx.shortest_path_length(known, item.name, "n0") for item in hit.dependents)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    lines = ["python 3.11: __glibc >=2.17", "tqdm 4: python >=3.8; colorama", "colorama 0.4"]
    channel = tiny_index.write_index(tmp_path / "channel", map(tiny_index.entry, lines))
    return tiny_index.write_manifest(tmp_path, channel, 'python: "3.11"\ntqdm: "*"')


def test_the_commands_answer_from_the_lock(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [str(manifest), "--dist", str(tmp_path / "dist")]
    assert run(["lock", *options, "--cache", str(tmp_path / "cache"), "-q"]) == 0
    capsys.readouterr()
    assert run(["why", "colorama", *options, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    (platform,) = shown["platforms"]
    assert platform["stems"] == ["colorama-0.4-0"]
    assert platform["reasons"][0]["requirement"]["name"] == "tqdm"
    assert run(["needs", "colorama", *options, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["platforms"][0]["dependents"][0]["specs"] == ["colorama"]
    assert not err
    assert run(["why", "Colorama", *options]) == 0
    assert "tqdm * (" in capsys.readouterr().out
    assert run(["needs", "colorma", *options]) == 2
    assert 'did you mean "colorama"?' in capsys.readouterr().err

"""Of every mus each part counts, every suggestion solves: rattler agrees, on made up and real channels."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import conflict_cases as cases
from cuvee.channel.connection import Connection, connect
from cuvee.files import write_json
from cuvee.graph.explain import explain
from cuvee.graph.explain.lock_explainer import fast_solver
from cuvee.graph.explain.model import ConflictExplanation
from cuvee.lock.solve import Problem
from cuvee.manifest.model import PlatformEntry

NAMES = [f"n{number}" for number in range(6)]
RANGES = ["", " 1", " 2", " >=2", " <2", " 3", " <3", " !=2"]


def specs(names: list[str], most: int, *, twice: bool = False) -> st.SearchStrategy[list[str]]:
    """Draw specs; a manifest names each package once, but a record may name one twice."""
    pairs = st.tuples(st.sampled_from(names), st.sampled_from(RANGES))
    return st.lists(
        pairs.map("".join), max_size=most, unique_by=lambda text: text if twice else text.split()[0]
    )


@st.composite
def universes(draw: st.DrawFn) -> dict[str, object]:
    index = []
    for name in NAMES:
        others = [other for other in NAMES if other != name]
        for version in range(1, draw(st.integers(1, 3)) + 1):
            depends = draw(specs([*others, "absent"], 2))
            depends += draw(specs(others[:2], 2, twice=True))
            depends += draw(st.sampled_from([[], [], ["__glibc >=2.30"]]))
            constrains = draw(specs(others, 1))
            constrains += draw(specs(others[:1], 1))
            index.append(f"{name} {version}: {'; '.join(depends)} ! {'; '.join(constrains)} ")
    return {
        "index": index,
        "packages": draw(specs(NAMES, 5).filter(bool)),
        "constraints": draw(specs(NAMES, 2)),
        "floor": {"glibc": "2.28"},
    }


def hold(problem: Problem, found: ConflictExplanation, connection: Connection) -> None:
    """Hold an explanation against rattler."""
    for conflict in found.conflicts:
        for mus in conflict.subsets:
            assert cases.solved(cases.only(problem, mus.members), connection) is None, mus.sentence
            assert not mus.cause.startswith("no choice"), f"{mus.sentence}: it has no reason"
            for left_out in mus.members:
                fewer = [member for member in mus.members if member != left_out]
                assert cases.solved(cases.only(problem, fewer), connection) is not None, (
                    f"{mus.sentence}: {left_out.text} does not count"
                )
        others = [
            edit
            for other in found.conflicts
            if other is not conflict and other.suggestions
            for edit in other.suggestions[0].edits
        ]
        assert conflict.suggestions
        for suggestion in conflict.suggestions:
            mended = cases.edited(problem, [*suggestion.edits, *others])
            assert cases.solved(mended, connection) is not None, suggestion


# The same examples each time: with some others rattler's explanation is endless (`lock.endless_answers`).
@settings(max_examples=25, derandomize=True)
@given(case=universes(), asks=st.booleans())
def test_cores_are_minimal_and_suggestions_solve(
    tmp_path_factory: pytest.TempPathFactory, case: dict[str, object], asks: bool
) -> None:
    folder = tmp_path_factory.mktemp("universe")
    connection = connect(folder / "cache")
    problem = cases.problem_of(case, folder)
    found = explain(
        problem, cases.fetched(problem, connection), fast_solver=fast_solver(connection) if asks else None
    )
    assert (found is None) == (cases.solved(problem, connection) is not None)
    if found is not None:
        assert found.complete
        hold(problem, found, connection)


@pytest.fixture(scope="module")
def channels(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two real channels: a part of conda-forge, and Anaconda's main and r of 2017."""
    old = tmp_path_factory.mktemp("main")
    records = json.loads((shared_data / "channels/main-and-r-2017/linux-64/index.json").read_text())
    for subdir, packages in (("linux-64", records), ("noarch", {})):
        write_json(old / subdir / "repodata.json", {"info": {"subdir": subdir}, "packages": packages})
    return {"linux-64": old, "linux-aarch64": shared_data / "channels" / "conda-forge-subset"}


@pytest.mark.parametrize(
    ("platform", "packages"),
    [
        ("linux-64", ["python 3.5.*", "r-essentials", "numpy 1.13.*", "tensorflow"]),
        ("linux-64", ["python 2.7.*", "ipython >=6", "pandas"]),
        ("linux-64", ["numpy 1.9.*", "scipy 1.0.*", "pandas 0.21.*"]),
        ("linux-64", ["numpyy", "scipy ==99", "flask"]),
        ("linux-64", ["anaconda 5.0.1", "numpy <1.13"]),
        ("linux-64", ["r-base 3.3.*", "r-essentials 1.7.0", "r-dplyr >=0.7"]),
        ("linux-aarch64", ["python 3.8.*", "numpy >=1.26"]),
        ("linux-aarch64", ["python 3.12.*", "pandas <2", "scipy"]),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value).replace(" ", ""),
)
def test_on_real_channels(
    channels: dict[str, Path], tmp_path: Path, platform: str, packages: list[str]
) -> None:
    connection = connect(tmp_path / "cache")
    problem = Problem(
        platforms=(PlatformEntry(name=platform, floor={"glibc": "2.28"}),),
        requirements=cases.requirements(packages, line=10, platforms=[platform]),
        channels=(str(channels[platform]),),
    )
    found = explain(problem, cases.fetched(problem, connection), fast_solver=fast_solver(connection))
    assert (found is None) == (cases.solved(problem, connection) is not None)
    if found is not None:
        hold(problem, found, connection)

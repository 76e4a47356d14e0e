"""What an explanation costs: how often rattler is asked, how much is read; what it says stays the same."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

import conflict_cases as cases
from cuvee.channel.connection import Connection, connect
from cuvee.conda.package_record import Record
from cuvee.graph.explain import as_data, explain
from cuvee.graph.explain.channel_index import LazyPool
from cuvee.graph.explain.lock_explainer import fast_solver
from cuvee.graph.explain.model import SoftConstraint
from cuvee.graph.solving.pool import Pool
from cuvee.graph.solving.solver import Solution, Solver, UnsatCore
from cuvee.lock.model import Lock
from cuvee.lock.solve import Problem

CASES = Path(__file__).parent / "conflicts"
WINDOW = 1


def windows(names: int, versions: int) -> list[str]:
    """Return a channel in which each version of a package needs the versions of its time of those before."""
    return [
        f"p{number} {version}: "
        + "; ".join(
            f"p{other} >={version - WINDOW},<{version + WINDOW + 1}"
            for other in range(max(0, number - 3), number)
        )
        for number in range(names)
        for version in range(1, versions + 1)
    ]


@pytest.fixture
def asks_rattler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a small channel for a large one, in which rattler is asked before our own solver."""
    monkeypatch.setattr("cuvee.graph.explain.oracle._FEW_RECORDS", -1)


def counting(connection: Connection, asked: list[Problem]) -> Callable[[Problem], Lock | str]:
    def ask(problem: Problem) -> Lock | str:
        asked.append(problem)
        return fast_solver(connection)(problem)

    return ask


@pytest.mark.usefixtures("asks_rattler")
@pytest.mark.parametrize(
    ("packages", "most"),
    [
        (["p9", "p30", "p20 ==99"], 1),
        (["p30", "p2 ==1", "p12 ==9"], 2),
        (["p30", "p2 ==1", "p12 ==9", "p6 ==5"], 3),
        (["p2 ==1", "p12 ==9", *(f"p{number} >=1" for number in range(13, 70))], 2),
    ],
    ids=["missing", "two-pins", "three-pins", "ranges"],
)
def test_rattler_is_asked_once_per_way_out(packages: list[str], most: int, tmp_path: Path) -> None:
    problem = cases.problem_of({"index": windows(70, 9), "packages": packages}, tmp_path)
    connection = connect(tmp_path / "cache")
    solver_text = fast_solver(connection)(problem)
    assert isinstance(solver_text, str)
    answers = []
    subsets: list[set[tuple[SoftConstraint, ...]]] = []
    for _ in range(2):
        asked: list[Problem] = []
        query_channels, ask = cases.fetched(problem, connection), counting(connection, asked)
        found = explain(problem, query_channels, fast_solver=ask, solver_text=solver_text)
        assert found is not None
        assert 1 <= len(asked) <= most
        answers.append(as_data(found))
        subsets.append({mus.members for conflict in found.conflicts for mus in conflict.subsets})
    assert answers[0] == answers[1]
    alone = explain(problem, cases.fetched(problem, connection))
    assert alone is not None
    assert {mus.members for conflict in alone.conflicts for mus in conflict.subsets} == subsets[0]


@pytest.mark.usefixtures("asks_rattler")
@pytest.mark.parametrize("path", sorted(CASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_suggestions_do_not_depend_on_who_is_asked(path: Path, tmp_path: Path) -> None:
    case: dict[str, Any] = yaml.safe_load(path.read_text())
    problem = cases.problem_of(case, tmp_path)
    connection = connect(tmp_path / "cache")
    query_channels = cases.fetched(problem, connection)
    alone = explain(problem, query_channels, cases.POSITIONS)
    asking = explain(problem, query_channels, cases.POSITIONS, fast_solver=fast_solver(connection))
    assert alone is not None
    assert asking is not None
    suggested = [
        [conflict["suggestions"] for conflict in json.loads(json.dumps(as_data(item)))["conflicts"]]
        for item in (alone, asking)
    ]
    assert suggested[0] == suggested[1]


def test_of_few_records_rattler_is_not_asked_and_nothing_is_solved_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = {f"p{number} ==9": f"p{number + 1} ==1" for number in range(4, 60, 4)}
    case = {"index": windows(70, 9), "packages": ["p69", *pins, *pins.values()]}
    problem = cases.problem_of(case, tmp_path)
    connection = connect(tmp_path / "cache")
    asked: list[Problem] = []
    solved: list[frozenset[str]] = []
    solve = Solver.solve

    def remembering(solver: Solver, requirements: Sequence[str], **more: Any) -> Solution | UnsatCore:
        answer = solve(solver, requirements, **more)
        if isinstance(answer, Solution):
            solved.append(frozenset([*requirements, *more["constraints"]]))
        return answer

    monkeypatch.setattr(Solver, "solve", remembering)
    found = explain(problem, cases.fetched(problem, connection), fast_solver=counting(connection, asked))
    assert found is not None
    assert len([mus for conflict in found.conflicts for mus in conflict.subsets]) > len(pins)
    assert asked == []
    for number, members in enumerate(solved):
        assert not any(members <= known for known in solved[:number]), "what a solution has needs no other"


def test_a_lazy_pool_has_what_a_pool_has_in_its_order(tmp_path: Path) -> None:
    problem = cases.problem_of({"index": windows(12, 9), "packages": ["p11"]}, tmp_path)
    (item,) = cases.fetched(problem, connect(tmp_path / "cache"))
    whole = Pool(record for index in item.channels for record in index)
    indexes = LazyPool(item.channels, [], None)
    assert list(indexes.by_name) == []
    for spec in ("p11", "p3 >=2,<5", "p3 ==9", "p3[md5=00]", "absent", "p4 2 *", "p3 ("):
        assert [indexes[number] for number in indexes.candidates(spec)] == _of(whole, spec)
        assert indexes.problem_of(spec) == whole.problem_of(spec)
    assert set(indexes.by_name) == {"p11", "p3", "absent", "p4"}, "the others were not read"
    assert len(indexes.numbers_of("p5")) > 0
    assert len(indexes.numbers_of("absent")) == 0


def _of(pool: Pool, spec: str) -> Iterable[Record]:
    return [pool[number] for number in pool.candidates(spec)]


def test_what_is_hidden_or_too_new_is_so_in_a_lock_too(tmp_path: Path) -> None:
    case = {
        "index": ["a 1 day 1", "a 2 day 30", "b 1"],
        "second": ["b 2", "c 1"],
        "packages": ["a", "b", "c"],
    }
    problem = cases.problem_of(case, tmp_path)
    connection = connect(tmp_path / "cache")
    (item,) = cases.fetched(problem, connection)
    lock = cases.solved(problem, connection)
    assert lock is not None
    pool = LazyPool(item.channels, [], cases.stamp(10))
    found = {package.name: pool.locked(package) for package in lock.platforms[0].packages}
    for name, pair in found.items():
        assert pair is not None
        record, raw = pair
        assert [record] == [pool[n] for n in pool.numbers_of(record.name) if pool[n].sha256 == record.sha256]
        assert raw.name.normalized == name
        assert bool(record.depends) == (name == "a"), "2 is too new"

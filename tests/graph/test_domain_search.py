"""The search over domains gives the answers of the SAT solver, which takes over where the search gives up."""

import random
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from channel_oracle import read_records
from cuvee.conda.package_record import Record
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.graph.channel_check import domain_search
from cuvee.graph.channel_check.class_solver import ClassSolver
from cuvee.graph.channel_check.class_table import ClassTable, build_class_table
from cuvee.graph.channel_check.domain_search import DomainSearch, UndecidedError
from cuvee.graph.channel_check.installability import Worker
from cuvee.graph.channel_check.pool_check import divide
from cuvee.graph.channel_check.unit_propagation import UnitPropagation, remains
from cuvee.graph.solving.encoding import Assumptions
from cuvee.graph.solving.pool import Pool
from cuvee.graph.solving.solver import Solution, Solver
from measuring_work import count_calls

GLIBC = VirtualPackage(name="__glibc", version="2.28")


def record(name: str, version: str = "1", *depends: str) -> Record:
    return Record(name=name, version=version, build="0", url=f"{name}-{version}-0.conda", depends=depends)


def after_propagation(table: ClassTable) -> list[int]:
    propagation = UnitPropagation(table)
    propagation.start()
    return propagation.remaining


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    """Return a channel of a thousand records, of which about a tenth cannot be installed."""
    folder = tmp_path_factory.mktemp("channel")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
        import_module("generated_channel").write_channel(folder, 1_200)
    records = [
        item for subdir in ("linux-64", "noarch") for item in read_records(folder / subdir / "repodata.json")
    ]
    return Pool(records, [GLIBC])


def assert_closed(table: ClassTable, chosen: tuple[int, ...]) -> None:
    """Check that nothing is chosen twice, nothing is missing, and nothing excludes another."""
    position = {table.name_of[item]: item - table.first[table.name_of[item]] for item in chosen}
    assert len(position) == len(chosen)
    for item in chosen:
        for clause in table.depends[item]:
            assert table.clause_mask[clause] >> position[table.clause_name[clause]] & 1
        for clause in table.constrains[item]:
            there = position.get(table.clause_name[clause])
            assert there is None or table.clause_mask[clause] >> there & 1


def test_classes_of_a_generated_channel_get_the_answer_of_one_solve(generated: Pool) -> None:
    table, class_records = build_class_table(generated)
    search = DomainSearch(table, remaining := after_propagation(table))
    solver = Solver(generated)
    answers = []
    for item, numbers in [*enumerate(class_records.members)][::3]:
        if not remains(table, remaining, item):
            continue
        found = search.solve(Assumptions(items=(item,)))
        answers.append(found is not None)
        assert isinstance(solver.solve([], records=[numbers[0]]), Solution) == answers[-1]
        if found is not None:
            assert item in found
            assert_closed(table, found)
    assert answers.count(False) > 10


def test_several_needs_and_a_class_without_its_own_get_the_answer_of_the_sat_solver(
    generated: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, _ = build_class_table(generated)
    remaining = after_propagation(table)
    search, solver = DomainSearch(table, remaining), ClassSolver(table, remaining)
    monkeypatch.setattr(solver, "_search", _GivesUp())
    choose = random.Random(3)  # noqa: S311 - a sample
    clauses = [clause for clause in range(len(table.clause_name)) if table.clause_mask[clause]]
    items = [item for item in range(len(table.name_of)) if remains(table, remaining, item)]
    answers = []
    for _ in range(300):
        item = choose.choice(items)
        assumed = Assumptions(
            needs=tuple(choose.sample(clauses, 2)),
            allows=tuple(choose.sample(clauses, 1)),
            items=(item,) * choose.randint(0, 1),
        )
        hollow = choose.choice((-1, item))
        answers.append(search.solve(assumed, hollow) is not None)
        assert (solver.solution(assumed, hollow) is not None) == answers[-1]
    assert answers.count(False) > 50
    assert answers.count(True) > 50


class _GivesUp:
    def solve(self, _assumptions: Assumptions, _hollow: int) -> None:
        raise UndecidedError

    def core(self, parts: list[Assumptions], _hollow: int) -> list[int]:
        return list(range(len(parts)))


def pigeons(count: int, holes: int) -> list[Record]:
    """Return pigeons that each need a hole of their own, of which each version belongs to one pigeon."""
    return [
        *(record(f"hole{hole}", str(pigeon)) for hole in range(holes) for pigeon in range(count)),
        *(
            record(f"pigeon{pigeon}", str(hole), f"hole{hole} {pigeon}.*")
            for pigeon in range(count)
            for hole in range(holes)
        ),
        record("all", "1", *(f"pigeon{pigeon}" for pigeon in range(count))),
    ]


@pytest.mark.parametrize(("count", "fit"), [(6, True), (7, False)])
def test_where_the_search_gives_up_the_sat_solver_decides(count: int, fit: bool) -> None:
    table, _ = build_class_table(Pool(pigeons(count, 6)))
    whole = Assumptions(items=(table.first[table.names.index("all")],))
    remaining = after_propagation(table)
    if not fit:
        with pytest.raises(UndecidedError):
            DomainSearch(table, remaining).solve(whole)
    assert (ClassSolver(table, remaining).solution(whole) is not None) == fit


def test_the_whole_check_finds_the_same_when_each_search_is_given_up(
    generated: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, _ = build_class_table(generated)
    expected = [conflict for part in divide(table) for conflict in Worker(table).work(part)]
    monkeypatch.setattr(domain_search, "_MOST_FAILURES", 0)
    assert [conflict for part in divide(table) for conflict in Worker(table).work(part)] == expected


def hidden_conflicts(versions: int) -> Callable[[], object]:
    """Return a check in which each of twenty names needs, in two steps, two versions of one name at once."""
    records = [record("py", str(version)) for version in range(versions)]
    for number in range(20):
        records += [
            record(f"old{number}", "1", f"py <{versions // 2}"),
            record(f"new{number}", "1", f"py >={versions // 2}"),
            record(f"with-old{number}", "1", f"old{number}"),
            record(f"with-new{number}", "1", f"new{number}"),
            record(f"bad{number}", "1", f"with-old{number}", f"with-new{number}"),
        ]
        # Each version is a class of its own.
        records += [
            record(f"pin{number}-{version}", "1", f"py {version}.*")
            for version in range(number, versions, 20)
        ]
    table, _ = build_class_table(Pool(records))
    to_check = bytearray(name.startswith("bad") for name in (table.names[n] for n in table.name_of))
    worker = Worker(table, bytes(to_check))

    def check() -> None:
        found = worker.work(range(len(table.names)))
        assert len(found) == 20
        assert all(len(conflict.needs) == 2 for conflict in found)

    return check


def test_a_conflict_costs_as_much_with_many_versions_of_what_it_is_about() -> None:
    few, many = count_calls(hidden_conflicts(40)), count_calls(hidden_conflicts(400))
    assert many < 2 * few

"""The solver gives rattler's answers, and nothing but solutions that hold."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channel_oracle import Entry, Oracle, entry, read_records, write_repodata
from cuvee.conda.package_record import Record
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.graph.solving.pool import Pool
from cuvee.graph.solving.solver import Solution, Solver, UnsatCore

GLIBC = VirtualPackage(name="__glibc", version="2.28")


def pool_of(folder: Path, entries: Sequence[Entry]) -> tuple[Pool, Oracle]:
    path = write_repodata(folder, entries)
    pool = Pool(read_records(path), [GLIBC])
    return pool, Oracle([path], [GLIBC])


def is_solution(pool: Pool, numbers: Sequence[int]) -> bool:
    """Check a solution entry by entry."""
    chosen = set(numbers)
    names = {pool[number].name: number for number in numbers}
    return (
        len(names) == len(numbers)
        and set(pool.virtual) <= chosen
        and all(chosen & set(pool.candidates(spec)) for number in numbers for spec in pool[number].depends)
        and all(
            pool.problem_of(spec) == ""
            and (pool.name_of(spec) not in names or names[pool.name_of(spec)] in pool.candidates(spec))
            for number in numbers
            for spec in pool[number].constrains
        )
    )


@pytest.mark.parametrize(
    ("entries", "specs"),
    [
        ([entry("a", depends=["b >1"])], ["a"]),
        ([entry("a", depends=["a >=3"])], ["a"]),
        ([entry("a", depends=["a"])], ["a"]),
        ([entry("a", constrains=["a >=3"])], ["a"]),
        ([entry("a", depends=["b"]), entry("b", depends=["a"])], ["a"]),
        ([entry("a", depends=["b 1", "b 2"]), entry("b", "1"), entry("b", "2")], ["a"]),
        ([entry("a", depends=["b"], constrains=["b <2"]), entry("b", "2")], ["a"]),
        ([entry("a", depends=["b", "c"]), entry("b"), entry("c", constrains=["b >1"])], ["a"]),
        ([entry("a", depends=["b"]), entry("b"), entry("c", constrains=["b >1"])], ["a"]),
        ([entry("a", depends=["b >>>1 ~!"]), entry("b")], ["a"]),
        ([entry("a", constrains=["b >>>1 ~!"])], ["a"]),
        ([entry("a", depends=["b*"]), entry("b")], ["a"]),
        ([entry("a", depends=[""])], ["a"]),
        ([entry("a", depends=["B"]), entry("b")], ["a"]),
        ([entry("a", depends=["conda-forge::b"]), entry("b")], ["a"]),
        ([entry("a", depends=["b[license=MIT]"]), entry("b", license="MIT")], ["a"]),
        ([entry("a", depends=["b[license=MIT]"]), entry("b")], ["a"]),
        ([entry("a", depends=['b[build_number=">0"]']), entry("b")], ["a"]),
        ([entry("a", depends=["b[md5=00000000000000000000000000000001]"]), entry("b")], ["a"]),
        ([entry("a", depends=["b"]), entry("b", track_features="x")], ["a"]),
        ([entry("a", depends=["__glibc >=2.17"])], ["a"]),
        ([entry("a", depends=["__glibc >=2.35"])], ["a"]),
        ([entry("a", constrains=["__glibc >=2.35"])], ["a"]),
        ([entry("a", depends=["__cuda"])], ["a"]),
        ([entry("a", depends=["b 1.2*"]), entry("b", "1.21")], ["a"]),
        ([entry("a", depends=["b 1.2.*"]), entry("b", "1.2.1")], ["a"]),
        ([entry("a", depends=["b 1.0 *_x"]), entry("b", "1.0", "h1_x")], ["a"]),
        ([entry("a"), entry("b")], ["a", "b", "c"]),
        ([entry("a"), entry("b")], ["a", "b", "a >1"]),
    ],
)
def test_rattler_agrees(tmp_path: Path, entries: list[Entry], specs: list[str]) -> None:
    pool, oracle = pool_of(tmp_path, entries)
    answer = Solver(pool).solve(specs)
    assert isinstance(answer, Solution) == oracle.solvable(specs)
    if isinstance(answer, Solution):
        assert is_solution(pool, answer.records)


def test_a_solution_has_what_was_asked_for_and_no_more() -> None:
    pool = Pool(
        [
            Record(name="a", version="1", build="0", depends=("b",)),
            Record(name="b", version="1", build="0"),
            Record(name="b", version="2", build="0"),
            Record(name="c", version="1", build="0", depends=("b 2",)),
        ]
    )
    answer = Solver(pool).solve(["a"])
    assert isinstance(answer, Solution)
    assert [str(pool[number]) for number in answer.records] == ["a-1-0", "b-2-0"]


def test_a_core_names_what_collides_and_shrinks_to_the_least() -> None:
    records = [Record(name=name, version="1", build="0", depends=("x",)) for name in "abc"]
    records += [
        Record(name="p", version="1", build="0", depends=("x 1",)),
        Record(name="q", version="1", build="0", depends=("x 2",)),
        Record(name="x", version="1", build="0"),
        Record(name="x", version="2", build="0"),
    ]
    solver = Solver(Pool(records))
    conflict = solver.solve(["a", "p", "b", "q", "c"])
    assert isinstance(conflict, UnsatCore)
    assert solver.shrink(UnsatCore(requirements=("a", "p", "b", "q", "c"))).requirements == ("p", "q")
    assert solver.shrink(conflict).requirements == ("p", "q")
    constrained = solver.shrink(UnsatCore(requirements=("a", "p"), constraints=("x 2", "q 1")))
    assert (constrained.requirements, constrained.constraints) == (("p",), ("x 2",))


def test_the_best_comes_first_and_tracked_features_are_a_penalty() -> None:
    pool = Pool(
        [
            Record(name="b", version="1.10", build="0"),
            Record(name="b", version="1.9", build="0", build_number=3),
            Record(name="b", version="1.9", build="1", build_number=4),
            Record(name="b", version="9", build="0", track_features=("mkl",)),
        ]
    )
    assert [pool[number].stem for number in pool.candidates("b")] == [
        "b-1.10-0", "b-1.9-1", "b-1.9-0", "b-9-0",
    ]  # fmt: skip


def test_what_can_not_be_read_is_a_problem() -> None:
    pool = Pool([Record(name="a", version="1..x!y", build="0"), Record(name="b", version="1", build="0")])
    assert pool.candidates("b >>>1 ~!") == ()
    assert [problem.where for problem in pool.problems] == ["a-1..x!y-0", "'b >>>1 ~!'"]


SPECS = [f"{name}{bound}" for name in "abcd" for bound in ("", " >1", " <2", " 1", " 2", " >=2,<3")]


@st.composite
def universes(draw: st.DrawFn) -> list[Entry]:
    specs = st.lists(st.sampled_from(SPECS), max_size=3, unique=True)
    return [
        entry(name, version, depends=draw(specs), constrains=draw(st.one_of(st.just([]), specs)))
        for name in "abcd"
        for version in draw(st.sets(st.sampled_from("123"), min_size=1))
    ]


@settings(max_examples=60)
@given(universes(), st.lists(st.sampled_from(SPECS), min_size=1, max_size=3, unique=True))
def test_small_universes_against_brute_force_and_rattler(entries: list[Entry], specs: list[str]) -> None:
    with TemporaryDirectory() as folder:
        pool, oracle = pool_of(Path(folder), entries)
        solver = Solver(pool)
        for wanted in (specs, specs[:1], specs):
            answer = solver.solve(wanted)
            expected = any(
                is_solution(pool, (*pool.virtual, *chosen))
                and all(set(chosen) & set(pool.candidates(spec)) for spec in wanted)
                for chosen in subsets(pool)
            )
            assert isinstance(answer, Solution) == expected == oracle.solvable(wanted)
            if isinstance(answer, Solution):
                assert is_solution(pool, answer.records)
            else:
                assert isinstance(solver.solve(answer.requirements), UnsatCore)


def subsets(pool: Pool) -> list[tuple[int, ...]]:
    """Return every choice of at most one record per name."""
    choices = [[(), *((number,) for number in pool.by_name[name])] for name in "abcd"]
    return [sum(parts, ()) for parts in itertools.product(*choices)]

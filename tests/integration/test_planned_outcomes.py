"""What was planned is what is reported: each name once, whatever runners do."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.errors import StorageError
from cuvee.integration import platform_run
from cuvee.integration.collected_units import collect_outcomes
from cuvee.integration.model import PackagePlan, Plan, PlannedSuite, PlannedTest, PytestTarget
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.planned_outcomes import account
from cuvee.progress import SILENT

PLATFORM = "linux-64"
Make = Callable[..., TestOutcome]

_FILES = st.sampled_from(["test_a.py", "test_b.py", "pkg/tests/test_c.py"])
_FUNCTIONS = st.sampled_from(["", "::test_x", "::test_y", "::TestZ::test_x"])
_NAMES = st.builds("{}{}".format, _FILES, _FUNCTIONS)
_REPORTED = st.one_of(
    st.builds("{}{}".format, _NAMES, st.sampled_from(["", "[1]", "[1-2]", "::test_new", "[a::b]"])),
    st.sampled_from(["", "[", "::", "nothing.py", "import:numpy", "install", "interpreter", "target"]),
)
_SUITES = st.sampled_from(["smoke", "one", "two", "unknown"])


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    def suite(name: str) -> PlannedSuite:
        tests = [
            PlannedTest(suite=name, test=test, unsupported=draw(st.sampled_from(["", "", "has no x"])))
            for test in draw(st.lists(_NAMES, max_size=6))
        ]
        return PlannedSuite(name=name, targets=(PytestTarget(name="target", tests=tuple(tests)),))

    packages = (PackagePlan(name="numpy", version="2", imports=("numpy",), commands=("f2py",)),)
    return Plan(
        platform=PLATFORM,
        packages=draw(st.sampled_from([(), packages])),
        administered=draw(st.sampled_from(["", "tiny"])),
        smoke=draw(st.booleans()),
        suites=tuple(map(suite, draw(st.lists(st.sampled_from(["one", "two"]), unique=True)))),
    )


_RESULTS = st.lists(
    st.builds(
        TestOutcome,
        suite=_SUITES,
        test=_REPORTED,
        platform=st.sampled_from([PLATFORM, PLATFORM, PLATFORM, "win-64"]),
        state=st.sampled_from(OutcomeState),
        reason=st.sampled_from(["", "boom"]),
    ),
    max_size=12,
)


@given(plan=plans(), results=_RESULTS, honest=st.floats(0, 1))
def test_every_planned_test_has_one_outcome_and_every_result_is_kept(
    plan: Plan, results: list[TestOutcome], honest: float
) -> None:
    planned = {(test.suite, test.test) for test in plan.tests()}
    by_the_book = [
        TestOutcome(suite=suite, test=test, platform=PLATFORM, state=OutcomeState.PASS)
        for suite, test in sorted(planned)[: int(honest * len(planned))]
    ]
    reported = [*by_the_book, *results]
    found = account(plan, reported)

    names = Counter((outcome.suite, outcome.test) for outcome in found)
    assert set(names.values()) <= {1}, "a name was reported twice"
    assert {outcome.platform for outcome in found} <= {PLATFORM}
    for suite, test in planned:
        parts = [name for name in names if name[0] == suite and name[1].startswith((f"{test}[", f"{test}::"))]
        assert (suite, test) in names or parts, "a planned test has no outcome"
    assert {(outcome.suite, outcome.test) for outcome in reported} <= set(names), "a result was dropped"

    by_name = {(outcome.suite, outcome.test): outcome for outcome in found}
    for outcome in reported:
        name = (outcome.suite, outcome.test)
        related = name in planned or any(
            suite == outcome.suite
            and (
                outcome.test.startswith((f"{test}[", f"{test}::"))
                or test.startswith((f"{outcome.test}[", f"{outcome.test}::"))
            )
            for suite, test in planned
        )
        if not related and outcome.test != "target":
            assert "the plan does not have this test" in by_name[name].reason
        if outcome.platform == PLATFORM and outcome.state.blocks:
            assert by_name[name].state.blocks, "a failure was hidden by another result of that name"


def _plan(*names: str) -> Plan:
    tests = tuple(PlannedTest(suite="one", test=name, packages=("numpy",)) for name in names)
    return Plan(
        platform=PLATFORM,
        packages=(),
        smoke=False,
        suites=(PlannedSuite(name="one", targets=(PytestTarget(name="target", tests=tests),)),),
    )


def _one(plan: Plan, reported: Sequence[TestOutcome], test: str, problems: Sequence[str] = ()) -> TestOutcome:
    (found,) = [item for item in account(plan, reported, problems) if item.test == test]
    return found


def test_what_was_not_reported_is_an_error_of_the_machinery_and_blocks() -> None:
    found = _one(_plan("test_a.py::test_x"), [], "test_a.py::test_x", ["KeyError: 'x'"])
    assert (found.state, found.reason) == (
        OutcomeState.INFRA_ERROR,
        "no result was reported: KeyError: 'x'",
    )
    assert found.packages == ("numpy",)
    assert found.state.blocks


def test_of_two_results_the_worse_one_counts(outcome: Make) -> None:
    results = [outcome("t", suite="one"), outcome("t", suite="one", state=OutcomeState.FAIL, reason="boom")]
    found = _one(_plan("t"), results, "t")
    assert (found.state, found.reason) == (OutcomeState.FAIL, "it was reported 2 times (pass, fail): boom")


def test_cases_of_a_planned_test_stand_for_it_and_strangers_are_named(outcome: Make) -> None:
    results = [outcome("t[1]", suite="one"), outcome("t[2]", suite="one"), outcome("u", suite="one")]
    found = {item.test: item.reason for item in account(_plan("t"), results)}
    assert found["t[1]"] == found["t[2]"] == ""
    assert found["u"] == "the plan does not have this test"
    assert set(found) == {"install", "t[1]", "t[2]", "u"}


def test_a_result_for_another_platform_is_no_result_of_this_one(outcome: Make) -> None:
    found = _one(_plan("t"), [outcome("t", suite="one", platform="win-64")], "t")
    assert (found.platform, found.state) == (PLATFORM, OutcomeState.INFRA_ERROR)
    assert found.reason == "a result for win-64 was reported (pass)"


def test_a_part_that_crashes_does_not_end_the_rest(outcome: Make) -> None:
    def crashes() -> Sequence[TestOutcome]:
        raise KeyError("x")

    problems: list[str] = []
    with ThreadPoolExecutor(1) as executor:
        futures: list[Future[Sequence[TestOutcome]]] = [
            executor.submit(crashes),
            executor.submit(lambda: [outcome("t", suite="one")]),
        ]
        found = collect_outcomes(_plan("t"), futures, Future.result, SILENT, problems)
    assert [item.test for item in found] == ["t"]
    assert problems == ["KeyError: 'x'"]


def test_a_full_disk_ends_the_run() -> None:
    class Session:
        plan = _plan("t")

        class Stop:
            def set(self) -> None: ...

        class Tools:
            stopped = False

            def stop(self) -> None:
                self.stopped = True

        stop, tools = Stop(), Tools()

    session = Session()

    def full() -> Sequence[TestOutcome]:
        raise StorageError("no space")

    with pytest.raises(StorageError):
        platform_run._in_threads(session, [full], SILENT, [], fail_fast=False)  # type: ignore[arg-type, list-item]
    assert session.tools.stopped, "what is fetched for other tests goes on"

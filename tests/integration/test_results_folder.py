from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.errors import IntegrityError
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.integration.results_folder import junit, read_run, write_run
from cuvee.integration.test_session import safe_name

_OUTCOMES = st.builds(
    TestOutcome,
    suite=st.sampled_from(["smoke", "interop"]),
    test=st.text(),
    platform=st.just("linux-64"),
    state=st.sampled_from(OutcomeState),
    seconds=st.floats(0, 1e4),
    package=st.none() | st.text(min_size=1),
    packages=st.lists(st.text()).map(tuple),
    reason=st.text(),
    log=st.none() | st.text(min_size=1),
)
_RUNS = st.builds(
    PlatformRun,
    platform=st.just("linux-64"),
    runner=st.none() | st.just("native"),
    not_run=st.none() | st.text(),
    outcomes=st.lists(_OUTCOMES, max_size=5).map(tuple),
    environment=st.dictionaries(st.text(), st.text()),
)


@given(_RUNS)
def test_a_run_survives_its_file(tmp_path_factory: pytest.TempPathFactory, run: PlatformRun) -> None:
    folder = tmp_path_factory.mktemp("run")
    write_run(folder, run)
    assert read_run(folder) == run


@given(_RUNS)
def test_junit_is_xml_whatever_a_test_prints(run: PlatformRun) -> None:
    root = ET.fromstring(junit(run))  # noqa: S314  our own
    assert len(root.findall(".//testcase")) == len(run.outcomes)


def test_junit_keeps_the_states_apart(outcome: Callable[..., TestOutcome]) -> None:
    outcomes = tuple(
        outcome(state.value, state, reason="because <it>", log=f"logs/{state.value}.log")
        for state in OutcomeState
    )
    root = ET.fromstring(junit(PlatformRun(platform="linux-64", runner="native", outcomes=outcomes)))  # noqa: S314
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors"), suite.get("skipped")) == (
        "13",
        "3",
        "1",
        "7",
    )
    by_name = {case.get("name"): case for case in suite}
    assert by_name["not-run"].find("skipped") is not None
    assert by_name["infra-error"].find("error") is not None
    failure = by_name["regression"].find("failure")
    assert failure is not None
    assert failure.get("message") == "regression: because <it>"
    assert by_name["flaky"].find("failure") is None
    assert by_name["fail"].findtext("properties/property") is not None


def test_files_are_the_same_for_the_same_run(outcome: Callable[..., TestOutcome], tmp_path: Path) -> None:
    run = PlatformRun(platform="linux-64", runner="native", outcomes=(outcome(),), environment={"host": "h"})
    write_run(tmp_path / "a", run)
    write_run(tmp_path / "b", run)
    assert read_run(tmp_path / "a") == run
    for name in ("outcomes.json", "junit.xml"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("text", ["", "[]", '{"platform": 1}', '{"outcomes": [{"state": "great"}]}', "\x00"])
def test_results_that_are_damaged_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "outcomes.json").write_text(text)
    with pytest.raises(IntegrityError, match=r"outcomes\.json"):
        read_run(tmp_path)


@given(st.text(), st.text())
def test_log_names_are_safe_and_distinct(one: str, other: str) -> None:
    name = safe_name(one)
    assert 0 < len(name) < 120
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    assert not name.startswith(".")
    assert not name.endswith(".")
    assert (name.casefold() == safe_name(other).casefold()) <= (one.casefold() == other.casefold())

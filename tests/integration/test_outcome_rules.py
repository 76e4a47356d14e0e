import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from checked_sets import manifest_of
from cuvee.integration.model import KnownFailure, Plan, PlannedTest, QuarantinedTest
from cuvee.integration.outcome_rules import judge, not_run
from cuvee.integration.outcomes import Attempt, OutcomeState, TestOutcome, blocking
from cuvee.integration.plan_builder import build_plan
from cuvee.integration.suite_files import SuiteFiles
from cuvee.lock.model import PlatformLock
from cuvee.manifest.model import Position, Waiver

Make = Callable[..., TestOutcome]


def _plan(**values: object) -> Plan:
    return Plan(platform="linux-64", packages=(), **values)  # type: ignore[arg-type]


def _waiver(**values: object) -> Waiver:
    known: dict[str, object] = {
        "check": "interop/test_a",
        "reason": "looked at",
        "author": "Ada",
        "expires": dt.date(2027, 1, 31),
        "position": Position(file=Path("m.yaml"), line=1, column=1),
    }
    return Waiver(**known | values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "meant"),
    [
        (OutcomeState.FAIL, OutcomeState.KNOWN_FAIL),
        (OutcomeState.TIMEOUT, OutcomeState.KNOWN_FAIL),
        (OutcomeState.PASS, OutcomeState.PASS),
        (OutcomeState.INFRA_ERROR, OutcomeState.INFRA_ERROR),
        (OutcomeState.SKIPPED, OutcomeState.SKIPPED),
        (OutcomeState.NOT_RUN, OutcomeState.NOT_RUN),
    ],
)
def test_known_failures(seen: OutcomeState, meant: OutcomeState, outcome: Make) -> None:
    known = KnownFailure(suite="interop", test="test_*", reason="upstream bug", link="issue/1")
    (judged,) = judge([outcome(state=seen, reason="boom")], _plan(known_failures=(known,)))
    assert judged.state is meant
    if seen is OutcomeState.PASS:
        assert judged.reason.startswith("this known failure passes now")
    if meant is OutcomeState.KNOWN_FAIL:
        assert judged.reason == "upstream bug (issue/1): boom"


def test_a_strict_known_failure_that_passes_has_failed(outcome: Make) -> None:
    known = KnownFailure(suite="interop", test="test_*", reason="upstream bug", strict=True)
    passed, failed = judge(
        [outcome(), outcome(state=OutcomeState.FAIL, reason="boom")], _plan(known_failures=(known,))
    )
    assert (passed.state, passed.reason) == (
        OutcomeState.FAIL,
        "this known failure passes now: upstream bug",
    )
    assert failed.state is OutcomeState.KNOWN_FAIL


@pytest.mark.parametrize(
    ("seen", "meant"),
    [
        (OutcomeState.FAIL, OutcomeState.QUARANTINED),
        (OutcomeState.TIMEOUT, OutcomeState.QUARANTINED),
        (OutcomeState.FLAKY, OutcomeState.QUARANTINED),
        (OutcomeState.PASS, OutcomeState.PASS),
        (OutcomeState.INFRA_ERROR, OutcomeState.INFRA_ERROR),
        (OutcomeState.NOT_RUN, OutcomeState.NOT_RUN),
    ],
)
def test_what_is_unreliable_in_quarantine_does_not_block_and_is_reported(
    seen: OutcomeState, meant: OutcomeState, outcome: Make
) -> None:
    item = QuarantinedTest(
        suite="inter*",
        test="test_a",
        owner="core",
        reason="its clock goes backwards",
        link="issue/1",
        until=dt.date(2027, 1, 31),
    )
    attempts = (Attempt(state=OutcomeState.FAIL), Attempt(state=OutcomeState.PASS))
    flaky = attempts if seen is OutcomeState.FLAKY else ()
    judged, other = judge(
        [outcome(state=seen, reason="boom", attempts=flaky), outcome("test_b", state=OutcomeState.FAIL)],
        _plan(quarantine=(item,)),
    )
    assert judged.state is meant
    assert other.state is OutcomeState.FAIL
    if meant is OutcomeState.QUARANTINED:
        assert judged.reason == (
            "its clock goes backwards (issue/1) (in quarantine until 2027-01-31, core): boom"
        )
        assert not judged.state.blocks
        assert judged.state.has_run
        assert judged.flipped is bool(flaky)


def test_a_quarantine_that_is_over_holds_no_longer(make_lock: Callable[..., PlatformLock]) -> None:
    item = QuarantinedTest(suite="s", test="t", owner="core", reason="r", until=dt.date(2026, 11, 22))
    files = SuiteFiles(quarantine=(item,))
    for day, held in ((dt.date(2026, 11, 22), (item,)), (dt.date(2026, 11, 23), ())):
        assert build_plan(manifest_of(), make_lock(), files, {}, today=day).quarantine == held


@pytest.mark.parametrize(
    ("waiver", "state", "meant"),
    [
        (_waiver(), OutcomeState.FAIL, OutcomeState.WAIVED),
        (_waiver(check="interop/*"), OutcomeState.TIMEOUT, OutcomeState.WAIVED),
        (_waiver(package="numpy"), OutcomeState.FAIL, OutcomeState.WAIVED),
        (_waiver(package="scipy"), OutcomeState.FAIL, OutcomeState.FAIL),
        (_waiver(platform="win-64"), OutcomeState.FAIL, OutcomeState.FAIL),
        (_waiver(check="test_a"), OutcomeState.FAIL, OutcomeState.FAIL),
        (_waiver(), OutcomeState.PASS, OutcomeState.PASS),
        (_waiver(), OutcomeState.NOT_RUN, OutcomeState.NOT_RUN),
    ],
)
def test_waivers_hide_only_what_blocks(
    waiver: Waiver, state: OutcomeState, meant: OutcomeState, outcome: Make
) -> None:
    (judged,) = judge([outcome(state=state, packages=("numpy",), reason="boom")], _plan(waivers=(waiver,)))
    assert judged.state is meant
    if meant is OutcomeState.WAIVED:
        assert judged.reason == "looked at (waived by Ada until 2027-01-31): boom"


def test_not_run_is_never_pass_and_unsupported_stays_unsupported() -> None:
    tests = [
        PlannedTest(suite="s", test="a"),
        PlannedTest(suite="s", test="b", unsupported="the release has no x"),
    ]
    first, second = not_run(tests, "osx-64", "no runner")
    assert (first.state, first.reason, first.platform) == (OutcomeState.NOT_RUN, "no runner", "osx-64")
    assert (second.state, second.reason) == (OutcomeState.NOT_SUPPORTED, "the release has no x")
    assert blocking([]) == ()

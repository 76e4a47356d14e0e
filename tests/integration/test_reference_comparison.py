"""A run judged against the run before it: the truth table, row by row."""

import itertools

import pytest

from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.integration.reference_comparison import (
    TRUTH_TABLE,
    Before,
    EarlierState,
    GoneTest,
    Reference,
    compare,
)

PACKAGES = frozenset({"numpy", "pandas"})


def outcome(state: str, test: str = "t", package: str = "numpy", reason: str = "") -> TestOutcome:
    return TestOutcome(
        suite="s", test=test, platform="linux-64", state=OutcomeState(state), package=package, reason=reason
    )


def run_of(*outcomes: TestOutcome) -> PlatformRun:
    return PlatformRun(platform="linux-64", runner="native", outcomes=outcomes)


def judged(before: str | None, now: str, *, released: bool = False, package: str = "numpy") -> TestOutcome:
    earlier = () if before is None else (outcome(before, package=package),)
    reference = Reference(
        release="tiny-2026.10.0", released=released, run=run_of(*earlier), packages=PACKAGES
    )
    run, _ = compare(run_of(outcome(now, package=package, reason="boom")), reference, PACKAGES)
    return run.outcomes[0]


ROWS = [
    # before, now, released, becomes, what is said
    ("pass", "fail", True, "regression", "it passed in tiny-2026.10.0: boom"),
    ("pass", "fail", False, "regression", "it passed in tiny-2026.10.0: boom"),
    ("pass", "timeout", True, "regression", "it passed in tiny-2026.10.0: boom"),
    ("pass", "skipped", True, "skipped", "it passed in tiny-2026.10.0: boom"),
    ("pass", "not-supported", True, "not-supported", "it passed in tiny-2026.10.0: boom"),
    ("pass", "not-run", True, "not-run", "it passed in tiny-2026.10.0: boom"),
    ("pass", "flaky", True, "flaky", "it passed in tiny-2026.10.0: boom"),
    ("pass", "known-fail", True, "known-fail", "it passed in tiny-2026.10.0: boom"),
    ("pass", "waived", True, "waived", "it passed in tiny-2026.10.0: boom"),
    ("pass", "infra-error", True, "infra-error", "it passed in tiny-2026.10.0: boom"),
    ("pass", "pass", True, "pass", "boom"),
    ("flaky", "fail", True, "fail", "it was flaky in tiny-2026.10.0: boom"),
    ("fail", "fail", False, "fail", "it failed in tiny-2026.10.0 too, which was blocked: boom"),
    ("fail", "fail", True, "always-fail", "it failed in tiny-2026.10.0 too, which was released: boom"),
    ("always-fail", "fail", True, "always-fail", "it failed in tiny-2026.10.0 too, which was released: boom"),
    ("always-fail", "pass", True, "pass", "it failed in tiny-2026.10.0 too, which was released: boom"),
    ("fail", "pass", False, "pass", "it failed in tiny-2026.10.0 too, which was blocked: boom"),
    ("known-fail", "fail", True, "fail", "it failed in tiny-2026.10.0 too, where that was accepted: boom"),
    ("waived", "fail", True, "fail", "it failed in tiny-2026.10.0 too, where that was accepted: boom"),
    ("waived", "waived", True, "waived", "boom"),
    ("pass", "quarantined", True, "quarantined", "it passed in tiny-2026.10.0: boom"),
    ("quarantined", "fail", True, "fail", "it failed in tiny-2026.10.0 too, where that was accepted: boom"),
    ("quarantined", "quarantined", True, "quarantined", "boom"),
    ("waived", "pass", True, "pass", "it failed in tiny-2026.10.0 too, where that was accepted: boom"),
    ("skipped", "fail", True, "fail", "it was skipped in tiny-2026.10.0: boom"),
    ("not-supported", "fail", True, "fail", "it was skipped in tiny-2026.10.0: boom"),
    ("infra-error", "fail", True, "fail", "it had no result in tiny-2026.10.0: boom"),
    ("not-run", "fail", True, "fail", "it had no result in tiny-2026.10.0: boom"),
    (None, "fail", True, "fail", "it is not in tiny-2026.10.0: boom"),
    (None, "pass", True, "pass", "boom"),
]


@pytest.mark.parametrize(("before", "now", "released", "becomes", "said"), ROWS)
def test_each_row_of_the_truth_table(
    before: str | None, now: str, released: bool, becomes: str, said: str
) -> None:
    found = judged(before, now, released=released)
    assert (found.state.value, found.reason) == (becomes, said)


def test_no_pair_of_states_becomes_better_than_the_run_was_unless_it_was_released_so() -> None:
    for before, now, released in itertools.product([None, *OutcomeState], OutcomeState, (False, True)):
        found = judged(before.value if before else None, now.value, released=released)
        if now.blocks and not found.state.blocks:
            assert found.state is OutcomeState.ALWAYS_FAIL
            assert released or before is OutcomeState.ALWAYS_FAIL
        else:
            assert found.state.blocks == now.blocks


def test_every_state_of_a_reference_is_known() -> None:
    assert {row.before for row in TRUTH_TABLE} == set(Before)
    for state in OutcomeState:
        judged(state.value, "fail")


def test_a_test_of_a_new_package_says_so() -> None:
    found = judged(None, "fail", package="scipy")
    assert found.reason == "it is new, since tiny-2026.10.0 does not have its package: boom"


def test_tests_that_are_gone_are_listed_with_their_reason() -> None:
    before = run_of(outcome("pass", "old"), outcome("pass", "import", "pandas"), outcome("pass", "kept"))
    reference = Reference(release="tiny-2026.10.0", released=True, run=before, packages=PACKAGES)
    _, comparison = compare(
        run_of(outcome("pass", "kept"), outcome("pass", "new")), reference, frozenset({"numpy"})
    )
    assert comparison.gone == (
        GoneTest(suite="s", test="old", was=OutcomeState.PASS, reason="the test is not in this release"),
        GoneTest(suite="s", test="import", was=OutcomeState.PASS, reason="pandas is not in this release"),
    )


def test_the_state_before_is_kept_of_tests_that_have_changed_and_of_new_ones() -> None:
    before = run_of(outcome("pass", "broken"), outcome("waived", "repaired"), outcome("pass", "same"))
    reference = Reference(release="tiny-2026.10.0", released=True, run=before, packages=PACKAGES)
    now = (
        outcome("fail", "broken"),
        outcome("pass", "repaired"),
        outcome("pass", "same"),
        outcome("pass", "new"),
    )
    run, comparison = compare(run_of(*now), reference, PACKAGES)
    assert run.outcomes[0].state is OutcomeState.REGRESSION
    assert comparison.changed == (
        EarlierState(suite="s", test="broken", was=OutcomeState.PASS),
        EarlierState(suite="s", test="repaired", was=OutcomeState.WAIVED),
        EarlierState(suite="s", test="new", was=None),
    )

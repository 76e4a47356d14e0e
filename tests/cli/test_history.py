"""``cuvee history`` in the terminal."""

import datetime as dt

from cuvee.cli.history import SYMBOLS, history_lines
from cuvee.history.model import FlipRate, Point
from cuvee.integration.outcomes import OutcomeState


def point(month: int, state: OutcomeState, platform: str = "linux-64", reason: str = "") -> Point:
    return Point(
        suite="smoke",
        test="import:numpy",
        platform=platform,
        runner="native",
        release=f"tiny-2026.{month}.0",
        made_at=dt.datetime(2026, month, 1, tzinfo=dt.UTC),
        state=state,
        seconds=month / 10,
        package="numpy",
        reason=reason,
        flips=FlipRate(runs=4, flipped=int(state is OutcomeState.FLAKY)),
    )


def test_each_platform_has_a_strip_and_the_first_bad_release() -> None:
    found = [
        point(8, OutcomeState.FAIL),
        point(9, OutcomeState.PASS),
        point(10, OutcomeState.REGRESSION, reason="ImportError"),
        point(11, OutcomeState.FAIL, reason="the same"),
        point(11, OutcomeState.PASS, "win-64"),
    ]
    assert history_lines(found) == [
        "smoke/import:numpy",
        "  linux-64 (native)  FPRF  tiny-2026.8.0 to tiny-2026.11.0, 1.00 s",
        "    regression since tiny-2026.10.0: ImportError",
        "  win-64 (native)  P  tiny-2026.11.0, 1.10 s",
        "P pass, F fail, R regression",
    ]


def test_each_state_has_a_character_of_its_own() -> None:
    assert set(SYMBOLS) == {state.value for state in OutcomeState}
    assert len(set(SYMBOLS.values())) == len(SYMBOLS)


def test_how_often_a_test_was_flaky_is_said() -> None:
    found = [point(9, OutcomeState.PASS), point(10, OutcomeState.FLAKY), point(11, OutcomeState.FLAKY)]
    assert "    flaky in 2 of 12 runs (17%)" in history_lines(found)

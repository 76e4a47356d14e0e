"""What ended in a run that was interrupted is not run again; what failed, or cannot be read, is."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from cuvee.integration.kept_units import KeptUnits
from cuvee.integration.outcomes import OutcomeState, TestOutcome

Make = Callable[..., TestOutcome]
UNIT = "interop/test_a.py"


class Work:
    """The work of a unit that counts how often it is done, and writes a log."""

    def __init__(self, outcome: TestOutcome, results: Path) -> None:
        self.outcome, self.results, self.times = outcome, results, 0

    def __call__(self) -> Sequence[TestOutcome]:
        self.times += 1
        if self.outcome.log:
            path = self.results / self.outcome.log
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("a log")
        return (self.outcome,)


def test_what_ended_is_known_to_the_next_run_with_its_log(outcome: Make, tmp_path: Path) -> None:
    skipped = outcome(state=OutcomeState.SKIPPED, reason="no reason", log="logs/interop/test_a.log")
    work = Work(skipped, tmp_path / "first")
    assert KeptUnits(tmp_path / "kept", "1").outcomes_of(UNIT, work, tmp_path / "first") == (skipped,)
    again = KeptUnits(tmp_path / "kept", "1")
    assert again.outcomes_of(UNIT, work, tmp_path / "second") == (skipped,)
    assert (work.times, again.taken) == (1, [UNIT])
    assert (tmp_path / "second" / "logs/interop/test_a.log").read_text() == "a log"
    again.forget()
    KeptUnits(tmp_path / "kept", "1").outcomes_of(UNIT, work, tmp_path / "first")
    assert work.times == 2


@pytest.mark.parametrize("state", [state for state in OutcomeState if state.blocks])
def test_what_failed_runs_again(outcome: Make, tmp_path: Path, state: OutcomeState) -> None:
    work = Work(outcome(state=state), tmp_path)
    for _ in range(2):
        KeptUnits(tmp_path / "kept", "1").outcomes_of(UNIT, work, tmp_path)
    assert work.times == 2


@pytest.mark.parametrize(
    ("states", "kept"),
    [
        ({"a": OutcomeState.PASS}, False),
        ({"a": OutcomeState.FAIL}, False),
        ({"a": OutcomeState.FAIL, "b": OutcomeState.INFRA_ERROR}, True),
        # Which of the units did it may not be known.
        ({"test_b.py::left-behind": OutcomeState.FAIL, "b": OutcomeState.INFRA_ERROR}, False),
        ({"verify-after": OutcomeState.FAIL, "b": OutcomeState.INFRA_ERROR}, False),
        ({"verify-after": OutcomeState.PASS, "b": OutcomeState.INFRA_ERROR}, True),
    ],
)
def test_after_a_fault_of_the_machine_only_what_it_broke_runs_again(
    outcome: Make, tmp_path: Path, states: dict[str, OutcomeState], kept: bool
) -> None:
    work = Work(outcome(), tmp_path)
    first = KeptUnits(tmp_path / "kept", "1")
    first.outcomes_of(UNIT, work, tmp_path)
    first.close([outcome(test=test, state=state) for test, state in states.items()])
    KeptUnits(tmp_path / "kept", "1").outcomes_of(UNIT, work, tmp_path)
    assert work.times == (1 if kept else 2)


def test_what_is_of_other_inputs_is_removed(outcome: Make, tmp_path: Path) -> None:
    work = Work(outcome(), tmp_path)
    KeptUnits(tmp_path / "kept", "1").outcomes_of(UNIT, work, tmp_path)
    KeptUnits(tmp_path / "kept", "2").outcomes_of(UNIT, work, tmp_path)
    assert work.times == 2
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["2"]


@pytest.mark.parametrize("damage", ["cut", "nonsense", "another unit", "a log outside"])
def test_what_cannot_be_believed_is_done_again(outcome: Make, tmp_path: Path, damage: str) -> None:
    work = Work(outcome(), tmp_path)
    KeptUnits(tmp_path / "kept", "1").outcomes_of(UNIT, work, tmp_path)
    (path,) = (tmp_path / "kept" / "1").iterdir()
    text = path.read_text()
    if damage == "cut":
        path.write_text(text[:-5])
    elif damage == "nonsense":
        path.write_text("[" * 100_000)
    else:
        changed = {"unit": "other"} if damage == "another unit" else {"logs": {"logs/../../x": "y"}}
        path.write_text(json.dumps(json.loads(text) | changed))
    KeptUnits(tmp_path / "kept", "1").outcomes_of(UNIT, work, tmp_path)
    assert work.times == 2
    assert not (tmp_path.parent / "x").exists()

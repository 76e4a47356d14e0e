"""Tests that a runner cannot run: which they are, and that all others count."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cuvee.errors import DocumentError
from cuvee.integration.accepted_tests import read_known_failures
from cuvee.integration.model import KnownFailure, Plan
from cuvee.integration.outcome_rules import judge
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.pytest_limits import limit_of_test
from cuvee.integration.runners.wine import WineRunner
from cuvee.process import Completed, Request

Make = Callable[..., TestOutcome]
NEEDED = 'err: Library bcryptprimitives.dll (which is needed by L"Z:\\\\x\\\\_rust.pyd") not found'
CRASHED = "wine: Call from 00 to unimplemented function ucrtbase.dll.crealf, aborting"


def ended(stderr: str) -> Completed:
    return Completed(request=Request(argv=("x",)), exit_code=1, stdout="", stderr=stderr, seconds=0)


@pytest.mark.parametrize(
    ("detail", "stderr", "limit"),
    [
        (f"assert 3 == 0\n{CRASHED}", "", "Wine lacks ucrtbase.dll.crealf"),
        ("ImportError: DLL load failed while importing _rust", NEEDED, "Wine lacks bcryptprimitives.dll"),
        ("ImportError: DLL load failed while importing _other", NEEDED, None),
        ("assert 1 == 2", f"{CRASHED}\n{NEEDED}", None),
    ],
)
def test_only_what_a_test_itself_met_excuses_it(detail: str, stderr: str, limit: str | None) -> None:
    assert limit_of_test(WineRunner(), detail, ended(stderr)) == limit


KNOWN = KnownFailure(suite="interop", test="test_*", runners=("wine",), reason="Wine has no job objects")


@pytest.mark.parametrize(
    ("runner", "seen", "meant", "reason"),
    [
        ("wine", OutcomeState.FAIL, OutcomeState.NOT_SUPPORTED, "Wine has no job objects: boom"),
        ("wine", OutcomeState.TIMEOUT, OutcomeState.NOT_SUPPORTED, "Wine has no job objects: boom"),
        (
            "wine",
            OutcomeState.PASS,
            OutcomeState.PASS,
            "this known failure passes now: Wine has no job objects",
        ),
        ("native", OutcomeState.FAIL, OutcomeState.FAIL, "boom"),
        ("", OutcomeState.FAIL, OutcomeState.FAIL, "boom"),
    ],
)
def test_a_fault_of_a_runner_is_accepted_there_only(
    runner: str, seen: OutcomeState, meant: OutcomeState, reason: str, outcome: Make
) -> None:
    plan = Plan(platform="linux-64", packages=(), runner=runner, known_failures=(KNOWN,))
    (judged,) = judge([outcome(state=seen, reason="boom")], plan)
    assert (judged.state, judged.reason) == (meant, reason)


def test_runners_are_stated_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "known-failures.yaml"
    path.write_text("- {suite: interop, test: a, runners: [wine, root-*], reason: because}")
    (known,) = read_known_failures(path)
    assert [known.is_of(name) for name in ("wine", "root-debian-12", "native")] == [True, True, False]
    path.write_text("- {suite: interop, test: a, runners: [], reason: because}")
    with pytest.raises(DocumentError):
        read_known_failures(path)

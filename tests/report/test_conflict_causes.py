"""A platform without a solution is a cause: the conflict, the way out, and a text to paste."""

from collections.abc import Callable
from typing import Any

from changed_release import changed, page_of
from cuvee.lock.model import Lock
from cuvee.release.record import Failure, Release, Unsolved

MESSAGE = "No solution:\n  numpy 2.4 requires python >=3.12\n  the manifest requests python 3.11.*"
HINT = "Request python >=3.12, or numpy <2.4."


def test_a_platform_that_was_left_out_is_a_cause(
    sample: Release, read_page: Callable[[Release], Any]
) -> None:
    release = changed(sample, unsolved=(Unsolved(platforms=("osx-arm64",), message=MESSAGE, hint=HINT),))
    (cause,) = page_of(release).conflicts
    assert cause.title == "osx-arm64: there is no solution"
    assert (cause.evidence, cause.action) == (MESSAGE, HINT)
    assert cause.issue.startswith("### osx-arm64: there is no solution\n")
    assert f"```\n{MESSAGE}\n```" in cause.issue
    html = read_page(release)
    assert "conflict-1" in html.values("id")
    assert cause.issue in html.text


def test_a_run_that_ended_for_a_conflict_has_it_as_its_cause(ready: Release) -> None:
    failed = changed(
        ready,
        lock=Lock(platforms=()),
        failure=Failure(message=MESSAGE, hint=HINT, exit_code=1, stage="lock"),
    )
    (cause,) = page_of(failed).conflicts
    assert cause.platforms == ("linux-64", "linux-aarch64", "win-64")
    assert cause.action == HINT


def test_a_run_that_ended_for_something_else_has_none(ready: Release) -> None:
    failed = changed(ready, failure=Failure(message="The disk is full", exit_code=6, stage="image"))
    assert page_of(failed).conflicts == ()

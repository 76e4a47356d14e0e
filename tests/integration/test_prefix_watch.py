"""What units leave behind in a prefix is found, and belongs to the right one."""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from cuvee.integration import prefix_watch
from cuvee.integration.outcomes import TestOutcome
from cuvee.integration.planned_outcomes import account
from cuvee.integration.prefix_watch import PrefixWatch, stamps_below
from cuvee.integration.test_session import Job


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    for name in ("lib/a.py", "lib/b.py", "bin/tool", "lib/__pycache__/a.pyc"):
        path = tmp_path / "release" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        os.utime(path, (1, 1))
    return tmp_path / "release"


def job(unit: str, work: Callable[[], object]) -> Job:
    def run() -> Sequence[TestOutcome]:
        work()
        return []

    return Job(unit=unit, run=run)


def found(watch: PrefixWatch, jobs: Sequence[Job]) -> dict[str, list[tuple[str, str]]]:
    return {
        item.unit: [(change.what, change.path) for change in item.changes] for item in watch.left_behind(jobs)
    }


def together(watch: PrefixWatch, jobs: Sequence[Job]) -> None:
    """Run jobs so that each runs while all others do."""
    barrier = threading.Barrier(len(jobs))

    def within(original: Job) -> Job:
        def run() -> Sequence[TestOutcome]:
            barrier.wait()
            outcomes = original.run()
            barrier.wait()
            return outcomes

        return Job(unit=original.unit, run=run)

    threads = [threading.Thread(target=watch.watched(within(item))) for item in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_units_that_change_nothing_have_no_outcome(prefix: Path) -> None:
    watch = PrefixWatch(prefix=prefix)
    quiet = job("a/quiet", (prefix / "lib" / "a.py").read_text)
    compiler = job("a/compiler", lambda: (prefix / "lib" / "__pycache__" / "b.pyc").write_text("x"))
    for item in (quiet, compiler):
        watch.watched(item)()
    assert found(watch, [quiet, compiler]) == {}


def test_every_change_is_found_and_is_that_of_the_unit_that_ran(prefix: Path) -> None:
    watch = PrefixWatch(prefix=prefix)
    jobs = [
        job("a/writes", lambda: (prefix / "share").mkdir() or (prefix / "share" / "new.txt").write_text("x")),  # type: ignore[func-returns-value]
        job("b/changes", lambda: (prefix / "lib" / "a.py").write_text("yy")),
        job("c/modes", lambda: (prefix / "bin" / "tool").chmod(0o777)),
        job("d/links", lambda: (prefix / "bin" / "link").symlink_to("tool")),
        job("e/removes", (prefix / "lib" / "b.py").unlink),
    ]
    for item in jobs:
        watch.watched(item)()
        wait_for_the_clock_of_files(prefix.parent)
    changes = found(watch, jobs)
    assert changes == {
        "a/writes": [("left", "share/new.txt")],
        "b/changes": [("changed", "lib/a.py")],
        "c/modes": [("changed", "bin/tool")],
        "d/links": [("left", "bin/link")],
        "e/removes": [("removed", "lib/b.py")],
    }


def wait_for_the_clock_of_files(folder: Path) -> None:
    """Wait until it has moved on, so that what follows is not at the same time."""
    probe = folder / "probe"
    probe.write_text("")
    first = probe.stat().st_mtime_ns
    while probe.stat().st_mtime_ns <= first + 2 * prefix_watch._TICK:
        probe.write_text("")


def test_of_units_that_ran_together_the_one_that_does_it_again_has_done_it(prefix: Path) -> None:
    watch = PrefixWatch(prefix=prefix)
    counts = dict.fromkeys("ab", 0)

    def count(letter: str) -> None:
        counts[letter] += 1

    guilty = job("s/guilty", lambda: (prefix / "left").write_text("x"))
    jobs = [job("s/a", lambda: count("a")), guilty, job("s/b", lambda: count("b"))]
    together(watch, jobs)
    assert found(watch, jobs) == {"s/guilty": [("left", "left")]}
    assert max(counts.values()) <= 2


def test_what_no_unit_does_again_is_said_of_all(prefix: Path) -> None:
    watch = PrefixWatch(prefix=prefix)
    once = iter([True])

    def sometimes() -> None:
        if next(once, False):
            (prefix / "left").write_text("x")

    jobs = [job("s/a", sometimes), job("s/b", lambda: None)]
    together(watch, jobs)
    reasons = {item.unit: item.reason for item in watch.left_behind(jobs)}
    assert reasons == {
        "s/a": "it, or one of s/b, has left left in the release",
        "s/b": "it, or one of s/a, has left left in the release",
    }


def test_a_unit_that_crashes_when_it_runs_again_ends_nothing(prefix: Path) -> None:
    watch = PrefixWatch(prefix=prefix)
    first = iter([True])

    def crashes_later() -> None:
        if not next(first, False):
            raise KeyError

    guilty = job("s/guilty", lambda: (prefix / "left").write_text("x"))
    jobs = [job("s/a", crashes_later), guilty]
    together(watch, jobs)
    assert found(watch, jobs) == {"s/guilty": [("left", "left")]}


def test_long_units_do_not_run_again(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefix_watch, "_MOST_SECONDS", 0)
    watch = PrefixWatch(prefix=prefix)
    runs: list[str] = []

    def work() -> None:
        runs.append("x")
        (prefix / "left").write_text("x")

    jobs = [job("s/a", work), job("s/b", lambda: None)]
    together(watch, jobs)
    assert set(found(watch, jobs)) == {"s/a", "s/b"}
    assert runs == ["x"]


def test_who_may_have_changed_something_is_known_at_an_interruption(prefix: Path) -> None:
    watch = PrefixWatch(prefix=prefix)
    watch.watched(job("s/a", lambda: (prefix / "left").write_text("x")))()
    assert watch.suspects() == {"s/a"}


def test_a_loop_of_links_is_a_link(prefix: Path) -> None:
    (prefix / "loop").symlink_to(".")
    assert "loop" in stamps_below(prefix)


def test_what_is_left_behind_is_no_result_of_a_test() -> None:
    from cuvee.integration.model import Plan, PlannedSuite, PlannedTest, PytestTarget
    from cuvee.integration.outcomes import OutcomeState

    target = PytestTarget(name="test_a.py", tests=(PlannedTest(suite="s", test="test_a.py"),))
    plan = Plan(
        platform="linux-64", packages=(), smoke=False, suites=(PlannedSuite(name="s", targets=(target,)),)
    )
    left = TestOutcome(
        suite="s",
        test="test_a.py::left-behind",
        platform="linux-64",
        state=OutcomeState.FAIL,
        reason="it has left x",
    )
    states = {item.test: (item.state.value, item.reason) for item in account(plan, [left])}
    assert states["test_a.py"] == ("infra-error", "no result was reported")
    assert states["test_a.py::left-behind"] == ("fail", "it has left x")

"""The history file: adding, asking, migrating, exporting, and what is wrong with one."""

import datetime as dt
import multiprocessing
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuvee.errors import IntegrityError, UsageError
from cuvee.graph.findings import Verdict
from cuvee.history import file_forms
from cuvee.history.history_file import HistoryFile, set_aside_if_damaged
from cuvee.history.json_lines import from_lines, to_lines
from cuvee.history.model import HistoryArtefact, HistoryFinding, HistoryPackage, HistoryRun
from cuvee.history.queries import all_runs, find_reference, flip_rate, points
from cuvee.integration.outcomes import Attempt, OutcomeState, PlatformRun, TestOutcome
from cuvee.manifest.model import ReleaseVersion


def outcome(test: str, state: OutcomeState = OutcomeState.PASS) -> TestOutcome:
    return TestOutcome(suite="smoke", test=test, platform="linux-64", state=state, package="six", seconds=0.1)


def run_of(
    version: str = "2026.10.0",
    *outcomes: TestOutcome,
    verdict: Verdict = Verdict.READY,
    runner: str | None = "native",
    minute: int = 0,
) -> HistoryRun:
    return HistoryRun(
        distribution="tiny",
        version=ReleaseVersion.parse(version),
        made_at=dt.datetime(2026, 10, 1, 12, minute, tzinfo=dt.UTC),
        verdict=verdict,
        released=not verdict.exit_code,
        runs=(
            PlatformRun(
                platform="linux-64",
                runner=runner,
                not_run=None if runner else "no runner",
                outcomes=outcomes,
                environment={"host": "Linux"},
            ),
        ),
        packages=(
            HistoryPackage(platform="linux-64", name="six", version="1.17.0", build="py_0", sha256="a"),
        ),
        artefacts=(HistoryArtefact(path="installers/Tiny.sh", sha256="b"),),
        findings=(HistoryFinding(check="closure", verdict=Verdict.INFO, cause="c", packages=("six",)),),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


def test_what_is_added_comes_back_and_is_there_once(path: Path) -> None:
    run = run_of("2026.10.0", outcome("a"), outcome("b", OutcomeState.FAIL))
    with HistoryFile.open(path) as history:
        assert history.add(run)
    with HistoryFile.open(path) as history:
        assert not history.add(replace(run, made_at=run.made_at + dt.timedelta(hours=1)))
        found = list(all_runs(history))
    assert found == [replace(run, made_at=run.made_at + dt.timedelta(hours=1))]


def test_a_run_is_the_same_as_its_record(path: Path) -> None:
    measured = replace(outcome("a"), seconds=0)  # which is 0.0 when it is read from a file
    repeated = replace(measured, attempts=(Attempt(state=OutcomeState.FAIL, seconds=0),), test="b")
    run = run_of("2026.10.0", measured, repeated)
    with HistoryFile.open(path) as history:
        assert history.add(run)
        (read,) = all_runs(history)
        assert not history.add(read)


def test_a_package_has_the_tests_that_involve_it(path: Path) -> None:
    between = replace(outcome("together"), package=None, packages=("six", "app-lib"))
    with HistoryFile.open(path) as history:
        history.add(run_of("2026.10.0", outcome("a"), between))
        assert [point.test for point in points(history, "six")] == ["a", "together"]
        assert [point.test for point in points(history, "app-lib")] == ["together"]
        assert not points(history, "app")


def test_the_order_of_what_was_found_does_not_count(path: Path) -> None:
    run = run_of("2026.10.0", outcome("b"), outcome("a"))
    more = (*run.artefacts, HistoryArtefact(path="a", sha256="c"))
    run = replace(run, artefacts=more, packages=(*run.packages, replace(run.packages[0], name="a")))
    with HistoryFile.open(path) as history:
        history.add(run)
        (found,) = all_runs(history)
        assert found != run
        assert not history.add(found)


STATES = st.sampled_from(list(OutcomeState))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(max_examples=40, deadline=None)
@given(names=st.dictionaries(TEXTS, st.tuples(STATES, TEXTS), max_size=5))
def test_any_run_comes_back_from_json_lines(
    names: dict[str, tuple[OutcomeState, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    outcomes = [
        replace(
            outcome(name, state),
            reason=reason,
            attempts=(Attempt(state=state, seconds=0.5, reason=reason),) * len(reason),
        )
        for name, (state, reason) in names.items()
    ]
    run = run_of("2026.10.0", *outcomes)
    lines = list(to_lines([run]))
    assert list(from_lines((line.encode() for line in lines), source="x")) == [run]
    folder = tmp_path_factory.mktemp("history")
    with HistoryFile.open(folder / "a") as first, HistoryFile.open(folder / "b") as second:
        first.add(run)
        exported = [line.encode() for line in to_lines(all_runs(first))]
        assert [second.add(item) for item in from_lines(exported, source="x")] == [True]
        assert [first.add(item) for item in from_lines(exported, source="x")] == [False]
        assert list(all_runs(first)) == list(all_runs(second))


def test_a_line_that_is_no_run_is_named(path: Path) -> None:
    lines = [line.encode() for line in to_lines([run_of()])]
    with pytest.raises(IntegrityError, match=r"runs.jsonl, line 2, cannot be read: .*expected"):
        list(from_lines([*lines, b'{"history-run": 1}'], source="runs.jsonl"))


def test_the_reference_is_the_last_run_of_the_base(path: Path) -> None:
    now = run_of("2026.11.0", outcome("a"))
    with HistoryFile.open(path) as history:
        history.add(run_of("2026.9.0", outcome("a")))
        history.add(run_of("2026.10.0", outcome("a"), verdict=Verdict.BLOCKED, minute=5))
        history.add(run_of("2026.10.0", outcome("b"), verdict=Verdict.BLOCKED, minute=3))

        def find(base: str, runner: str = "native", platform: str = "linux-64") -> tuple[str, bool] | None:
            run = replace(now.runs[0], runner=runner, platform=platform)
            found = find_reference(history, "tiny", now.version, base=base, run=run)
            return (f"{found.release} {found.run.outcomes[0].test}", found.released) if found else None

        assert find("tiny-2026.10.0") == ("tiny-2026.10.0 a", False)
        assert find("") == ("tiny-2026.9.0 a", True)
        assert find("tiny-2026.8.0") is None
        assert find("", runner="wine") is None
        assert find("", platform="win-64") is None


def test_a_run_without_tests_is_no_reference(path: Path) -> None:
    with HistoryFile.open(path) as history:
        history.add(run_of("2026.10.0", runner=None))
        assert (
            find_reference(history, "tiny", ReleaseVersion(2026, 11, 0), base="", run=run_of().runs[0])
            is None
        )


def test_versions_are_sorted_as_numbers(path: Path) -> None:
    with HistoryFile.open(path) as history:
        for version in ("2026.10.0", "2026.9.0", "2026.10.10", "2026.10.9"):
            history.add(run_of(version, outcome("a")))
        assert [point.release.removeprefix("tiny-") for point in points(history, "six")] == [
            "2026.9.0",
            "2026.10.0",
            "2026.10.9",
            "2026.10.10",
        ]


def test_two_writers_lose_nothing(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_runs, args=(path, first)) for first in (0, 20)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with HistoryFile.open(path) as history:
        assert len(list(all_runs(history))) == 40


def write_runs(path: Path, first: int) -> None:
    for patch in range(first, first + 20):
        with HistoryFile.open(path) as history:
            history.add(run_of(f"2026.10.{patch}", outcome("a")))


def test_a_damaged_file_is_set_aside_and_nothing_of_it_is_lost(path: Path) -> None:
    with HistoryFile.open(path) as history:
        for patch in range(30):
            history.add(run_of(f"2026.10.{patch}", *(outcome(f"t{number}") for number in range(20))))
    damaged = bytearray(path.read_bytes())
    damaged[4096:20000] = b"\xff" * (20000 - 4096)
    path.write_bytes(damaged)
    aside = set_aside_if_damaged(path)
    assert aside is not None
    assert aside.read_bytes() == damaged
    assert not path.exists()
    with HistoryFile.open(path) as history:
        assert list(all_runs(history)) == []


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 500])
def test_what_is_no_database_is_set_aside(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="is damaged"), HistoryFile.open_to_read(path):
        pass
    aside = set_aside_if_damaged(path)
    assert aside is not None
    assert aside.read_bytes() == content


def test_a_sound_file_is_left_where_it_is(path: Path) -> None:
    assert set_aside_if_damaged(path) is None
    with HistoryFile.open(path):
        pass
    assert set_aside_if_damaged(path) is None
    assert path.exists()


def test_a_newer_form_is_refused_and_left_as_it_is(path: Path) -> None:
    with HistoryFile.open(path) as history:
        history.connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(IntegrityError, match="newer version of cuvee"), HistoryFile.open(path):
        pass
    assert set_aside_if_damaged(path) is None
    assert path.read_bytes() == before


def test_the_database_of_another_program_is_refused(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE places (url TEXT)")
    connection.commit()
    connection.close()
    for opening in (HistoryFile.open, HistoryFile.open_to_read):
        with pytest.raises(UsageError, match="another program"), opening(path):
            pass


def test_a_run_is_added_whole_or_not_at_all(path: Path) -> None:
    twice = run_of("2026.10.0", outcome("a"), outcome("a"))
    with pytest.raises(IntegrityError, match="twice"), HistoryFile.open(path) as history:
        history.add(twice)
    with HistoryFile.open(path) as history:
        assert list(all_runs(history)) == []
        assert history.connection.execute("SELECT count(*) FROM outcome").fetchone() == (0,)


def _of_the_first_form(path: Path, *runs: HistoryRun) -> None:
    """Write a history as the first form had it: without the table of attempts."""
    with HistoryFile.open(path) as history:
        for run in runs:
            history.add(run)
        history.connection.execute("DROP TABLE attempt")
        history.connection.execute("PRAGMA user_version = 1")


def test_a_file_of_the_first_form_is_brought_up_to_date_and_knows_its_runs(path: Path) -> None:
    run = run_of("2026.10.0", outcome("a"), outcome("b", OutcomeState.FLAKY))
    _of_the_first_form(path, run)
    with pytest.raises(IntegrityError, match="older version"), HistoryFile.open_to_read(path):
        pass
    assert set_aside_if_damaged(path) is None
    with HistoryFile.open(path) as history:
        assert list(all_runs(history)) == [run]
        assert not history.add(run), "it has another fingerprint than before"
        again = replace(
            run.runs[0].outcomes[0],
            attempts=(Attempt(state=OutcomeState.FAIL), Attempt(state=OutcomeState.PASS)),
        )
        assert history.add(run_of("2026.10.1", again))
        assert list(all_runs(history))[1].runs[0].outcomes == (again,)
        assert flip_rate(history, "tiny", outcome("b"), runner="native").flipped == 1


def test_the_first_form_is_what_its_migration_makes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_forms, "migrations", lambda: ["0001-runs.sql"])
    connection = sqlite3.connect(path, isolation_level=None)
    file_forms.migrate(connection)
    connection.close()
    monkeypatch.undo()
    with HistoryFile.open(path) as history:
        assert file_forms.form(history.connection) == 2
        assert history.add(run_of("2026.10.0", outcome("a")))


def test_a_damaged_file_of_an_older_form_is_set_aside_too(path: Path) -> None:
    runs = [run_of(f"2026.10.{patch}", *(outcome(f"t{n}") for n in range(20))) for patch in range(30)]
    _of_the_first_form(path, *runs)
    damaged = bytearray(path.read_bytes())
    damaged[8192:20000] = b"\xff" * (20000 - 8192)
    path.write_bytes(damaged)
    aside = set_aside_if_damaged(path)
    assert aside is not None
    assert aside.read_bytes() == damaged


def test_the_flip_rate_counts_runs_in_which_a_test_failed_and_passed(path: Path) -> None:
    flip = (Attempt(state=OutcomeState.FAIL), Attempt(state=OutcomeState.PASS))
    twice = (Attempt(state=OutcomeState.FAIL), Attempt(state=OutcomeState.FAIL))
    results = [
        outcome("a"),
        replace(outcome("a", OutcomeState.FLAKY), attempts=flip),
        replace(outcome("a", OutcomeState.WAIVED), attempts=flip),
        replace(outcome("a", OutcomeState.FAIL), attempts=twice),
        outcome("a", OutcomeState.SKIPPED),
        outcome("a", OutcomeState.NOT_RUN),
        outcome("b", OutcomeState.FLAKY),
    ]
    with HistoryFile.open(path) as history:
        for patch, result in enumerate(results):
            history.add(run_of(f"2026.10.{patch}", result))

        def rate(**values: object) -> str:
            return str(flip_rate(history, "tiny", outcome("a"), **({"runner": "native"} | values)))  # type: ignore[arg-type]

        assert rate() == "2 of 4 runs (50%)"
        assert rate(before=ReleaseVersion(2026, 10, 2)) == "1 of 2 runs (50%)"
        assert rate(runner="wine") == "no run"
        assert [(point.flips.flipped, point.flips.runs) for point in points(history, "smoke/a")] == [
            (0, 1),
            (1, 1),
            (1, 1),
            (0, 1),
            (0, 0),
            (0, 0),
        ]

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.integration.pytest_events import PytestRecord, read_record
from cuvee.integration.test_session import describe_exit, last_line, shortened
from cuvee.process import Completed, Request

EVENTS = [
    {"event": "collected", "tests": ["a", "b", "c"]},
    {"event": "start", "test": "a"},
    {"event": "result", "test": "a", "state": "pass", "seconds": 0.5},
    {"event": "absent", "module": "m.n"},
    {"event": "start", "test": "b"},
]


def _read(folder: Path, text: str, crash: str = "") -> PytestRecord:
    (folder / "events").write_text(text, "utf-8")
    (folder / "crash").write_text(crash, "utf-8")
    return read_record(folder / "events", folder / "crash")


def test_the_test_without_a_result_is_the_one_that_went_down(tmp_path: Path) -> None:
    text = "".join(json.dumps(event) + "\n" for event in EVENTS)
    record = _read(tmp_path, text + '{"event": "resu', "Fatal Python error: Segmentation fault")
    assert record.running == "b"
    assert record.exit_code is None
    assert not record.timed_out
    assert list(record.results) == ["a", "m.n"]
    assert record.collected == ["a", "b", "c"]
    assert record.results["a"].seconds == 0.5


def test_a_timeout_is_told_by_the_crash_report(tmp_path: Path) -> None:
    assert _read(tmp_path, "", "Timeout (0:02:00)!\nThread 0x1").timed_out


def test_nothing_written_is_nothing_known(tmp_path: Path) -> None:
    assert read_record(tmp_path / "none", tmp_path / "neither") == PytestRecord()


@given(text=st.text())
def test_whatever_a_test_wrote_into_the_file_is_read(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    end = json.dumps({"event": "end", "exit_code": 0})
    assert _read(tmp_path_factory.mktemp("events"), f"{text}\n{end}\n").exit_code == 0


@pytest.mark.parametrize(
    ("code", "timed_out", "said"),
    [
        (1, False, "exit code 1"),
        (-11, False, "killed by SIGSEGV"),
        (134, False, "killed by SIGABRT"),
        (255, False, "exit code 255"),
        (-9, True, "stopped for taking too long"),
    ],
)
def test_endings_in_words(code: int, timed_out: bool, said: str) -> None:
    request = Request(argv=("x",))
    completed = Completed(
        request=request, exit_code=code, stdout="", stderr="", seconds=0, timed_out=timed_out
    )
    assert describe_exit(completed) == said


def test_a_long_log_keeps_its_ends() -> None:
    text = "first" + "x" * 3_000_000 + "last"
    short = shortened(text)
    assert short.startswith("first")
    assert short.endswith("last")
    assert "[… 2000009 characters left out …]" in short
    assert shortened("short") == "short"


def test_the_last_line_names_the_error() -> None:
    assert last_line("Traceback\n  File\nValueError: no\n\n") == "ValueError: no"
    assert last_line("") == ""

"""The index is asked ahead what it was asked in an earlier run, and no other answer is taken."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cuvee.channel.wheels import uv
from cuvee.channel.wheels.index_questions import IndexQuestion, IndexQuestions
from cuvee.channel.wheels.model import ResolutionTarget
from cuvee.errors import BlockedError
from cuvee.process import Completed, Request

TARGET = ResolutionTarget(platform="linux-64", python="3.11.7", floor={"glibc": "2.28"})
QUESTION = IndexQuestion(lines=("demo==1.0", "zope-interface==5.0.dev1+local.1"), target=TARGET)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """Return the list of what uv is asked; its answers are numbered."""
    found: list[Sequence[str]] = []
    numbers = itertools.count(1)

    def compiling(lines: Sequence[str], *, target: ResolutionTarget, more: Sequence[str]) -> Completed:
        found.append((*lines, target.platform, *more))
        answer = str(next(numbers))
        return Completed(request=Request(argv=("uv",)), exit_code=0, stdout=answer, stderr="", seconds=1.0)

    monkeypatch.setattr(uv, "compile_requirements", compiling)
    return found


def left(path: Path, *questions: IndexQuestion) -> Path:
    """Return the file that a run with these questions has left."""
    run = IndexQuestions()
    for question in questions:
        run.answer(question)
    run.save(path)
    return path


def test_what_was_asked_is_asked_once_and_ahead(tmp_path: Path, asked: list[Sequence[str]]) -> None:
    other = replace(QUESTION, target=replace(TARGET, platform="win-64"))
    path = left(tmp_path / "questions", QUESTION, other)
    asked.clear()
    run = IndexQuestions()
    run.ask_ahead(path)
    assert {run.answer(QUESTION).stdout, run.answer(other).stdout} == {"3", "4"}
    expected = {(*item.lines, item.target.platform, "--no-deps") for item in (QUESTION, other)}
    assert {tuple(item) for item in asked} == expected
    assert run.answer(QUESTION).stdout == "5", "an answer is used once"


def test_a_question_that_was_not_needed_is_asked_ahead_by_the_next_run(
    tmp_path: Path, asked: list[Sequence[str]]
) -> None:
    run = IndexQuestions()
    run.note(QUESTION)
    run.note(QUESTION)
    run.save(tmp_path / "questions")
    assert (run.asked, asked) == ([QUESTION], [])
    again = IndexQuestions()
    again.ask_ahead(tmp_path / "questions")
    assert [item for item, _ in again._ahead] == [QUESTION]
    again.answer(QUESTION)
    again.note(QUESTION)
    assert again.asked == [QUESTION]


def test_another_question_gets_its_own_answer(tmp_path: Path, asked: list[Sequence[str]]) -> None:
    path = left(tmp_path / "questions", QUESTION)
    run = IndexQuestions()
    run.ask_ahead(path)
    newer = replace(QUESTION, lines=("demo==1.1",))
    run.answer(newer)
    assert ("demo==1.1", "linux-64", "--no-deps") in asked
    run.save(path)
    again = IndexQuestions()
    again.ask_ahead(path)
    assert [item for item, _ in again._ahead] == [newer]


@pytest.mark.parametrize(
    "line", ["--index-url=https://evil.example", "demo @ https://evil.example/x", "-r /x"]
)
def test_a_file_with_other_lines_asks_nothing(tmp_path: Path, asked: list[Sequence[str]], line: str) -> None:
    path = left(tmp_path / "questions", replace(QUESTION, lines=("demo==1.0", line)))
    asked.clear()
    IndexQuestions().ask_ahead(path)
    assert not asked


@pytest.mark.parametrize("content", [b"", b"{", b'{"index-questions": 1, "questions": [1]}'])
def test_a_damaged_file_asks_nothing(tmp_path: Path, asked: list[Sequence[str]], content: bytes) -> None:
    path = tmp_path / "questions"
    path.write_bytes(content)
    IndexQuestions().ask_ahead(path)
    assert not asked


def test_an_error_is_told_where_the_answer_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> Completed:
        raise BlockedError("uv is missing")

    monkeypatch.setattr(uv, "compile_requirements", failing)
    path = tmp_path / "questions"
    run = IndexQuestions(asked=[QUESTION])
    run.save(path)
    run.ask_ahead(path)
    with pytest.raises(BlockedError, match="uv is missing"):
        run.answer(QUESTION)


def test_a_run_without_questions_leaves_none(tmp_path: Path, asked: list[Sequence[str]]) -> None:
    path = left(tmp_path / "questions", QUESTION)
    IndexQuestions().save(path)
    assert (path.exists(), len(asked)) == (False, 1)

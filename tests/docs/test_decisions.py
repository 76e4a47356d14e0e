"""The decision records have the form that the first of them gives, and the index lists all."""

import re
from pathlib import Path

import pytest

from docs_text import prose, table

ADR = Path(__file__).parents[2] / "docs" / "adr"
RECORDS = sorted(ADR.glob("0*.md"))
TOPICS = set(
    re.sub(
        r"\s+",
        " ",
        re.findall(r"^- Topics: (.+?)\.\n- ", RECORDS[0].read_text("utf-8"), re.DOTALL | re.MULTILINE)[0],
    ).split(", ")
)
LINES = 60


def index_row(record: Path) -> list[str]:
    """Return the cells of a record in the index: number with link, title, status, topics."""
    title = re.match(r"# (\d+)\. (.+)\n", text := record.read_text(encoding="utf-8"))
    status = re.search(r"^\*\*Status:\*\* (.+)$", text, re.MULTILINE)
    topics = re.search(r"^\*\*Topics:\*\* (.+)$", text, re.MULTILINE)
    if title is None or status is None or topics is None:
        raise AssertionError(f"{record.name} lacks a title, a status or topics")
    return [f"[{title[1]}]({record.name})", title[2], status[1], topics[1]]


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_record_has_the_form(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    number, _, status, topics = index_row(record)
    assert number.startswith(f"[{int(record.name[:4])}]")
    assert re.fullmatch(r"accepted, 20\d\d-\d\d(; replaces (a part of )?\d+)?|replaced by \d+", status)
    assert set(topics.split(", ")) <= TOPICS
    assert len(topics.split(", ")) <= 3
    headings = re.findall(r"^## (.+)$", prose(record), re.MULTILINE)
    assert [name for name in headings if name in {"Context", "Decision", "Consequences"}] == [
        "Context",
        "Decision",
        "Consequences",
    ]
    assert text.count("\n") <= LINES


def test_numbers_are_used_once() -> None:
    assert len({record.name[:4] for record in RECORDS}) == len(RECORDS)


def test_the_index_lists_every_record() -> None:
    rows = [index_row(record) for record in RECORDS]
    expected = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    assert table(ADR / "index.md", "No.") == rows, f"the table must be:\n{expected}"

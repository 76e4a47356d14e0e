"""Parsing Markdown pages, for the tests that compare them with the code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(
    r"^(?P<fence>`{3,})(?P<language>[\w{}-]*)[^\n]*\n(?P<text>.*?)^(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL
)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block; ``line`` counts from 1."""

    language: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    """Return a page's fenced blocks."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            language=match["language"],
            text=match["text"],
            line=text.count("\n", 0, match.start()) + 1,
        )
        for match in _FENCE.finditer(text)
    ]


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def inline_code(page: Path) -> list[str]:
    """Return the inline code of a page."""
    return _INLINE.findall(prose(page))


def links(page: Path) -> list[str]:
    """Return the targets of links and pictures, except those in code."""
    return _LINK.findall(_INLINE.sub("", prose(page)))


def table(page: Path, heading: str) -> list[list[str]]:
    """Return the cells of the table whose first column has this heading."""
    rows: list[list[str]] = []
    inside = False
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("|") else []
        if cells and cells[0].strip() == heading and not inside:
            inside = True
        elif inside and not cells:
            return rows[1:]
        elif inside:
            rows.append([cell.strip(" |") for cell in cells])
    if not inside:
        raise AssertionError(f"{page.name} has no table {heading!r}")
    return rows[1:]


def unmarked(cell: str) -> str:
    """Remove the backticks of a cell."""
    return cell.strip("`")


def code_in(cell: str) -> set[str]:
    """Return each word of a cell that is marked as code."""
    return set(_INLINE.findall(cell))


def command_lines(page: Path) -> Iterator[str]:
    """Yield every command line that a page shows, as typed, without prompts and comments."""
    for block in blocks(page):
        if block.language in {"console", "sh"}:
            for line in block.text.splitlines():
                yield re.sub(r"\s+#.*$", "", line.removeprefix("$ "))
    yield from inline_code(page)

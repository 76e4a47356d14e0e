"""Problems of a manifest, and how they look: all at once, each with its line and a caret."""

import difflib
import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cuvee.errors import ManifestError
from cuvee.manifest.nodes import Place

HINT = "`cuvee schema` prints the schema for your editor; docs/reference/manifest.md explains every key."
_SHOWN = 100
_ENOUGH = 1000
_SEARCHED = 200
_WIDTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a manifest.

    Attributes
    ----------
    place
        What the caret marks.
    message
        What is wrong, in one line.
    advice
        What to write instead; stands beside the caret.
    expected
        What would be right there.
    related
        Another place that matters, and what it is.
    """

    place: Place
    message: str
    advice: str = ""
    expected: str = ""
    related: tuple[Place, str] | None = None


class EnoughError(Exception):
    """So many problems were found that looking for more would only cost time."""


class Problems:
    """Collects problems while the manifest at ``path`` is read; the same problem is kept once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: dict[tuple[str, str], Problem] = {}
        self._places: set[tuple[Path, int, int]] = set()

    @property
    def found(self) -> tuple[Problem, ...]:
        """What was found, in the order in which it was found."""
        return tuple(self._found.values())

    def __bool__(self) -> bool:
        return bool(self._found)

    def any_at(self, place: Place) -> bool:
        """Whether a problem has been noted at the start of ``place``."""
        return (place.source.path, place.line, place.column) in self._places

    def add(
        self,
        place: Place,
        message: str,
        *,
        advice: str = "",
        expected: str = "",
        related: tuple[Place, str] | None = None,
    ) -> None:
        """Keep a problem.

        Raises
        ------
        EnoughError
            When a thousand have been found.
        """
        problem = Problem(place=place, message=message, advice=advice, expected=expected, related=related)
        self._places.add((place.source.path, place.line, place.column))
        self._found.setdefault((str(place.position), message), problem)
        if len(self._found) >= _ENOUGH:
            raise EnoughError

    def raise_any(self) -> None:
        """Raise everything that was found, if anything was.

        Raises
        ------
        ManifestError
            Its message is the rendered list.
        """
        if self._found:
            raise ManifestError(render(self.found, self._path), hint=HINT)


def render(problems: Iterable[Problem], path: Path) -> str:
    """Render the problems of the manifest at ``path``: a line that sums up, then at most a hundred.

    They come in the order of the file; those that stand in a manifest it is based on come last.
    """
    listed = sorted(
        problems,
        key=lambda found: (
            found.place.source.path != path,
            str(found.place.source.path),
            found.place.line,
            found.place.column,
        ),
    )
    blocks = [_summary(listed, path), *(_block(problem) for problem in listed[:_SHOWN])]
    if len(listed) > _SHOWN:
        blocks.append(f"… and {len(listed) - _SHOWN:,} more")
    return "\n\n".join(blocks)


def quote(text: str, limit: int = 60) -> str:
    """Show a value in a message: in quotes, on one line, cut when long."""
    shown = text if len(text) <= limit else text[: limit - 1] + "…"
    return json.dumps(_visible(shown.replace("\n", " ")), ensure_ascii=False)


def nearest(wrong: str, known: Iterable[str]) -> str | None:
    """Give the known word that ``wrong`` was most likely meant to be, if any is near.

    Of very many words, those with the same first letter are looked at first, and then some others.
    """
    words = sorted(known, key=lambda word: word[:1].lower() != wrong[:1].lower())
    by_lower = {word.lower(): word for word in words[:_SEARCHED]}
    found = difflib.get_close_matches(wrong.lower()[:80], by_lower, n=1, cutoff=0.65)
    return by_lower[found[0]] if found else None


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Give ``did you mean "packages"?``, or nothing."""
    word = nearest(wrong, known)
    return f"did you mean {quote(word)}?" if word else ""


def listing(words: Sequence[str], limit: int = 20) -> str:
    """Join words for a message, the rest counted."""
    rest = f", … ({len(words) - limit} more)" if len(words) > limit else ""
    return ", ".join(words[:limit]) + rest


def _summary(problems: Sequence[Problem], path: Path) -> str:
    count = f"{len(problems):,}{' or more' if len(problems) >= _ENOUGH else ''}"
    summary = f"{count} problem{'s' if len(problems) > 1 else ''} in {path}"
    inherited = sum(problem.place.source.path != path for problem in problems)
    if inherited == len(problems):
        return f"{summary}, in what it inherits"
    return f"{summary}, {inherited:,} of them in what it inherits" if inherited else summary


def _block(problem: Problem) -> str:
    lines = [f"{problem.place.position}: {problem.message}", *_snippet(problem.place, problem.advice)]
    if problem.related is not None:
        place, label = problem.related
        if place.source.path != problem.place.source.path:
            lines.append(f"{'':>6} = see {place.position}")
        snippet = _snippet(place, label)
        lines += snippet[1:] if snippet[0] == lines[1] else snippet
    if problem.expected:
        lines.append(f"{'':>6} = expected {problem.expected}")
    return "\n".join(lines)


def _snippet(place: Place, note: str) -> list[str]:
    """Show the line and a caret below what is meant, also behind tabs and wide characters."""
    lines = place.source.lines
    if place.line >= len(lines):  # the end of the file, or an empty file
        return [f"{'':>6} | {note}"] if note else []
    line = lines[place.line]
    end = place.end_column if place.end_line == place.line else len(line.rstrip())
    start, end = min(place.column, len(line)), min(max(end, place.column + 1), max(len(line), 1))
    first = max(0, start - _WIDTH // 2) if len(line) > _WIDTH else 0
    cut = line[first : first + _WIDTH]
    before, meant = line[first:start], line[start : min(end, first + _WIDTH)]
    left = "…" if first else ""
    right = "…" if first + _WIDTH < len(line) else ""
    caret = " " * _columns(left + before) + "^" * max(1, _columns(meant))
    return [
        f"{place.line + 1:>6} | {left}{_visible(cut)}{right}".rstrip(),
        f"{'':>6} | {caret} {note}".rstrip(),
    ]


def _visible(text: str) -> str:
    """Make a line safe for a terminal: tabs become spaces, what steers the cursor or hides is shown."""
    return "".join(
        "    "
        if char == "\t"
        else "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(char)[0] == "C"
        else char
        for char in text
    )


def _columns(text: str) -> int:
    """Columns that ``text`` takes in a terminal."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in _visible(text)
    )

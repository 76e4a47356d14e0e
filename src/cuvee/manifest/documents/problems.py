"""Problems of a document and their rendering: all at once, each with its line and a caret."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from cuvee.errors import DocumentError
from cuvee.manifest.documents.schema_types import DocumentSchema
from cuvee.manifest.documents.source_tree import Span
from cuvee.manifest.documents.suggestions import visible

_SHOWN = 100
_ENOUGH = 1000
_WIDTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentProblem:
    """One thing that is wrong with a document.

    The caret marks ``span``, with ``advice`` beside it; ``related`` is another span that matters, and what
    it holds.
    """

    span: Span
    message: str
    advice: str = ""
    expected: str = ""
    related: tuple[Span, str] | None = None


class TooManyProblemsError(Exception):
    """So many problems were found that more would not help."""


class Problems:
    """Collects problems while the document at ``path`` is read; the same problem is kept once.

    As a context manager it raises at the end of the block what was found in it: an error of the document's
    own class, whose message is the rendered list. A file that is read as YAML only has no ``document``.
    """

    def __init__(self, path: Path, document: DocumentSchema | None = None) -> None:
        self.document = document
        self._path = path
        self._found: dict[tuple[str, str], DocumentProblem] = {}
        self._spans: set[tuple[Path, int, int]] = set()

    @property
    def found(self) -> tuple[DocumentProblem, ...]:
        """What was found, in the order in which it was found."""
        return tuple(self._found.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._found and (kind is None or isinstance(error, TooManyProblemsError)):
            document = self.document
            raise (document.error if document else DocumentError)(
                render(self.found, self._path), hint=document.hint if document else None
            ) from None

    def __bool__(self) -> bool:
        return bool(self._found)

    def any_at(self, span: Span) -> bool:
        """Whether a problem has been noted at the start of ``span``."""
        return (span.source.path, span.line, span.column) in self._spans

    def add(
        self,
        span: Span,
        message: str,
        *,
        advice: str = "",
        expected: str = "",
        related: tuple[Span, str] | None = None,
    ) -> None:
        """Keep a problem.

        Raises
        ------
        TooManyProblemsError
            When a thousand have been found.
        """
        problem = DocumentProblem(
            span=span, message=message, advice=advice, expected=expected, related=related
        )
        self._spans.add((span.source.path, span.line, span.column))
        self._found.setdefault((str(span.position), message), problem)
        if len(self._found) >= _ENOUGH:
            raise TooManyProblemsError


def render(problems: Iterable[DocumentProblem], path: Path) -> str:
    """Return the problems of the document at ``path`` as text: a summary line, then at most a hundred.

    They come in the order of the file; those of a manifest that it is based on come last.
    """
    listed = sorted(
        problems,
        key=lambda found: (
            found.span.source.path != path,
            str(found.span.source.path),
            found.span.line,
            found.span.column,
        ),
    )
    blocks = [_summary(listed, path), *(_block(problem) for problem in listed[:_SHOWN])]
    if len(listed) > _SHOWN:
        blocks.append(f"… and {len(listed) - _SHOWN:,} more")
    return "\n\n".join(blocks)


def _summary(problems: Sequence[DocumentProblem], path: Path) -> str:
    count = f"{len(problems):,}{' or more' if len(problems) >= _ENOUGH else ''}"
    summary = f"{count} problem{'s' if len(problems) > 1 else ''} in {path}"
    inherited = sum(problem.span.source.path != path for problem in problems)
    if inherited == len(problems):
        return f"{summary}, in what it inherits"
    return f"{summary}, {inherited:,} of them in what it inherits" if inherited else summary


def _block(problem: DocumentProblem) -> str:
    lines = [f"{problem.span.position}: {problem.message}", *_snippet(problem.span, problem.advice)]
    if problem.related is not None:
        span, label = problem.related
        if span.source.path != problem.span.source.path:
            lines.append(f"{'':>6} = see {span.position}")
        snippet = _snippet(span, label)
        lines += snippet[1:] if snippet[0] == lines[1] else snippet
    if problem.expected:
        lines.append(f"{'':>6} = expected {problem.expected}")
    return "\n".join(lines)


def _snippet(span: Span, note: str) -> list[str]:
    """Return the line, and a caret below what is meant, also after tabs and wide characters."""
    lines = span.source.lines
    if span.line >= len(lines):  # the end of the file, or an empty file
        return [f"{'':>6} | {note}"] if note else []
    line = lines[span.line]
    end = span.end_column if span.end_line == span.line else len(line.rstrip())
    start, end = min(span.column, len(line)), min(max(end, span.column + 1), max(len(line), 1))
    first = max(0, start - _WIDTH // 2) if len(line) > _WIDTH else 0
    cut = line[first : first + _WIDTH]
    before, meant = line[first:start], line[start : min(end, first + _WIDTH)]
    left = "…" if first else ""
    right = "…" if first + _WIDTH < len(line) else ""
    caret = " " * _columns(left + before) + "^" * max(1, _columns(meant))
    return [
        f"{span.line + 1:>6} | {left}{visible(cut)}{right}".rstrip(),
        f"{'':>6} | {caret} {note}".rstrip(),
    ]


def _columns(text: str) -> int:
    """Return the columns that ``text`` takes in a terminal: https://www.unicode.org/reports/tr11/."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in visible(text)
    )

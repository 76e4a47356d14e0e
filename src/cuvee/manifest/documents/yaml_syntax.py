"""Messages about what is not YAML; libyaml's own are about its grammar."""

import re

import yaml

from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.source_tree import SourceFile, Span
from cuvee.manifest.documents.suggestions import quote

_TAB = "found character '\\t' that cannot start any token"
_BLOCK = "did not find expected comment or line break"
_INNER = "a bracket inside a word"
_BRACKET = re.compile(r"[\w.\-]\[$")
_WORDS = {
    _INNER: ("a [ inside a word begins a list of its own", 'put the word in quotes, like "dask[array]"'),
    _TAB: ("a tab cannot indent YAML", "use spaces"),
    "found a tab character that violates indentation": ("a tab cannot indent YAML", "use spaces"),
    "found character that cannot start any token": ("a value cannot begin like this", "put it in quotes"),
    "mapping values are not allowed": (
        "this colon is not expected here",
        "indent the line like its neighbours, or put the value in quotes",
    ),
    "could not find expected ':'": ("this line lacks a colon", "write key: value"),
    "did not find expected key": ("a key was expected here", "indent it like its neighbours"),
    "did not find expected ',' or ']'": ("this list is not closed", "add a comma or ]"),
    "did not find expected ',' or '}'": ("this mapping is not closed", "add a comma or }"),
    "found unexpected end of stream": ("the file ends inside quotes", "close them"),
    "did not find expected alphabetic or numeric character": (
        "* and & begin a name for a value that is used twice",
        'put a lone star in quotes: "*"',
    ),
    "found undefined tag handle": ("tags have no meaning here", "remove it"),
}
"""How libyaml's message begins: what to say instead, and what to do."""


def point(source: SourceFile, line: int, column: int) -> Span:
    """Return the span of one character."""
    return Span(source, line, column, line, column + 1)


def add_syntax_problem(source: SourceFile, error: yaml.MarkedYAMLError, problems: Problems) -> None:
    """Note what libyaml refused, and what was likely meant."""
    mark = error.problem_mark or error.context_mark
    span = point(source, mark.line, mark.column) if mark else point(source, 0, 0)
    said = str(error.problem or error.context or error)
    start = error.context_mark
    related = None
    opened = str(error.context).startswith(("while parsing a flow", "while scanning a quoted"))
    if opened and start and mark and start.line != mark.line:
        related = (point(source, start.line, start.column), "it begins here")
    line = source.lines[span.line] if span.line < len(source.lines) else ""
    if said.startswith("found character") and "\t" in line[: span.column + 1]:
        said = _TAB
    if said == _BLOCK:
        begin = max(line.rfind(">", 0, span.column + 1), line.rfind("|", 0, span.column + 1), 0)
        add_unquoted_problem(Span(source, span.line, begin, span.line, begin + 1), problems)
        return
    if said.startswith("did not find expected ','") and _BRACKET.search(line[: span.column + 1]):
        said = _INNER
    message, advice = next(
        (words for known, words in _WORDS.items() if said.startswith(known)),
        (f"this is not YAML: {said}", ""),
    )
    problems.add(span, message, advice=advice, related=related)


def add_unquoted_problem(span: Span, problems: Problems) -> None:
    """Note a range that begins with ``>`` or ``|`` and lacks its quotes; ``span`` is where it begins."""
    text = span.source.lines[span.line][span.column :].split(" #")[0].strip()
    problems.add(
        span._replace(end_line=span.line, end_column=span.column + len(text)),
        f"an unquoted {text[:1]} begins a block of text",
        advice=f"put it in quotes: {quote(text)}",
    )

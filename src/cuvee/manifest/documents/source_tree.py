"""The source tree of a YAML file: every value is text and knows its span."""

from pathlib import Path
from typing import NamedTuple

from cuvee.manifest.model import Position


class SourceFile(NamedTuple):
    """A file: its path as the user named it, and its lines for messages."""

    path: Path
    lines: tuple[str, ...]


class Span(NamedTuple):
    """A range of characters in a file; lines and columns are counted from 0."""

    source: SourceFile
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def position(self) -> Position:
        """The start, counted from 1 as editors do."""
        return Position(file=self.source.path, line=self.line + 1, column=self.column + 1)


class ScalarNode(NamedTuple):
    """A single value. ``plain`` when it has no quotes, so that ``null`` is not a text."""

    text: str
    plain: bool
    span: Span

    @property
    def is_null(self) -> bool:
        """Whether it says that there is no value."""
        return self.plain and self.text in {"", "~", "null", "Null", "NULL"}


class SequenceNode(NamedTuple):
    """A list."""

    items: tuple["SourceNode", ...]
    span: Span


class MappingEntry(NamedTuple):
    """A key and its value."""

    key: ScalarNode
    value: "SourceNode"


class MappingNode(NamedTuple):
    """A mapping, in the order of the file, merge keys resolved."""

    entries: tuple[MappingEntry, ...]
    span: Span


SourceNode = ScalarNode | SequenceNode | MappingNode

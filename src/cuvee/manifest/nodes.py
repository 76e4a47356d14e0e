"""A YAML file as it is written: every value is text and knows its place."""

from pathlib import Path
from typing import NamedTuple

from cuvee.manifest.model import Position


class Source(NamedTuple):
    """A manifest file: its path as the user named it, and its lines for messages."""

    path: Path
    lines: tuple[str, ...]


class Place(NamedTuple):
    """Where something stands in a source; lines and columns are counted from 0, in characters."""

    source: Source
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def position(self) -> Position:
        """The start, counted from 1 as editors do."""
        return Position(file=self.source.path, line=self.line + 1, column=self.column + 1)


class Scalar(NamedTuple):
    """A single value. ``plain`` when it stands without quotes, so that ``null`` means nothing."""

    text: str
    plain: bool
    place: Place

    @property
    def is_null(self) -> bool:
        """Whether it says that there is no value."""
        return self.plain and self.text in {"", "~", "null", "Null", "NULL"}


class Sequence(NamedTuple):
    """A list."""

    items: tuple["Node", ...]
    place: Place


class Entry(NamedTuple):
    """A key and its value."""

    key: Scalar
    value: "Node"


class Mapping(NamedTuple):
    """A mapping, in the order of the file, merge keys resolved."""

    entries: tuple[Entry, ...]
    place: Place


Node = Scalar | Sequence | Mapping

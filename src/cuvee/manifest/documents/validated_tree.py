"""The validated tree of a document. Its accessors skip what is invalid, so that checks do not cascade."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cuvee.manifest.documents.source_tree import Span


class ScalarValue(NamedTuple):
    """A checked single value; `None` where ``null`` was written."""

    value: object
    span: Span


class ListValue(NamedTuple):
    """A list."""

    items: "tuple[ValidatedValue, ...]"
    span: Span


class ValidatedEntry(NamedTuple):
    """The span of a key, and its value."""

    key: Span
    value: "ValidatedValue"


class MappingValue(NamedTuple):
    """A mapping. Its keys are normalised."""

    entries: Mapping[str, ValidatedEntry]
    span: Span


class NullValue(NamedTuple):
    """``null`` where a value is needed: in a child manifest it removes what the base has.

    ``instead`` is a value that could stand there.
    """

    span: Span
    instead: str = ""


class InvalidValue(NamedTuple):
    """A value that had a problem; checks that depend on it are skipped."""

    span: Span


class OpenValue(NamedTuple):
    """A mapping with any content, as the plain values that YAML's own types make of it."""

    value: Mapping[object, object]
    span: Span


class PerSystemValue(NamedTuple):
    """The values that hold on each system; one without a value is left out."""

    values: "Mapping[str, ValidatedValue]"
    span: Span


ValidatedValue = (
    ScalarValue | ListValue | MappingValue | OpenValue | PerSystemValue | NullValue | InvalidValue
)


def entry_at(tree: ValidatedValue, *path: str) -> ValidatedEntry | None:
    """Return the entry at a path of keys."""
    entry: ValidatedEntry | None = None
    for name in path:
        if not isinstance(tree, MappingValue) or name not in tree.entries:
            return None
        entry = tree.entries[name]
        tree = entry.value
    return entry


def scalar_at(tree: ValidatedValue, *path: str) -> ScalarValue | None:
    """Return the single value at a path of keys; an explicit ``null`` counts as absent."""
    entry = entry_at(tree, *path)
    return (
        entry.value
        if entry and isinstance(entry.value, ScalarValue) and entry.value.value is not None
        else None
    )


def text_at(tree: ValidatedValue, *path: str) -> str | None:
    """Return the text at a path of keys."""
    scalar = scalar_at(tree, *path)
    return None if scalar is None else str(scalar.value)


def entries_at(tree: ValidatedValue, *path: str) -> Iterator[tuple[str, ValidatedEntry]]:
    """Yield the entries of the mapping at a path of keys."""
    entry = entry_at(tree, *path) if path else None
    table = entry.value if entry else tree
    if isinstance(table, MappingValue) and (entry or not path):
        yield from table.entries.items()


def items_at(tree: ValidatedValue, *path: str) -> Iterator[ValidatedValue]:
    """Yield the items of the list at a path of keys."""
    entry = entry_at(tree, *path)
    if entry and isinstance(entry.value, ListValue):
        yield from entry.value.items


def scalars_at(tree: ValidatedValue, *path: str) -> Iterator[ScalarValue]:
    """Yield the valid single values of the list at a path of keys."""
    for item in items_at(tree, *path):
        if isinstance(item, ScalarValue):
            yield item


def record_fields(tree: ValidatedValue | None) -> dict[str, Any]:
    """Return the values of a valid record by field name, lists as tuples; what has no value is left out."""
    entries = entries_at(tree) if tree is not None else ()
    found = {name.replace("-", "_"): _plain(entry.value) for name, entry in entries}
    return {name: value for name, value in found.items() if value is not None}


def _plain(value: ValidatedValue) -> object:
    match value:
        case ScalarValue() | OpenValue():
            return value.value
        case ListValue():
            return tuple(map(_plain, value.items))
        case MappingValue():
            return {name: _plain(entry.value) for name, entry in value.entries.items()}
        case _:
            return None


def for_system(tree: MappingValue, system: str) -> MappingValue:
    """Return a mapping of values by system as it is on one of them; keys without a value are left out."""
    return MappingValue(
        {
            name: ValidatedEntry(key, value.values[system])
            for name, (key, value) in tree.entries.items()
            if isinstance(value, PerSystemValue) and system in value.values
        },
        tree.span,
    )

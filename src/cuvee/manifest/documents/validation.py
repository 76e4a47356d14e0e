"""From nodes to stated values: each value is checked by itself against the schema and keeps its span."""

import re
from collections.abc import Mapping, Sequence

from cuvee.manifest.documents import source_tree
from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.schema_types import (
    ListType,
    MapType,
    ParseError,
    Property,
    RecordType,
    ScalarType,
    SchemaType,
)
from cuvee.manifest.documents.source_tree import Span
from cuvee.manifest.documents.suggestions import listing, nearest, quote
from cuvee.manifest.documents.validated_tree import (
    InvalidValue,
    ListValue,
    MappingValue,
    NullValue,
    ScalarValue,
    ValidatedEntry,
    ValidatedValue,
)
from cuvee.manifest.documents.yaml_reader import INVISIBLE
from cuvee.manifest.documents.yaml_syntax import unquoted
from cuvee.manifest.schema import MANIFEST


class Validator:
    """Checks one file."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def validate(
        self, node: source_tree.SourceNode, schema: SchemaType, *, removable: bool = True
    ) -> ValidatedValue:
        """Check ``node`` against ``schema``; every problem is noted, and what is bad is marked as such.

        ``removable`` is `False` inside lists, where there is nothing that ``null`` could take away.
        """
        if isinstance(node, source_tree.ScalarNode) and node.is_null:
            return self._null(node, schema, removable=removable)
        if self._problems.any_at(node.span) and not isinstance(node, source_tree.MappingNode):
            return InvalidValue(node.span)  # it has a problem as YAML already
        if isinstance(schema, ScalarType):
            return self._text(node, schema)
        if isinstance(schema, ListType):
            return self._list(node, schema)
        if isinstance(schema, MapType):
            return self._map(node, schema, removable=removable)
        return self._record(node, schema, removable=removable)

    def _null(self, node: source_tree.ScalarNode, schema: SchemaType, *, removable: bool) -> ValidatedValue:
        if removable:
            short = isinstance(schema, RecordType) and schema.shorthand is not None
            return NullValue(node.span, '"*"' if short else schema.example)
        self._problems.add(node.span, "there is no value here", expected=_expected(schema))
        return InvalidValue(node.span)

    def _text(self, node: source_tree.SourceNode, schema: ScalarType) -> ValidatedValue:
        if not isinstance(node, source_tree.ScalarNode):
            return self._wrong_shape(node, schema)
        if node.plain and node.text in {"true", "True", "TRUE", "false", "False", "FALSE"}:
            message = f"{node.text} is a yes or no, not {schema.noun}"
            self._problems.add(node.span, message, advice="put it in quotes if it is meant as text")
            return InvalidValue(node.span)
        if INVISIBLE.search(node.text):
            self._problems.add(node.span, "the text holds a character that can not be seen")
            return InvalidValue(node.span)
        if schema.choices:
            return self._choice(node, schema)
        try:
            return ScalarValue(schema.parse(node.text), node.span)
        except ParseError as error:
            self._mistaken(node, schema, error)
            return InvalidValue(node.span)

    def _mistaken(self, node: source_tree.ScalarNode, schema: ScalarType, error: ParseError) -> None:
        if re.match(r"[|>]\S", node.span.source.lines[node.span.line][node.span.column :]):
            unquoted(node.span, self._problems)
            return
        why = f": {error.why}" if error.why else ""
        self._problems.add(
            node.span,
            error.message or f"{quote(node.text)} is not {schema.noun}{why}",
            advice=error.advice,
            expected="" if error.advice or error.message else _expected(schema),
        )

    def _choice(self, node: source_tree.ScalarNode, schema: ScalarType) -> ValidatedValue:
        if node.text in schema.choices:
            return ScalarValue(node.text, node.span)
        meant = _meant(node.text, schema.choices, schema.synonyms)
        self._problems.add(
            node.span,
            f"{quote(node.text)} is not {schema.noun}",
            advice=f"did you mean {quote(meant)}?" if meant else "",
            expected=_expected(schema),
        )
        return InvalidValue(node.span)

    def _list(self, node: source_tree.SourceNode, schema: ListType) -> ValidatedValue:
        if not isinstance(node, source_tree.SequenceNode):
            return self._wrong_shape(node, schema)
        items = tuple(self.validate(item, schema.item, removable=False) for item in node.items)
        if schema.unique:
            self._refuse_twins(items)
        if schema.at_least_one and not items:
            self._problems.add(node.span, "the list is empty", advice="name at least one, or leave it out")
        return ListValue(items, node.span)

    def _refuse_twins(self, items: tuple[ValidatedValue, ...]) -> None:
        first: dict[object, Span] = {}
        for item in items:
            if isinstance(item, ScalarValue) and item.value in first:
                text = _written(item.span)
                related = (first[item.value], "first stated here")
                self._problems.add(item.span, f"{quote(text)} is in the list twice", related=related)
            elif isinstance(item, ScalarValue):
                first[item.value] = item.span

    def _map(self, node: source_tree.SourceNode, schema: MapType, *, removable: bool) -> ValidatedValue:
        if not isinstance(node, source_tree.MappingNode):
            return self._wrong_shape(node, schema)
        entries: dict[str, ValidatedEntry] = {}
        for key, value in node.entries:
            name = self._text(key._replace(plain=False), schema.key)
            if not isinstance(name, ScalarValue):
                continue
            text = str(name.value)
            if text in entries:
                message = f"{quote(key.text)} and an earlier key are the same name, {quote(text)}"
                self._problems.add(key.span, message, related=(entries[text].key, "first stated here"))
                continue
            entries[text] = ValidatedEntry(key.span, self.validate(value, schema.value, removable=removable))
        return MappingValue(entries, node.span)

    def _record(self, node: source_tree.SourceNode, schema: RecordType, *, removable: bool) -> ValidatedValue:
        short = schema.key(schema.shorthand) if schema.shorthand else None
        if short is not None and isinstance(node, source_tree.ScalarNode):
            return MappingValue(
                {short.name: ValidatedEntry(node.span, self.validate(node, short.type))}, node.span
            )
        if not isinstance(node, source_tree.MappingNode):
            return self._wrong_shape(node, schema)
        entries: dict[str, ValidatedEntry] = {}
        written = {name.text for name, _ in node.entries}
        for name, value in node.entries:
            known = schema.key(name.text)
            if known is None:
                meant = self._unknown(name, schema)
                # A misspelt key is read as the one that was meant, so that its value is checked too.
                if meant is None or meant.name in written:
                    continue
                known = meant
            entries[known.name] = ValidatedEntry(name.span, self._value(value, known, removable=removable))
        return MappingValue(entries, node.span)

    def _value(self, node: source_tree.SourceNode, key: Property, *, removable: bool) -> ValidatedValue:
        """Check a key's value. What must be there can not be taken away, though things in it can."""
        if isinstance(node, source_tree.ScalarNode) and node.is_null:
            if key.nullable:
                return ScalarValue(None, node.span)
            return self._null(node, key.type, removable=removable and not key.required)
        return self.validate(node, key.type, removable=removable)

    def _unknown(self, name: source_tree.ScalarNode, schema: RecordType) -> Property | None:
        """Note an unknown key; give the key that was likely meant."""
        known = [key.name for key in schema.keys]
        meant = _meant(name.text, known, schema.synonyms)
        home = HOMES.get(name.text) if schema is MANIFEST and not meant else None
        if meant:
            advice = f"did you mean {quote(meant)}?"
        else:
            advice = f"it belongs below {quote(home)}" if home else ""
        message = f"there is no key {quote(name.text)} in {schema.noun}"
        if schema.key_noun != "key":
            message = f"{quote(name.text)} is not a {schema.key_noun}"
        self._problems.add(
            name.span, message, advice=advice, expected="" if advice else f"one of {listing(known)}"
        )
        return schema.key(meant) if meant else None

    def _wrong_shape(self, node: source_tree.SourceNode, schema: SchemaType) -> InvalidValue:
        found = {
            source_tree.ScalarNode: "a single value",
            source_tree.SequenceNode: "a list",
            source_tree.MappingNode: "a mapping",
        }
        message = f"{found[type(node)]} stands where {schema.noun} belongs"
        advice = ""
        if isinstance(schema, ListType) and isinstance(node, source_tree.ScalarNode):
            advice = f"write [{node.text}]"
        self._problems.add(node.span, message, advice=advice, expected="" if advice else _expected(schema))
        return InvalidValue(node.span)


def _expected(schema: SchemaType) -> str:
    if isinstance(schema, ScalarType) and schema.choices:
        return f"one of {listing(schema.choices)}" if len(schema.choices) > 1 else schema.choices[0]
    return f"{schema.noun}, such as {schema.example}"


def _meant(wrong: str, known: Sequence[str], synonyms: Mapping[str, str]) -> str | None:
    """Give the known word that somebody likely meant."""
    synonym = synonyms.get(re.sub(r"[\s_]+", "-", wrong.lower()))
    if synonym in known:
        return synonym
    return nearest(wrong.replace("_", "-"), known) or nearest(wrong, known)


def _written(span: Span) -> str:
    return span.source.lines[span.line][span.column : span.end_column]


def _homes(schema: SchemaType, path: str = "") -> dict[str, str]:
    """For each key below the top, the key that it belongs below."""
    found: dict[str, str] = {}
    if isinstance(schema, RecordType):
        for key in schema.keys:
            if path and schema.key_noun != "platform":
                found[key.name] = path
            found |= {**_homes(key.type, key.name), **found}
    elif isinstance(schema, MapType):
        found |= _homes(schema.value, path)
    elif isinstance(schema, ListType):
        found |= _homes(schema.item, path)
    return found


HOMES: Mapping[str, str] = _homes(MANIFEST)

"""Validation: each value of a source tree is checked against its schema by itself, and keeps its span."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cuvee.manifest.documents.plain_values import plain_mapping
from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.schema_types import (
    ListType,
    MapType,
    OpenType,
    ParseError,
    PerSystemType,
    Property,
    RecordType,
    ScalarType,
    SchemaType,
    UnionType,
)
from cuvee.manifest.documents.source_tree import MappingNode, ScalarNode, SequenceNode, SourceNode, Span
from cuvee.manifest.documents.suggestions import listing, nearest, quote
from cuvee.manifest.documents.validated_tree import (
    InvalidValue,
    ListValue,
    MappingValue,
    NullValue,
    OpenValue,
    PerSystemValue,
    ScalarValue,
    ValidatedEntry,
    ValidatedValue,
)
from cuvee.manifest.documents.yaml_reader import INVISIBLE, parse_yaml, read_bytes
from cuvee.manifest.documents.yaml_syntax import add_unquoted_problem
from cuvee.platforms import SYSTEM_SYNONYMS, SYSTEMS

_BOOLEANS = {"true", "True", "TRUE", "false", "False", "FALSE"}
"""The booleans of YAML 1.2's core schema, https://yaml.org/spec/1.2.2/#1032-tag-resolution."""


def read_document(path: Path, problems: Problems) -> ValidatedValue | None:
    """Return the validated content of the file at ``path``, of the kind that ``problems`` is about.

    `None` when there is no such file, when it is empty, and when it is not YAML; `problems` knows which.

    Raises
    ------
    DocumentError
        If the file cannot be read.
    """
    document = problems.document
    if document is None:
        raise TypeError("the problems are of no kind of document")
    try:
        data = read_bytes(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the name cannot exist"
        raise document.error(f"{path} cannot be read: {reason}") from error
    node = parse_yaml(path, data, problems)
    if node is None:
        return None
    tree = Validator(problems).validate(node, document.content, removable=document.inherits)
    if not document.inherits:
        add_missing_keys(tree, document.content, problems)
    return tree


def add_missing_keys(tree: ValidatedValue, schema: SchemaType, problems: Problems) -> None:
    """Note each key that a complete document must have and ``tree`` lacks."""
    for table, record in _records(tree, schema):
        for key in record.keys:
            if key.required and key.name not in table.entries:
                document, span = problems.document, table.span
                noun = document.noun if document and record is document.content else record.noun
                problems.add(
                    span._replace(end_line=span.line, end_column=span.column + 1),
                    f"{noun} lacks the key {quote(key.name)}",
                    advice=f"add {key.name}: {key.example}",
                )


def _records(stated: ValidatedValue, schema: SchemaType) -> Iterator[tuple[MappingValue, RecordType]]:
    if isinstance(stated, ListValue) and isinstance(schema, ListType):
        for item in stated.items:
            yield from _records(item, schema.item)
    elif isinstance(stated, MappingValue) and isinstance(schema, MapType):
        for entry in stated.entries.values():
            yield from _records(entry.value, schema.value)
    elif isinstance(stated, MappingValue) and isinstance(schema, RecordType):
        yield stated, schema
        for name, entry in stated.entries.items():
            key = schema.key(name)
            if key is not None:
                yield from _records(entry.value, key.type)


class Validator:
    """Validates the source tree of one file."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def validate(  # noqa: PLR0911 - one per type
        self, node: SourceNode, schema: SchemaType, *, removable: bool = True
    ) -> ValidatedValue:
        """Return ``node`` checked against ``schema``; every problem is noted, its value marked.

        ``removable`` is `False` where there is no base whose value ``null`` could remove, as in lists.
        """
        if isinstance(node, ScalarNode) and node.is_null:
            return self._null(node, schema, removable=removable)
        if self._problems.any_at(node.span) and not isinstance(node, MappingNode):
            return InvalidValue(node.span)  # it has a problem as YAML already
        match schema:
            case ScalarType():
                return self._text(node, schema)
            case ListType():
                return self._list(node, schema)
            case MapType():
                return self._map(node, schema, removable=removable)
            case RecordType():
                return self._record(node, schema, removable=removable)
            case OpenType():
                return self._open(node, schema)
            case UnionType():
                return self._union(node, schema)
            case PerSystemType():
                return self._per_system(node, schema)

    def _null(self, node: ScalarNode, schema: SchemaType, *, removable: bool) -> ValidatedValue:
        if removable:
            short = isinstance(schema, RecordType) and schema.shorthand is not None
            return NullValue(node.span, '"*"' if short else schema.example)
        self._problems.add(node.span, "there is no value here", expected=_expected(schema))
        return InvalidValue(node.span)

    def _text(self, node: SourceNode, schema: ScalarType) -> ValidatedValue:
        if not isinstance(node, ScalarNode):
            return self._wrong_shape(node, schema)
        word = schema.spellings.get(node.text, node.text)
        if node.plain and node.text in _BOOLEANS and word not in schema.choices:
            message = f"{node.text} is a boolean, not {schema.noun}"
            self._problems.add(node.span, message, advice="put it in quotes if it is meant as text")
            return InvalidValue(node.span)
        if INVISIBLE.search(node.text):
            self._problems.add(node.span, "the text holds an invisible character")
            return InvalidValue(node.span)
        if schema.choices and word not in schema.choices:
            return self._wrong_choice(node, schema)
        try:
            return ScalarValue(schema.value_of(word), node.span)
        except ParseError as error:
            self._mistaken(node, schema, error)
            return InvalidValue(node.span)

    def _mistaken(self, node: ScalarNode, schema: ScalarType, error: ParseError) -> None:
        if re.match(r"[|>]\S", node.span.source.lines[node.span.line][node.span.column :]):
            add_unquoted_problem(node.span, self._problems)
            return
        why = f": {error.why}" if error.why else ""
        self._problems.add(
            node.span,
            error.message or f"{quote(node.text)} is not {schema.noun}{why}",
            advice=error.advice,
            expected="" if error.advice or error.message else _expected(schema),
        )

    def _wrong_choice(self, node: ScalarNode, schema: ScalarType) -> InvalidValue:
        meant = _meant(node.text, schema.choices, schema.synonyms)
        self._problems.add(
            node.span,
            f"{quote(node.text)} is not {schema.noun}",
            advice=f"did you mean {quote(meant)}?" if meant else "",
            expected=_expected(schema),
        )
        return InvalidValue(node.span)

    def _list(self, node: SourceNode, schema: ListType) -> ValidatedValue:
        if not isinstance(node, SequenceNode):
            return self._wrong_shape(node, schema)
        items = tuple(self.validate(item, schema.item, removable=False) for item in node.items)
        if schema.unique:
            self._refuse_repeated(items)
        if schema.at_least_one and not items:
            self._problems.add(node.span, "the list is empty", advice="name at least one, or leave it out")
        return ListValue(items, node.span)

    def _refuse_repeated(self, items: tuple[ValidatedValue, ...]) -> None:
        first: dict[object, Span] = {}
        for item in items:
            if isinstance(item, ScalarValue) and item.value in first:
                text = _written(item.span)
                related = (first[item.value], "first stated here")
                self._problems.add(item.span, f"{quote(text)} is in the list twice", related=related)
            elif isinstance(item, ScalarValue):
                first[item.value] = item.span

    def _map(self, node: SourceNode, schema: MapType, *, removable: bool) -> ValidatedValue:
        if not isinstance(node, MappingNode):
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

    def _record(self, node: SourceNode, schema: RecordType, *, removable: bool) -> ValidatedValue:
        short = schema.key(schema.shorthand) if schema.shorthand else None
        if short is not None and isinstance(node, ScalarNode):
            return MappingValue(
                {short.name: ValidatedEntry(node.span, self.validate(node, short.type))}, node.span
            )
        if not isinstance(node, MappingNode):
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

    def _open(self, node: SourceNode, schema: OpenType) -> ValidatedValue:
        if not isinstance(node, MappingNode):
            return self._wrong_shape(node, schema)
        return OpenValue(plain_mapping(node), node.span)

    def _union(self, node: SourceNode, schema: UnionType) -> ValidatedValue:
        for option in schema.options:
            if isinstance(node, _SHAPES[type(option)]):
                return self.validate(node, option, removable=False)
        return self._wrong_shape(node, schema)

    def _per_system(self, node: SourceNode, schema: PerSystemType) -> ValidatedValue:
        """Return a value for each system; a mapping is by system if its keys are, or nothing else fits it."""
        keys = {name.text for name, _ in node.entries} if isinstance(node, MappingNode) else set()
        by_system = bool(keys) and (keys <= set(SYSTEMS) or not _takes_mappings(schema.value))
        if not by_system:
            value = self.validate(node, schema.value, removable=False)
            return PerSystemValue(dict.fromkeys(SYSTEMS, value), node.span)
        record = RecordType(
            noun="a value by system",
            example="{win: …}",
            key_noun="system",
            synonyms=SYSTEM_SYNONYMS,
            keys=tuple(
                Property(name=system, type=schema.value, summary="", example="") for system in SYSTEMS
            ),
        )
        found = self._record(node, record, removable=False)
        entries = found.entries if isinstance(found, MappingValue) else {}
        return PerSystemValue({name: entry.value for name, entry in entries.items()}, node.span)

    def _value(self, node: SourceNode, key: Property, *, removable: bool) -> ValidatedValue:
        """Return a key's value, checked. A required key cannot be removed, though parts of its value can."""
        if isinstance(node, ScalarNode) and node.is_null:
            if key.nullable:
                return ScalarValue(None, node.span)
            return self._null(node, key.type, removable=removable and not key.required)
        return self.validate(node, key.type, removable=removable)

    def _unknown(self, name: ScalarNode, schema: RecordType) -> Property | None:
        """Note an unknown key; return the key that was likely meant."""
        known = [key.name for key in schema.keys]
        meant = _meant(name.text, known, schema.synonyms)
        document = self._problems.document
        top = document is not None and schema is document.content
        home = _homes(schema).get(name.text) if top and not meant else None
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

    def _wrong_shape(self, node: SourceNode, schema: SchemaType) -> InvalidValue:
        found = {
            ScalarNode: "a single value",
            SequenceNode: "a list",
            MappingNode: "a mapping",
        }
        message = f"this is {found[type(node)]}, not {schema.noun}"
        advice = ""
        if isinstance(schema, ListType) and isinstance(node, ScalarNode):
            advice = f"write [{node.text}]"
        self._problems.add(node.span, message, advice=advice, expected="" if advice else _expected(schema))
        return InvalidValue(node.span)


_SHAPES: Mapping[type[SchemaType], type[ScalarNode | SequenceNode | MappingNode]] = {
    ScalarType: ScalarNode,
    ListType: SequenceNode,
    MapType: MappingNode,
    RecordType: MappingNode,
    OpenType: MappingNode,
}


def _takes_mappings(schema: SchemaType) -> bool:
    if isinstance(schema, UnionType):
        return any(map(_takes_mappings, schema.options))
    return _SHAPES.get(type(schema)) is MappingNode


def _expected(schema: SchemaType) -> str:
    if isinstance(schema, ScalarType) and schema.choices:
        return f"one of {listing(schema.choices)}" if len(schema.choices) > 1 else schema.choices[0]
    return f"{schema.noun}, such as {schema.example}"


def _meant(wrong: str, known: Sequence[str], synonyms: Mapping[str, str]) -> str | None:
    """Return the known word that was likely meant."""
    synonym = synonyms.get(re.sub(r"[\s_]+", "-", wrong.lower()))
    if synonym in known:
        return synonym
    return nearest(wrong.replace("_", "-"), known) or nearest(wrong, known)


def _written(span: Span) -> str:
    return span.source.lines[span.line][span.column : span.end_column]


def _homes(schema: SchemaType, path: str = "") -> dict[str, str]:
    """Return for each key below the top the key that it belongs below."""
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

"""Keys that a document must have, and lacks."""

from collections.abc import Iterator

from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.schema_types import ListType, MapType, Property, RecordType, SchemaType
from cuvee.manifest.documents.suggestions import quote
from cuvee.manifest.documents.validated_tree import ListValue, MappingValue, ValidatedValue


def add_missing_keys(tree: ValidatedValue, schema: SchemaType, problems: Problems) -> None:
    """Note each key that a complete document must have and ``tree`` lacks."""
    for table, record in _records(tree, schema):
        for key in record.keys:
            if key.required and key.name not in table.entries:
                _missing(table, record, key, problems)


def _missing(table: MappingValue, record: RecordType, key: Property, problems: Problems) -> None:
    document = problems.document
    noun = document.noun if document is not None and record is document.content else record.noun
    span = table.span
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

"""The reference of a kind of document as Markdown tables, made from its schema."""

import json
from collections.abc import Iterator, Sequence

from cuvee.manifest.documents.schema_types import (
    DocumentSchema,
    ListType,
    MapType,
    PerSystemType,
    Property,
    RecordType,
    ScalarType,
    SchemaType,
)


def reference_tables(document: DocumentSchema, title: str) -> str:
    """Return one section per mapping: each key with its type, default, an example and its meaning."""
    content = document.content.item if isinstance(document.content, ListType) else document.content
    if not isinstance(content, RecordType):
        raise TypeError(f"{document.name} has no keys")
    return "\n".join(_section(title, "", content)) + "\n"


def _section(title: str, path: str, record: RecordType) -> Iterator[str]:
    note = f"A single text stands for `{record.shorthand}`.\n" if record.shorthand else ""
    yield from _table(title, record.keys, note)
    for key in record.keys:
        yield from _below(f"{path}{key.name}", key.type)


def _table(title: str, keys: Sequence[Property], note: str = "") -> Iterator[str]:
    yield f"## {title}\n"
    if note:
        yield note
    yield "| key | type | default | example | meaning |"
    yield "|---|---|---|---|---|"
    for key in keys:
        yield _row(key)
    yield ""


def _below(path: str, schema: SchemaType) -> Iterator[str]:
    """Describe the mappings inside a key."""
    if isinstance(schema, ListType):
        yield from _below(f"{path}[]", schema.item)
    elif isinstance(schema, MapType):
        yield from _below(f"{path}.<name>", schema.value)
    elif isinstance(schema, RecordType) and schema.same_values:
        yield from _same_values(path, schema)
    elif isinstance(schema, RecordType):
        yield from _section(f"`{path}`", f"{path}.", schema)


def _same_values(path: str, record: RecordType) -> Iterator[str]:
    """Describe keys whose values differ in a few keys only, such as platforms in their floors."""
    first = record.keys[0].type
    keys = first.keys if isinstance(first, RecordType) else ()
    varying = [key.name for key in keys if isinstance(key.type, RecordType)]
    yield f"## `{path}`\n"
    yield f"| {record.key_noun} | is | {' | '.join(f'its {name}s' for name in varying)} |"
    yield "|---" * (len(varying) + 2) + "|"
    inner: dict[str, dict[str, Property]] = {name: {} for name in varying}
    for key in record.keys:
        cells = []
        for name in varying:
            below = _keys_below(key, name)
            inner[name] |= {item.name: item for item in below}
            cells.append(", ".join(f"`{item.name}`" for item in below))
        yield f"| `{key.name}` | {key.summary} | {' | '.join(cells)} |"
    yield ""
    yield from _table(f"`{path}.<{record.key_noun}>`", keys)
    for name, found in inner.items():
        yield from _table(f"`{path}.<{record.key_noun}>.{name}`", tuple(found.values()))


def _keys_below(key: Property, name: str) -> tuple[Property, ...]:
    value = key.type.key(name) if isinstance(key.type, RecordType) else None
    return value.type.keys if value is not None and isinstance(value.type, RecordType) else ()


def _row(key: Property) -> str:
    return f"| `{key.name}` | {_type(key.type)} | {_default(key)} | {_code(key.example)} | {key.summary} |"


def _type(schema: SchemaType) -> str:
    if isinstance(schema, PerSystemType):
        return _type(schema.value)
    if isinstance(schema, ScalarType) and schema.choices:
        return " or ".join(f"`{choice}`" for choice in schema.choices)
    if isinstance(schema, ListType) and isinstance(schema.item, ScalarType) and schema.item.choices:
        return f"{schema.noun}: {_type(schema.item)}"
    if isinstance(schema, RecordType) and schema.shorthand:
        return "a text or a mapping"
    return schema.noun


def _default(key: Property) -> str:
    if key.required:
        return "required in every file" if key.own else "required"
    if key.default_text:
        return key.default_text
    if key.default is None:
        return "`null`"
    if isinstance(key.default, list):
        return _code(f"[{', '.join(map(str, key.default))}]")
    return _code(json.dumps(key.default))


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")

"""The reference of manifests as Markdown tables, made from the schema."""

import json
from collections.abc import Iterator, Sequence

from cuvee.manifest.documents.schema_types import (
    ListType,
    MapType,
    Property,
    RecordType,
    ScalarType,
    SchemaType,
)
from cuvee.manifest.schema import MANIFEST, PLATFORM_FLOORS
from cuvee.platforms import PLATFORMS


def reference_tables() -> str:
    """Give one section per mapping: each key with its type, default, an example and its meaning."""
    return "\n".join(_section("Keys of the top level", "", MANIFEST)) + "\n"


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
        yield from _platforms(path, schema)
    elif isinstance(schema, RecordType):
        yield from _section(f"`{path}`", f"{path}.", schema)


def _platforms(path: str, schema: RecordType) -> Iterator[str]:
    """Describe all platforms at once, since they differ in their floors alone."""
    yield f"## `{path}`\n"
    yield "| platform | is | its floors |"
    yield "|---|---|---|"
    for key in schema.keys:
        floors = (f"`{floor.name}`" for floor in PLATFORM_FLOORS[PLATFORMS[key.name].system].keys)
        yield f"| `{key.name}` | {key.summary} | {', '.join(floors)} |"
    yield ""
    one = schema.keys[0].type
    if isinstance(one, RecordType):
        yield from _table(f"`{path}.<platform>`", one.keys)
    floors_by_name = {key.name: key for record in PLATFORM_FLOORS.values() for key in record.keys}
    yield from _table(f"`{path}.<platform>.floor`", tuple(floors_by_name.values()))


def _row(key: Property) -> str:
    return f"| `{key.name}` | {_type(key.type)} | {_default(key)} | {_code(key.example)} | {key.summary} |"


def _type(schema: SchemaType) -> str:
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
        return _code(f"[{', '.join(key.default)}]")
    return _code(json.dumps(key.default))


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")

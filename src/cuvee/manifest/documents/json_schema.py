"""Schemas of documents as JSON Schema, draft 2020-12, for editors: https://json-schema.org/draft/2020-12."""

from typing import Any

from cuvee.manifest.documents.schema_types import (
    DocumentSchema,
    ListType,
    MapType,
    OpenType,
    PerSystemType,
    Property,
    RecordType,
    ScalarType,
    SchemaType,
    UnionType,
)
from cuvee.platforms import SYSTEMS

JsonSchema = dict[str, Any]


def json_schema(document: DocumentSchema) -> JsonSchema:
    """Return the JSON Schema of a kind of document.

    It follows validation but for what needs more than one value or a solver's knowledge. Since YAML editors
    see ``3.10`` as a number, numbers are allowed where validation takes them as text.
    """
    head: JsonSchema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"cuvee {document.name}",
        "description": document.summary,
    }
    content = _schema(document.content, removable=document.inherits)
    if not document.inherits:
        return head | _with_null(content, allowed=not document.start)
    keys = document.content.keys if isinstance(document.content, RecordType) else ()
    return {
        **head,
        **content,
        "required": [key.name for key in keys if key.required and key.own],
        "if": {"required": ["based-on"], "properties": {"based-on": {"type": "string"}}},
        "else": _complete(document.content),
    }


def _complete(schema: SchemaType) -> JsonSchema:
    """Return what a document must state where it has no base that could."""
    if isinstance(schema, MapType):
        inner = _complete(schema.value)
        return {"additionalProperties": inner} if inner else {}
    if not isinstance(schema, RecordType):
        return {}
    required = [key.name for key in schema.keys if key.required]
    properties = {key.name: inner for key in schema.keys if (inner := _complete(key.type))}
    found: JsonSchema = {"required": required} if required else {}
    return {**found, "properties": properties} if properties else found


def _schema(  # noqa: PLR0911 - one per type
    schema: SchemaType, *, removable: bool
) -> JsonSchema:
    if isinstance(schema, ScalarType):
        return _text(schema)
    if isinstance(schema, ListType):
        found: JsonSchema = {"type": "array", "items": _schema(schema.item, removable=False)}
        if schema.unique:
            found["uniqueItems"] = True
        if schema.at_least_one:
            found["minItems"] = 1
        return found
    if isinstance(schema, MapType):
        return {
            "type": "object",
            "propertyNames": {"enum": list(schema.key.choices)}
            if schema.key.choices
            else {"pattern": schema.key.pattern},
            "additionalProperties": _with_null(_schema(schema.value, removable=removable), allowed=removable),
        }
    if isinstance(schema, OpenType):
        return {"type": "object"}
    if isinstance(schema, UnionType):
        return {"anyOf": [_schema(option, removable=False) for option in schema.options]}
    if isinstance(schema, PerSystemType):
        return _per_system(_schema(schema.value, removable=False))
    return _record(schema, removable=removable)


def _per_system(inner: JsonSchema) -> JsonSchema:
    by_system = {
        "type": "object",
        "properties": dict.fromkeys(SYSTEMS, _with_null(inner, allowed=True)),
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {"anyOf": [*inner.get("anyOf", [inner]), by_system]}


def _text(schema: ScalarType) -> JsonSchema:
    if schema.choices:
        numbers = [int(choice) for choice in schema.choices if schema.number and choice.isdigit()]
        words = (*schema.choices, *schema.spellings)
        booleans = [word == "true" for word in words if word in {"true", "false"}]
        texts = [choice for choice in schema.choices if choice not in {"true", "false"}]
        return {"enum": [*numbers, *booleans, *texts]}
    found: JsonSchema = {"type": ["string", schema.number] if schema.number else "string"}
    if schema.pattern is not None:
        found["pattern"] = schema.pattern
    return {**found, "examples": [schema.example]}


def _record(schema: RecordType, *, removable: bool) -> JsonSchema:
    found: JsonSchema = {
        "type": "object",
        "properties": {key.name: _property(key, removable=removable) for key in schema.keys},
        "additionalProperties": False,
    }
    # In a child manifest the base may have it; a list item has no base.
    required = [key.name for key in schema.keys if key.required]
    if required and not removable:
        found["required"] = required
    short = schema.key(schema.shorthand) if schema.shorthand else None
    if short is not None:
        return {"anyOf": [_schema(short.type, removable=False), found]}
    return found


def _property(key: Property, *, removable: bool) -> JsonSchema:
    may_be_null = key.nullable or (removable and not key.required)
    inner = _with_null(_schema(key.type, removable=removable), allowed=may_be_null)
    found = {"description": key.summary, **inner}
    if key.default is not None:
        found["default"] = key.default
    return found


def _with_null(schema: JsonSchema, *, allowed: bool) -> JsonSchema:
    if not allowed:
        return schema
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**schema, "type": [*types, "null"]}

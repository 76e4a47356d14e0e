"""The schema as JSON Schema, draft 2020-12, for editors."""

from typing import Any

from cuvee.manifest.documents.schema_types import (
    ListType,
    MapType,
    Property,
    RecordType,
    ScalarType,
    SchemaType,
)
from cuvee.manifest.schema import MANIFEST

JsonSchema = dict[str, Any]


def json_schema() -> JsonSchema:
    """Give the JSON Schema of manifests.

    It follows the reader but for what needs more than one value or a solver's knowledge. Since YAML editors
    see ``3.10`` as a number, numbers are allowed where the reader takes them as text.
    """
    top = _record(MANIFEST, removable=True)
    child = {"required": ["based-on"], "properties": {"based-on": {"type": "string"}}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cuvee manifest",
        "description": "The intent of one release of a distribution.",
        **top,
        "required": [key.name for key in MANIFEST.keys if key.required and key.own],
        "if": child,
        "else": _complete(MANIFEST),
    }


def _complete(schema: SchemaType) -> JsonSchema:
    """Give what must be stated where there is no base that could."""
    if isinstance(schema, MapType):
        inner = _complete(schema.value)
        return {"additionalProperties": inner} if inner else {}
    if not isinstance(schema, RecordType):
        return {}
    required = [key.name for key in schema.keys if key.required]
    properties = {key.name: inner for key in schema.keys if (inner := _complete(key.type))}
    found: JsonSchema = {"required": required} if required else {}
    return {**found, "properties": properties} if properties else found


def _schema(schema: SchemaType, *, removable: bool) -> JsonSchema:
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
            "propertyNames": {"pattern": schema.key.pattern},
            "additionalProperties": _with_null(_schema(schema.value, removable=removable), allowed=removable),
        }
    return _record(schema, removable=removable)


def _text(schema: ScalarType) -> JsonSchema:
    if schema.choices:
        numbers = [int(choice) for choice in schema.choices if schema.number and choice.isdigit()]
        return {"enum": [*numbers, *schema.choices]}
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
    inner = _schema(key.type, removable=removable)
    found = {"description": key.summary, **_with_null(inner, allowed=_may_be_null(key, removable=removable))}
    if key.default is not None:
        found["default"] = key.default
    return found


def _may_be_null(key: Property, *, removable: bool) -> bool:
    return key.nullable or (removable and not key.required)


def _with_null(schema: JsonSchema, *, allowed: bool) -> JsonSchema:
    if not allowed:
        return schema
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**schema, "type": [*types, "null"]}

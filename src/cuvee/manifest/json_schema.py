"""The schema as JSON Schema, draft 2020-12, for editors."""

from typing import Any

from cuvee.manifest.kinds import Key, Kind, ListOf, MapOf, Record, Text
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


def _complete(kind: Kind) -> JsonSchema:
    """Give what must be stated where there is no base that could."""
    if isinstance(kind, MapOf):
        inner = _complete(kind.value)
        return {"additionalProperties": inner} if inner else {}
    if not isinstance(kind, Record):
        return {}
    required = [key.name for key in kind.keys if key.required]
    properties = {key.name: inner for key in kind.keys if (inner := _complete(key.kind))}
    found: JsonSchema = {"required": required} if required else {}
    return {**found, "properties": properties} if properties else found


def _schema(kind: Kind, *, removable: bool) -> JsonSchema:
    if isinstance(kind, Text):
        return _text(kind)
    if isinstance(kind, ListOf):
        found: JsonSchema = {"type": "array", "items": _schema(kind.item, removable=False)}
        if kind.unique:
            found["uniqueItems"] = True
        if kind.at_least_one:
            found["minItems"] = 1
        return found
    if isinstance(kind, MapOf):
        return {
            "type": "object",
            "propertyNames": {"pattern": kind.key.pattern},
            "additionalProperties": _with_null(_schema(kind.value, removable=removable), allowed=removable),
        }
    return _record(kind, removable=removable)


def _text(kind: Text) -> JsonSchema:
    if kind.choices:
        numbers = [int(choice) for choice in kind.choices if kind.number and choice.isdigit()]
        return {"enum": [*numbers, *kind.choices]}
    found: JsonSchema = {"type": ["string", kind.number] if kind.number else "string"}
    if kind.pattern is not None:
        found["pattern"] = kind.pattern
    return {**found, "examples": [kind.example]}


def _record(kind: Record, *, removable: bool) -> JsonSchema:
    found: JsonSchema = {
        "type": "object",
        "properties": {key.name: _property(key, removable=removable) for key in kind.keys},
        "additionalProperties": False,
    }
    # In a child manifest the base may have it; a list item has no base.
    required = [key.name for key in kind.keys if key.required]
    if required and not removable:
        found["required"] = required
    short = kind.key(kind.shorthand) if kind.shorthand else None
    if short is not None:
        return {"anyOf": [_schema(short.kind, removable=False), found]}
    return found


def _property(key: Key, *, removable: bool) -> JsonSchema:
    inner = _schema(key.kind, removable=removable)
    found = {"description": key.summary, **_with_null(inner, allowed=_may_be_null(key, removable=removable))}
    if key.default is not None:
        found["default"] = key.default
    return found


def _may_be_null(key: Key, *, removable: bool) -> bool:
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

"""The reference of manifests as Markdown tables, made from the schema."""

import json
from collections.abc import Iterator, Sequence

from cuvee.manifest.kinds import Key, Kind, ListOf, MapOf, Record, Text
from cuvee.manifest.schema import MANIFEST, PLATFORM_FLOORS
from cuvee.platforms import PLATFORMS


def reference_tables() -> str:
    """Give one section per mapping: each key with its type, default, an example and its meaning."""
    return "\n".join(_section("Keys of the top level", "", MANIFEST)) + "\n"


def _section(title: str, path: str, record: Record) -> Iterator[str]:
    note = f"A single text stands for `{record.shorthand}`.\n" if record.shorthand else ""
    yield from _table(title, record.keys, note)
    for key in record.keys:
        yield from _below(f"{path}{key.name}", key.kind)


def _table(title: str, keys: Sequence[Key], note: str = "") -> Iterator[str]:
    yield f"## {title}\n"
    if note:
        yield note
    yield "| key | type | default | example | meaning |"
    yield "|---|---|---|---|---|"
    for key in keys:
        yield _row(key)
    yield ""


def _below(path: str, kind: Kind) -> Iterator[str]:
    """Describe the mappings inside a key."""
    if isinstance(kind, ListOf):
        yield from _below(f"{path}[]", kind.item)
    elif isinstance(kind, MapOf):
        yield from _below(f"{path}.<name>", kind.value)
    elif isinstance(kind, Record) and kind.same_values:
        yield from _platforms(path, kind)
    elif isinstance(kind, Record):
        yield from _section(f"`{path}`", f"{path}.", kind)


def _platforms(path: str, kind: Record) -> Iterator[str]:
    """Describe all platforms at once, since they differ in their floors alone."""
    yield f"## `{path}`\n"
    yield "| platform | is | its floors |"
    yield "|---|---|---|"
    for key in kind.keys:
        floors = (f"`{floor.name}`" for floor in PLATFORM_FLOORS[PLATFORMS[key.name].system].keys)
        yield f"| `{key.name}` | {key.summary} | {', '.join(floors)} |"
    yield ""
    one = kind.keys[0].kind
    if isinstance(one, Record):
        yield from _table(f"`{path}.<platform>`", one.keys)
    floors_by_name = {key.name: key for record in PLATFORM_FLOORS.values() for key in record.keys}
    yield from _table(f"`{path}.<platform>.floor`", tuple(floors_by_name.values()))


def _row(key: Key) -> str:
    return f"| `{key.name}` | {_type(key.kind)} | {_default(key)} | {_code(key.example)} | {key.summary} |"


def _type(kind: Kind) -> str:
    if isinstance(kind, Text) and kind.choices:
        return " or ".join(f"`{choice}`" for choice in kind.choices)
    if isinstance(kind, ListOf) and isinstance(kind.item, Text) and kind.item.choices:
        return f"{kind.noun}: {_type(kind.item)}"
    if isinstance(kind, Record) and kind.shorthand:
        return "a text or a mapping"
    return kind.noun


def _default(key: Key) -> str:
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

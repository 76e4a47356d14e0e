"""Inheritance: mappings merge key by key, single values and lists replace, ``null`` removes."""

from collections.abc import Mapping

from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.suggestions import did_you_mean, quote
from cuvee.manifest.documents.validated_tree import (
    InvalidValue,
    ListValue,
    MappingValue,
    NullValue,
    ValidatedEntry,
    ValidatedValue,
)
from cuvee.manifest.model import Position
from cuvee.manifest.schema import OWN_KEYS


def merge(base: MappingValue | None, child: MappingValue, problems: Problems) -> MappingValue:
    """Return ``base`` with what ``child`` changes; without a base, only ``child``.

    A ``null`` that has nothing to remove is a problem. Keys keep the order of the base.
    """
    if base is None:
        return _merge(MappingValue({}, child.span), child, problems, has_base=False)
    inherited = {name: entry for name, entry in base.entries.items() if name not in OWN_KEYS}
    return _merge(MappingValue(inherited, base.span), child, problems, has_base=True)


def _merge(base: MappingValue, child: MappingValue, problems: Problems, *, has_base: bool) -> MappingValue:
    entries = dict(base.entries)
    for name, (key, value) in child.entries.items():
        old = entries[name].value if name in entries else None
        if isinstance(value, NullValue):
            if old is None:
                _add_nothing_removed(name, value, base, problems, has_base=has_base)
                entries[name] = ValidatedEntry(key, InvalidValue(value.span))
            else:
                del entries[name]
        elif isinstance(value, MappingValue):
            below = old if isinstance(old, MappingValue) else MappingValue({}, value.span)
            entries[name] = ValidatedEntry(key, _merge(below, value, problems, has_base=has_base))
        else:
            entries[name] = ValidatedEntry(key, value)
    return MappingValue(entries, child.span)


def _add_nothing_removed(
    name: str, value: NullValue, base: MappingValue, problems: Problems, *, has_base: bool
) -> None:
    if not has_base:
        advice = f"write {name}: {value.instead}, or leave it out"
        problems.add(value.span, f"{quote(name)} has no value", advice=advice)
    else:
        advice = did_you_mean(name, base.entries)
        problems.add(value.span, f"the base has no {quote(name)} that null could remove", advice=advice)


def sources(tree: MappingValue) -> Mapping[str, Position]:
    """Return where each value was stated, by dotted path; a mapping's span is that of its key."""
    found: dict[str, Position] = {}

    def walk(prefix: str, stated: ValidatedValue) -> None:
        if isinstance(stated, MappingValue):
            for name, (key, value) in stated.entries.items():
                found[prefix + name] = (key if isinstance(value, MappingValue) else value.span).position
                walk(f"{prefix}{name}.", value)
        elif isinstance(stated, ListValue):
            for index, item in enumerate(stated.items):
                found[f"{prefix}{index}"] = item.span.position
                walk(f"{prefix}{index}.", item)

    walk("", tree)
    return found

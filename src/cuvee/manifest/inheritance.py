"""Inheritance: mappings merge key by key, single values and lists replace, ``null`` takes away."""

from collections.abc import Iterator, Mapping

from cuvee.manifest.kinds import Key, Kind, ListOf, MapOf, Record
from cuvee.manifest.model import Position
from cuvee.manifest.problems import Problems, did_you_mean, quote
from cuvee.manifest.schema import MANIFEST
from cuvee.manifest.stating import Bad, Entry, Items, Removed, Stated, Table


def merge(base: Table | None, child: Table, problems: Problems) -> Table:
    """Give ``base`` with what ``child`` changes; without a base, ``child`` alone.

    A ``null`` that finds nothing to take away is a problem. Keys keep the order of the base.
    """
    if base is None:
        return _merge(Table({}, child.place), child, problems, rooted=True)
    own = {key.name for key in MANIFEST.keys if key.own}
    inherited = {name: entry for name, entry in base.entries.items() if name not in own}
    return _merge(Table(inherited, base.place), child, problems, rooted=False)


def _merge(base: Table, child: Table, problems: Problems, *, rooted: bool) -> Table:
    entries = dict(base.entries)
    for name, (key, value) in child.entries.items():
        old = entries[name].value if name in entries else None
        if isinstance(value, Removed):
            if old is None:
                _nothing_there(name, value, base, problems, rooted=rooted)
                entries[name] = Entry(key, Bad(value.place))
            else:
                del entries[name]
        elif isinstance(value, Table):
            below = old if isinstance(old, Table) else Table({}, value.place)
            entries[name] = Entry(key, _merge(below, value, problems, rooted=rooted))
        else:
            entries[name] = Entry(key, value)
    return Table(entries, child.place)


def _nothing_there(name: str, value: Removed, base: Table, problems: Problems, *, rooted: bool) -> None:
    if rooted:
        advice = f"write {name}: {value.instead}, or leave it out"
        problems.add(value.place, f"{quote(name)} has no value", advice=advice)
    else:
        advice = did_you_mean(name, base.entries)
        problems.add(value.place, f"the base has no {quote(name)} that could be taken away", advice=advice)


def require(tree: Table, problems: Problems, kind: Kind = MANIFEST) -> None:
    """Note each key that an evaluated manifest must have and ``tree`` lacks."""
    for table, record in _records(tree, kind):
        for key in record.keys:
            if key.required and key.name not in table.entries:
                _missing(table, record, key, problems)


def _missing(table: Table, record: Record, key: Key, problems: Problems) -> None:
    noun = "the manifest" if record is MANIFEST else record.noun
    place = table.place
    problems.add(
        place._replace(end_line=place.line, end_column=place.column + 1),
        f"{noun} lacks the key {quote(key.name)}",
        advice=f"add {key.name}: {key.example}",
    )


def _records(stated: Stated, kind: Kind) -> Iterator[tuple[Table, Record]]:
    if isinstance(stated, Items) and isinstance(kind, ListOf):
        for item in stated.items:
            yield from _records(item, kind.item)
    elif isinstance(stated, Table) and isinstance(kind, MapOf):
        for entry in stated.entries.values():
            yield from _records(entry.value, kind.value)
    elif isinstance(stated, Table) and isinstance(kind, Record):
        yield stated, kind
        for name, entry in stated.entries.items():
            key = kind.key(name)
            if key is not None:
                yield from _records(entry.value, key.kind)


def sources(tree: Table) -> Mapping[str, Position]:
    """Give where each value was stated, by dotted path; a mapping's place is that of its key."""
    found: dict[str, Position] = {}

    def walk(path: str, stated: Stated, place: Position) -> None:
        found[path] = place
        if isinstance(stated, Table):
            for name, entry in stated.entries.items():
                inner = entry.key if isinstance(entry.value, Table) else entry.value.place
                walk(f"{path}.{name}", entry.value, inner.position)
        elif isinstance(stated, Items):
            for index, item in enumerate(stated.items):
                walk(f"{path}.{index}", item, item.place.position)

    for name, entry in tree.entries.items():
        place = entry.key if isinstance(entry.value, Table) else entry.value.place
        walk(name, entry.value, place.position)
    return found

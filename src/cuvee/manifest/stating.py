"""From nodes to stated values: each value is checked by itself against the schema and keeps its place."""

import re
from collections.abc import Mapping as Map
from collections.abc import Sequence
from typing import NamedTuple

from cuvee.manifest import nodes
from cuvee.manifest.kinds import Key, Kind, ListOf, MapOf, Mistake, Record, Text
from cuvee.manifest.nodes import Place
from cuvee.manifest.problems import Problems, listing, nearest, quote
from cuvee.manifest.reading import INVISIBLE
from cuvee.manifest.schema import MANIFEST
from cuvee.manifest.syntax import unquoted


class Leaf(NamedTuple):
    """A checked single value; `None` where ``null`` was written."""

    value: object
    place: Place


class Items(NamedTuple):
    """A list."""

    items: "tuple[Stated, ...]"
    place: Place


class Entry(NamedTuple):
    """Where a key stands, and its value."""

    key: Place
    value: "Stated"


class Table(NamedTuple):
    """A mapping. Its keys are normalised."""

    entries: Map[str, Entry]
    place: Place


class Removed(NamedTuple):
    """``null`` where a value is needed: in a child manifest it takes away what the base has.

    ``instead`` is a value that could stand there.
    """

    place: Place
    instead: str = ""


class Bad(NamedTuple):
    """A value that had a problem; it silences checks that build on it."""

    place: Place


Stated = Leaf | Items | Table | Removed | Bad


class Stating:
    """Checks one file."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def state(self, node: nodes.Node, kind: Kind, *, removable: bool = True) -> Stated:
        """Check ``node`` against ``kind``; every problem is noted, and what is bad is marked as such.

        ``removable`` is `False` inside lists, where there is nothing that ``null`` could take away.
        """
        if isinstance(node, nodes.Scalar) and node.is_null:
            return self._null(node, kind, removable=removable)
        if self._problems.any_at(node.place) and not isinstance(node, nodes.Mapping):
            return Bad(node.place)  # it has a problem as YAML already
        if isinstance(kind, Text):
            return self._text(node, kind)
        if isinstance(kind, ListOf):
            return self._list(node, kind)
        if isinstance(kind, MapOf):
            return self._map(node, kind, removable=removable)
        return self._record(node, kind, removable=removable)

    def _null(self, node: nodes.Scalar, kind: Kind, *, removable: bool) -> Stated:
        if removable:
            short = isinstance(kind, Record) and kind.shorthand is not None
            return Removed(node.place, '"*"' if short else kind.example)
        self._problems.add(node.place, "there is no value here", expected=_expected(kind))
        return Bad(node.place)

    def _text(self, node: nodes.Node, kind: Text) -> Stated:
        if not isinstance(node, nodes.Scalar):
            return self._wrong_shape(node, kind)
        if node.plain and node.text in {"true", "True", "TRUE", "false", "False", "FALSE"}:
            message = f"{node.text} is a yes or no, not {kind.noun}"
            self._problems.add(node.place, message, advice="put it in quotes if it is meant as text")
            return Bad(node.place)
        if INVISIBLE.search(node.text):
            self._problems.add(node.place, "the text holds a character that can not be seen")
            return Bad(node.place)
        if kind.choices:
            return self._choice(node, kind)
        try:
            return Leaf(kind.parse(node.text), node.place)
        except Mistake as mistake:
            self._mistaken(node, kind, mistake)
            return Bad(node.place)

    def _mistaken(self, node: nodes.Scalar, kind: Text, mistake: Mistake) -> None:
        if re.match(r"[|>]\S", node.place.source.lines[node.place.line][node.place.column :]):
            unquoted(node.place, self._problems)
            return
        why = f": {mistake.why}" if mistake.why else ""
        self._problems.add(
            node.place,
            mistake.message or f"{quote(node.text)} is not {kind.noun}{why}",
            advice=mistake.advice,
            expected="" if mistake.advice or mistake.message else _expected(kind),
        )

    def _choice(self, node: nodes.Scalar, kind: Text) -> Stated:
        if node.text in kind.choices:
            return Leaf(node.text, node.place)
        meant = _meant(node.text, kind.choices, kind.synonyms)
        self._problems.add(
            node.place,
            f"{quote(node.text)} is not {kind.noun}",
            advice=f"did you mean {quote(meant)}?" if meant else "",
            expected=_expected(kind),
        )
        return Bad(node.place)

    def _list(self, node: nodes.Node, kind: ListOf) -> Stated:
        if not isinstance(node, nodes.Sequence):
            return self._wrong_shape(node, kind)
        items = tuple(self.state(item, kind.item, removable=False) for item in node.items)
        if kind.unique:
            self._refuse_twins(items)
        if kind.at_least_one and not items:
            self._problems.add(node.place, "the list is empty", advice="name at least one, or leave it out")
        return Items(items, node.place)

    def _refuse_twins(self, items: tuple[Stated, ...]) -> None:
        first: dict[object, Place] = {}
        for item in items:
            if isinstance(item, Leaf) and item.value in first:
                text = _written(item.place)
                related = (first[item.value], "first stated here")
                self._problems.add(item.place, f"{quote(text)} is in the list twice", related=related)
            elif isinstance(item, Leaf):
                first[item.value] = item.place

    def _map(self, node: nodes.Node, kind: MapOf, *, removable: bool) -> Stated:
        if not isinstance(node, nodes.Mapping):
            return self._wrong_shape(node, kind)
        entries: dict[str, Entry] = {}
        for key, value in node.entries:
            name = self._text(key._replace(plain=False), kind.key)
            if not isinstance(name, Leaf):
                continue
            text = str(name.value)
            if text in entries:
                message = f"{quote(key.text)} and an earlier key are the same name, {quote(text)}"
                self._problems.add(key.place, message, related=(entries[text].key, "first stated here"))
                continue
            entries[text] = Entry(key.place, self.state(value, kind.value, removable=removable))
        return Table(entries, node.place)

    def _record(self, node: nodes.Node, kind: Record, *, removable: bool) -> Stated:
        short = kind.key(kind.shorthand) if kind.shorthand else None
        if short is not None and isinstance(node, nodes.Scalar):
            return Table({short.name: Entry(node.place, self.state(node, short.kind))}, node.place)
        if not isinstance(node, nodes.Mapping):
            return self._wrong_shape(node, kind)
        entries: dict[str, Entry] = {}
        written = {name.text for name, _ in node.entries}
        for name, value in node.entries:
            known = kind.key(name.text)
            if known is None:
                meant = self._unknown(name, kind)
                # A misspelt key is read as the one that was meant, so that its value is checked too.
                if meant is None or meant.name in written:
                    continue
                known = meant
            entries[known.name] = Entry(name.place, self._value(value, known, removable=removable))
        return Table(entries, node.place)

    def _value(self, node: nodes.Node, key: Key, *, removable: bool) -> Stated:
        """Check a key's value. What must be there can not be taken away, though things in it can."""
        if isinstance(node, nodes.Scalar) and node.is_null:
            if key.nullable:
                return Leaf(None, node.place)
            return self._null(node, key.kind, removable=removable and not key.required)
        return self.state(node, key.kind, removable=removable)

    def _unknown(self, name: nodes.Scalar, kind: Record) -> Key | None:
        """Note an unknown key; give the key that was likely meant."""
        known = [key.name for key in kind.keys]
        meant = _meant(name.text, known, kind.synonyms)
        home = HOMES.get(name.text) if kind is MANIFEST and not meant else None
        if meant:
            advice = f"did you mean {quote(meant)}?"
        else:
            advice = f"it belongs below {quote(home)}" if home else ""
        message = f"there is no key {quote(name.text)} in {kind.noun}"
        if kind.key_noun != "key":
            message = f"{quote(name.text)} is not a {kind.key_noun}"
        self._problems.add(
            name.place, message, advice=advice, expected="" if advice else f"one of {listing(known)}"
        )
        return kind.key(meant) if meant else None

    def _wrong_shape(self, node: nodes.Node, kind: Kind) -> Bad:
        found = {nodes.Scalar: "a single value", nodes.Sequence: "a list", nodes.Mapping: "a mapping"}
        message = f"{found[type(node)]} stands where {kind.noun} belongs"
        advice = ""
        if isinstance(kind, ListOf) and isinstance(node, nodes.Scalar):
            advice = f"write [{node.text}]"
        self._problems.add(node.place, message, advice=advice, expected="" if advice else _expected(kind))
        return Bad(node.place)


def _expected(kind: Kind) -> str:
    if isinstance(kind, Text) and kind.choices:
        return f"one of {listing(kind.choices)}" if len(kind.choices) > 1 else kind.choices[0]
    return f"{kind.noun}, such as {kind.example}"


def _meant(wrong: str, known: Sequence[str], synonyms: Map[str, str]) -> str | None:
    """Give the known word that somebody likely meant."""
    synonym = synonyms.get(re.sub(r"[\s_]+", "-", wrong.lower()))
    if synonym in known:
        return synonym
    return nearest(wrong.replace("_", "-"), known) or nearest(wrong, known)


def _written(place: Place) -> str:
    return place.source.lines[place.line][place.column : place.end_column]


def _homes(kind: Kind, path: str = "") -> dict[str, str]:
    """For each key below the top, the key that it belongs below."""
    found: dict[str, str] = {}
    if isinstance(kind, Record):
        for key in kind.keys:
            if path and kind.key_noun != "platform":
                found[key.name] = path
            found |= {**_homes(key.kind, key.name), **found}
    elif isinstance(kind, MapOf):
        found |= _homes(kind.value, path)
    elif isinstance(kind, ListOf):
        found |= _homes(kind.item, path)
    return found


HOMES: Map[str, str] = _homes(MANIFEST)

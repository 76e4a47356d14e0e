"""The one codec between typed values and the JSON documents that cuvee writes and reads.

A value is a frozen dataclass, an enum, a date, a path, a tuple, a mapping with string keys, or what JSON has
itself. `encode` turns it into JSON values; `decode` checks JSON values against a type, builds the value, and
refuses what the type does not know. So a document that was damaged, edited, or written by another version is
never half understood.
"""

import datetime as dt
import enum
import functools
import json
import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import (
    Any,
    Generic,
    Literal,
    Protocol,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

from cuvee.errors import IntegrityError, SourceUnreachableError
from cuvee.files import canonical_json, parse_json, storage_errors, write_bytes

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
T = TypeVar("T")
LOCAL: Mapping[str, bool] = {"local": True}
"""The ``metadata`` of a dataclass field that belongs to this machine or process, and is in no document."""
_Decoder: TypeAlias = Callable[[object, str], object]


@runtime_checkable
class Text(Protocol):
    """A value that is one text in JSON: `str` writes it, and ``parse`` reads it or raises `ValueError`."""

    @classmethod
    def parse(cls, text: str) -> "Text":
        """Return the value that ``text`` stands for."""


class DecodeError(ValueError):
    """JSON values that do not fit a type; the text says where, what was expected, and what was found."""

    def __init__(self, where: str, expected: str, found: object) -> None:
        super().__init__(f"{where or 'the document'}: expected {expected}, found {_shown(found)}")


def encode(value: object, *, without: frozenset[str] = frozenset(), texts: tuple[type, ...] = ()) -> Json:
    """Return ``value`` as JSON values.

    Parameters
    ----------
    without
        Names of dataclass fields to leave out, wherever they occur.
    texts
        Types whose values are written as `str` gives them; they cannot be read again.

    Raises
    ------
    TypeError
        If a value has no form in JSON.
    """
    return _encoder(without, texts)(value)


@functools.cache
def _encoder(without: frozenset[str], texts: tuple[type, ...]) -> Callable[[object], Json]:
    """Return what encodes values; how to encode those of a type is found out once."""
    forms: dict[type, Callable[[Any], Json]] = {}

    def inner(item: object) -> Json:
        form = forms.get(type(item))
        if form is None:
            form = forms[type(item)] = _form(type(item), inner, without, texts)
        return form(item)

    return inner


_AS_THEY_ARE = (str, bool, int, float, types.NoneType)


def _form(  # noqa: PLR0911 - one per form
    kind: type, inner: Callable[[object], Json], without: frozenset[str], texts: tuple[type, ...]
) -> Callable[[Any], Json]:
    """Return what encodes values of a type; ``inner`` encodes what they hold."""
    if issubclass(kind, _AS_THEY_ARE):
        return lambda item: item
    if issubclass(kind, enum.Enum):
        return lambda item: inner(item.value)
    if issubclass(kind, tuple | list):
        return lambda item: [inner(entry) for entry in item]
    if issubclass(kind, Mapping):
        return lambda item: {str(key): inner(entry) for key, entry in item.items()}
    if issubclass(kind, set | frozenset):
        return lambda item: [inner(entry) for entry in sorted(item)]
    if issubclass(kind, dt.date):
        return lambda item: item.isoformat()
    if issubclass(kind, Path):
        return lambda item: item.as_posix()
    if issubclass(kind, (Text, *texts)):
        return str
    if is_dataclass(kind):
        return _dataclass_form(kind, inner, without)
    raise TypeError(f"{kind.__name__} has no form in JSON")


def _dataclass_form(
    kind: type, inner: Callable[[object], Json], without: frozenset[str]
) -> Callable[[Any], Json]:
    """Return what encodes values of a dataclass; 0 and 0.0 are equal, and so they are one in JSON, too."""
    stated = [field for field in fields(kind) if field.name not in without and _is_in_json(field)]
    forms = [(field.name, float if field.type in {float, "float"} else inner) for field in stated]
    return lambda item: {name: form(getattr(item, name)) for name, form in forms}


def encode_object(value: object, *, without: frozenset[str] = frozenset()) -> dict[str, Json]:
    """Return a dataclass or mapping as a JSON object; for ``without`` see `encode`."""
    members = encode(value, without=without)
    if not isinstance(members, dict):
        raise TypeError(f"{type(value).__name__} is not an object in JSON")
    return members


def decode(kind: type[T], value: object) -> T:
    """Return the value of type ``kind`` that JSON values describe.

    Parameters
    ----------
    kind
        A dataclass, enum, tuple, mapping or simple type; its annotations say what may be inside.

    Raises
    ------
    DecodeError
        If ``value`` does not fit; it names the path, such as ``artefacts[3].size``. A field with a default
        may be absent; an unknown key may not be there.
    """
    return cast("T", _decoder(cast("Hashable", kind))(value, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Generic[T]):
    """A kind of JSON file: its name, the version of its form, and the type of what it holds.

    A file is an object whose member ``name`` is the version; all other members are the fields of ``kind``.
    A change of the form raises the version and adds to ``upgrades`` the step from the form before it, so that
    the next version of cuvee reads what this one has written.

    Attributes
    ----------
    upgrades
        For an older version, what turns its object into that of the version after it.
    """

    name: str
    kind: type[T]
    version: int = 1
    upgrades: Mapping[int, Callable[[dict[str, Json]], dict[str, Json]]] = field(default_factory=dict)

    def to_bytes(self, value: T) -> bytes:
        """Return the document: the same value gives the same bytes."""
        return canonical_json({self.name: self.version} | encode_object(value))

    def from_bytes(self, data: bytes, *, source: str) -> T:
        """Return the value of a document.

        Raises
        ------
        IntegrityError
            If it is not such a document; the message names ``source``, and the path in it.
        """
        try:
            members = parse_json(data)
        except ValueError as error:
            raise _unreadable(source, error) from error
        return self.from_values(members, source=source)

    def from_values(self, members: Any, *, source: str) -> T:
        """Return the value of a document whose JSON was read; raise as `from_bytes` does."""
        try:
            if not isinstance(members, dict):
                raise DecodeError("", "an object", members)
            members = dict(members)
            version = members.pop(self.name, None)
            if type(version) is not int or version not in {self.version, *self.upgrades}:
                raise DecodeError(self.name, f"version {self.version} of this form", version)
            while version != self.version:
                members, version = self.upgrades[version](members), version + 1
            return decode(self.kind, members)
        except ValueError as error:
            raise _unreadable(source, error) from error

    def write(self, path: Path, value: T) -> None:
        """Write the document to ``path`` whole or not at all."""
        write_bytes(path, self.to_bytes(value))

    def read(self, path: Path) -> T:
        """Return the value of the document at ``path``.

        Raises
        ------
        SourceUnreachableError
            If there is no such file.
        IntegrityError
            If it is not such a document.
        """
        try:
            with storage_errors(path):
                data = path.read_bytes()
        except FileNotFoundError as error:
            raise SourceUnreachableError(f"There is no {path}") from error
        return self.from_bytes(data, source=str(path))


def _unreadable(source: str, error: ValueError) -> IntegrityError:
    return IntegrityError(
        f"{source} cannot be read: {error}",
        hint="It was changed, or written by another version of cuvee; make it again.",
    )


@functools.cache
def _decoder(kind: Hashable) -> _Decoder:  # noqa: C901, PLR0911 - one per form
    """Return what checks and builds values of a type; each type's annotations are read once."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return _union(arguments)
    if origin is Literal:
        return _literal(arguments)
    if origin is tuple:
        return _tuple(arguments)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(arguments[1])
    if not isinstance(kind, type):
        raise TypeError(f"{kind} has no form in JSON")
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if issubclass(kind, enum.Enum):
        return _parsed(kind, f"one of {', '.join(str(member.value) for member in kind)}", source=object)
    if issubclass(kind, Path):
        return _parsed(kind, "a path")
    if issubclass(kind, dt.datetime | dt.date):
        return _parsed(kind.fromisoformat, "an ISO 8601 date" if kind is dt.date else "an ISO 8601 time")
    if hasattr(kind, "parse"):
        return _parsed(kind.parse, f"a {kind.__name__}")
    if is_dataclass(kind):
        return _dataclass(kind)
    raise TypeError(f"{kind.__name__} has no form in JSON")


def _exactly(kind: type, expected: str) -> _Decoder:
    def decode_simple(value: object, where: str) -> object:
        if type(value) is not kind:
            raise DecodeError(where, expected, value)
        return value

    return decode_simple


def _float(value: object, where: str) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DecodeError(where, "a number", value)
    try:
        return float(value)
    except OverflowError:
        raise DecodeError(where, "a number that fits", value) from None


_SIMPLE: Mapping[type, _Decoder] = {
    object: lambda value, _: value,
    str: _exactly(str, "a string"),
    int: _exactly(int, "an integer"),
    bool: _exactly(bool, "true or false"),
    float: _float,
    types.NoneType: _exactly(types.NoneType, "null"),
}


def _union(kinds: tuple[object, ...]) -> _Decoder:
    """Return the decoder of ``X | None``: other unions cannot be told apart in JSON."""
    (kind,) = (item for item in kinds if item is not types.NoneType)
    inner = _decoder(kind)
    return lambda value, where: None if value is None else inner(value, where)


def _literal(values: tuple[object, ...]) -> _Decoder:
    def decode_literal(value: object, where: str) -> object:
        if value not in values:
            raise DecodeError(where, f"one of {', '.join(map(str, values))}", value)
        return value

    return decode_literal


def _tuple(kinds: tuple[object, ...]) -> _Decoder:
    if kinds[-1] is ...:
        item = _decoder(kinds[0])

        def decode_items(value: object, where: str) -> object:
            if not isinstance(value, list):
                raise DecodeError(where, "an array", value)
            return tuple([item(entry, f"{where}[{number}]") for number, entry in enumerate(value)])

        return decode_items
    items = [_decoder(kind) for kind in kinds]

    def decode_fixed(value: object, where: str) -> object:
        if not isinstance(value, list) or len(value) != len(items):
            raise DecodeError(where, f"an array of {len(items)}", value)
        return tuple([items[number](entry, f"{where}[{number}]") for number, entry in enumerate(value)])

    return decode_fixed


def _mapping(kind: object) -> _Decoder:
    item = _decoder(kind)

    def decode_mapping(value: object, where: str) -> object:
        if not isinstance(value, dict):
            raise DecodeError(where, "an object", value)
        return {key: item(entry, f"{where}.{key}" if where else key) for key, entry in value.items()}

    return decode_mapping


def _parsed(parse: Callable[..., object], expected: str, *, source: type = str) -> _Decoder:
    def decode_parsed(value: object, where: str) -> object:
        if not isinstance(value, source):
            raise DecodeError(where, expected, value)
        try:
            return parse(value)
        except (ValueError, TypeError) as error:
            raise DecodeError(where, expected, value) from error

    return decode_parsed


def _is_in_json(field: Field[object]) -> bool:
    return field.init and not field.metadata.get("local")


def _dataclass(kind: type) -> _Decoder:
    @functools.cache
    def members() -> tuple[dict[str, _Decoder], list[str]]:
        # Looked up when a value is read, not before: a dataclass may have a field of its own type.
        hints, stated = get_type_hints(kind), [field for field in fields(kind) if _is_in_json(field)]
        known = {field.name: _decoder(hints[field.name]) for field in stated}
        required = [
            field.name for field in stated if field.default is MISSING and field.default_factory is MISSING
        ]
        return known, required

    def decode_dataclass(value: object, where: str) -> object:
        if not isinstance(value, dict):
            raise DecodeError(where, "an object", value)
        known, required = members()
        unknown = next((key for key in value if key not in known), None)
        if unknown is not None:
            raise DecodeError(where, f"an object with {', '.join(known)}", f"the key {unknown}")
        absent = next((name for name in required if name not in value), None)
        if absent is not None:
            raise DecodeError(where, f"the key {absent}", "none")
        prefix = f"{where}." if where else ""
        return kind(**{key: known[key](item, f"{prefix}{key}") for key, item in value.items()})

    return decode_dataclass


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


_LONGEST = 60
"""Characters of a wrong value that a message shows."""

"""The few types that the schema of a YAML document is made of.

A schema is declared with them once; validation, suggestions, the JSON Schema and the reference page follow
that declaration.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from cuvee.errors import DocumentError


class ParseError(ValueError):
    """A text is not what it should be: why, and what to write instead.

    ``message`` replaces the usual words, ``"text" is not a noun: why``.
    """

    def __init__(self, why: str = "", *, advice: str = "", message: str = "") -> None:
        super().__init__(message or why)
        self.why = why
        self.advice = advice
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalarType:
    """A single value.

    Attributes
    ----------
    noun
        What it is, with its article: ``a version range``.
    parse
        Returns the value, normalised, or raises `ParseError`.
    choices
        The only words that are allowed, if not empty.
    spellings
        Other words that count as one of the choices.
    pattern
        What the JSON Schema says of its form (ECMA 262); the reader may know more.
    rule
        What ``pattern`` requires, in words; with it, a text that does not match the pattern is refused.
    number
        The JSON type of the numbers that an editor may take a good one for, as in ``version: 3``.
    synonyms
        Words that people write when they mean one of the choices; they are refused with a suggestion.
    """

    noun: str
    example: str
    parse: Callable[[str], object] = str
    choices: tuple[str, ...] = ()
    spellings: Mapping[str, str] = field(default_factory=dict)
    pattern: str | None = None
    rule: str = ""
    number: Literal["number", "integer"] | None = "number"
    synonyms: Mapping[str, str] = field(default_factory=dict)

    def value_of(self, text: str) -> object:
        """Return the value of ``text``, or raise `ParseError`."""
        if self.rule and not matches(self.pattern or "", text):
            raise ParseError(self.rule)
        return self.parse(text)


def matches(pattern: str, text: str) -> bool:
    """Whether ``text`` has the form that the JSON Schema also requires; ``$`` is the very end."""
    return re.fullmatch(pattern.removeprefix("^").removesuffix("$"), text, flags=re.ASCII) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListType:
    """A list; in a child manifest it replaces the base's."""

    noun: str
    example: str
    item: "SchemaType"
    unique: bool = True
    at_least_one: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MapType:
    """Names that the author chooses, each with a value; a child merges into it name by name."""

    noun: str
    example: str
    key: ScalarType
    value: "SchemaType"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenType:
    """A mapping with any content, which another program gives its meaning."""

    noun: str
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnionType:
    """One of several types, told apart by what is written: a single value, a list, or a mapping."""

    noun: str
    example: str
    options: "tuple[SchemaType, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class PerSystemType:
    """A value for all systems, or a mapping from systems to one for each."""

    value: "ScalarType | ListType | MapType | UnionType"

    @property
    def noun(self) -> str:
        """What it is, with its article."""
        return self.value.noun

    @property
    def example(self) -> str:
        """A good one."""
        return self.value.example


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One key of a record.

    Attributes
    ----------
    default
        What holds when it is left out, as JSON; `None` also means that ``null`` may be written.
    required
        Whether the document must have it, inheritance resolved.
    own
        Whether every file must state it itself instead of inheriting it.
    default_text
        The default in words, where it is not a plain value.
    """

    name: str
    type: "SchemaType"
    summary: str
    example: str
    default: object = None
    required: bool = False
    own: bool = False
    default_text: str = ""

    @property
    def nullable(self) -> bool:
        """Whether ``null`` may be written, and means the default."""
        return self.default is None and not self.required and not self.default_text


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordType:
    """A mapping with fixed keys; a child merges into it key by key.

    ``key_noun`` says what its keys are, such as ``platform``; ``shorthand`` is the key that a single text
    stands for; with ``same_values`` all keys are of one kind, so that a page describes it once.
    """

    noun: str
    example: str
    keys: tuple[Property, ...]
    key_noun: str = "key"
    shorthand: str | None = None
    same_values: bool = False
    synonyms: Mapping[str, str] = field(default_factory=dict)

    def key(self, name: str) -> Property | None:
        """Return the key called ``name``."""
        return next((key for key in self.keys if key.name == name), None)


SchemaType = ScalarType | ListType | MapType | OpenType | RecordType | UnionType | PerSystemType


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSchema:
    """A kind of YAML file that people write, and the schema of its content.

    Attributes
    ----------
    name, noun
        What `cuvee schema` and what messages call it: ``manifest``, ``the manifest``.
    page
        The documentation that explains every key.
    start
        What the file begins with; empty for a file that may be empty.
    inherits
        Whether a file may be based on another of its kind, so that ``null`` removes what that one has.
    """

    name: str
    noun: str
    summary: str
    content: RecordType | ListType
    page: str
    start: str = ""
    inherits: bool = False
    error: type[DocumentError] = DocumentError

    @property
    def hint(self) -> str:
        """What to do about a file with problems."""
        command = "cuvee schema" if self.name == "manifest" else f"cuvee schema {self.name}"
        return f"`{command}` prints the schema for your editor; {self.page} explains every key."

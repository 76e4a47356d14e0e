"""The few kinds of value that a manifest is made of.

The schema is declared with them once, in `cuvee.manifest.schema`; the reader, the suggestions, the JSON
Schema and the reference page all follow that declaration.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal


class ParseError(ValueError):
    """Why a text is not what it should be, and what to write instead.

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
    example
        A good one.
    parse
        Gives the value, normalised; raises `ParseError`.
    choices
        The only words that are allowed, if not empty.
    pattern
        What the JSON Schema says of its form (ECMA 262); the reader may know more.
    number
        The JSON type of the numbers that an editor may take a good one for, as in ``version: 3``.
    synonyms
        Words that people write when they mean one of the choices.
    """

    noun: str
    example: str
    parse: Callable[[str], object] = str
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    number: Literal["number", "integer"] | None = "number"
    synonyms: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListType:
    """A list; in a child manifest it replaces the base's."""

    noun: str
    example: str
    item: "ScalarType | RecordType"
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
class Property:
    """One key of a record.

    Attributes
    ----------
    summary
        What it means, in one or two sentences.
    default
        What holds when it is left out, as JSON; `None` also means that ``null`` may be written.
    required
        Whether the evaluated manifest must have it.
    own
        Whether every file must state it itself, and inherits none.
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

    Attributes
    ----------
    noun
        What the mapping is: ``a package``.
    key_noun
        What its keys are: ``key`` or ``platform``.
    shorthand
        The key that a single text stands for.
    same_values
        Whether all keys are of one kind, so that a page describes it once.
    """

    noun: str
    example: str
    keys: tuple[Property, ...]
    key_noun: str = "key"
    shorthand: str | None = None
    same_values: bool = False
    synonyms: dict[str, str] = field(default_factory=dict)

    def key(self, name: str) -> Property | None:
        """Give the key called ``name``."""
        return next((key for key in self.keys if key.name == name), None)


SchemaType = ScalarType | ListType | MapType | RecordType

"""Every key of ``construct.yaml``, as of constructor 3.16, and how it is treated: ``construct_keys.toml``.

Tests compare the table with constructor's JSON Schema, and the reference page with the table.
"""

import enum
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files as resource_files

from cuvee.platforms import System


class Form(enum.Enum):
    """The form of a key's value."""

    TEXT = "a text"
    TEXTS = "a list of texts"
    TEXT_OR_TEXTS = "a text, or a list of texts"
    TEXT_OR_FLAG = "a text, or true or false"
    TEXT_OR_MAPPING = "a text, or a mapping"
    NAMES = "a mapping of texts to texts"
    LISTS = "a mapping of texts to lists of texts"
    FLAG = "true or false"
    MAPPING = "a mapping"
    ITEMS = "a list"


class Treatment(enum.Enum):
    """How a key is treated, unless its value requests nothing."""

    HONOURED = "honoured"
    """Our installers do what it requests."""
    NEEDLESS = "no effect"
    """Nothing to do: our installers always do so, or constructor itself ignores it."""
    NAMED = "named"
    """It is not supported; a warning says so."""
    REFUSED = "refused"
    """It is not supported, and the installer would be wrong without it; an error says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstructKey:
    """One key.

    Attributes
    ----------
    how
        How it is honoured, or why it is not: a sentence for the reference and for warnings.
    nothing
        Values that request nothing else than the default.
    systems
        The systems on which constructor uses it; there is no warning on others.
    """

    name: str
    form: Form
    treatment: Treatment
    how: str
    nothing: Sequence[object] = ("", False)
    systems: Sequence[System] = ("linux", "osx", "win")


def _keys() -> Iterator[ConstructKey]:
    text = resource_files(__package__).joinpath("construct_keys.toml").read_text(encoding="utf-8")
    for treatment, keys in tomllib.loads(text).items():
        for name, fields in keys.items():
            form = Form(fields.pop("form"))
            yield ConstructKey(name=name, form=form, treatment=Treatment(treatment), **fields)


KEYS: Mapping[str, ConstructKey] = {key.name: key for key in _keys()}
"""Every key by its name."""

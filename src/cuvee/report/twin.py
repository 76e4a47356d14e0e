"""The page's data twin: the same values, as JSON."""

import datetime as dt
import enum
from dataclasses import fields, is_dataclass
from typing import Any

from cuvee.report.logs import clean
from cuvee.report.page import Page
from cuvee.report.words import Badge

_TABLES = {"counts", "floor", "facts", "tools", "contacts"}
"""Fields that hold pairs, and become objects."""

_PRIVATE = {"anchors"}
"""Fields that only the page's own links need."""


def twin(page: Page) -> dict[str, Any]:
    """Give everything on the page as a JSON value; a status is its word.

    ``report`` is the version of the form.
    """
    value = plain(page)
    if not isinstance(value, dict):
        raise TypeError("a page is an object")
    return value


def plain(value: Any) -> Any:
    """Turn dataclasses, enums, dates and tuples into what JSON has."""
    if isinstance(value, Badge):
        return value.word
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, str | dt.date):
        return clean(str(value) if isinstance(value, str) else value.isoformat())
    if is_dataclass(value):
        return {
            field.name: _field(field.name, getattr(value, field.name))
            for field in fields(value)
            if field.name not in _PRIVATE
        }
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


def _field(name: str, value: Any) -> Any:
    if name in _TABLES:
        return {plain(key): plain(item) for key, item in value}
    return plain(value)

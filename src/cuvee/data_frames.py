"""Typed values as tables, for notebooks: one row a value, one column a field."""

import enum
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, TypeVar

from cuvee.errors import ToolMissingError

if TYPE_CHECKING:
    import pandas as pd

T_co = TypeVar("T_co", covariant=True)


class Rows(tuple[T_co, ...]):
    """Values of one type, which can be shown as a table."""

    __slots__ = ()

    def to_frame(self) -> "pd.DataFrame":
        """Return a pandas frame: a row for each value, a column for each of its fields.

        Raises
        ------
        ToolMissingError
            If pandas is not installed.
        """
        return frame_of(self)


def frame_of(values: Iterable[object]) -> "pd.DataFrame":
    """Return a pandas frame of dataclasses of one type; an enum becomes its value.

    Raises
    ------
    ToolMissingError
        If pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ToolMissingError(
            "pandas is not installed", hint="Install it beside cuvee: pip install 'cuvee[notebook]'"
        ) from error
    return pd.DataFrame([_row(value) for value in values])


def _row(value: object) -> dict[str, object]:
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"{type(value).__name__} is not a dataclass")
    found = ((field.name, getattr(value, field.name)) for field in fields(value))
    return {name: item.value if isinstance(item, enum.Enum) else item for name, item in found}

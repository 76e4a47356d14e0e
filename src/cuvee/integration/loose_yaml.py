"""Reading YAML that packages carry: nothing in it has to be as its format says."""

from collections.abc import Iterator

import yaml

MOST_TEXT = 1 << 20
"""Bytes of such a file; no real one is close to it."""


def read_loose(data: bytes | None) -> object:
    """Return a document; `None` if there is none, or it cannot be read, as a recipe that was not rendered."""
    try:
        return None if data is None else read_strict(data)
    except ValueError:
        return None


def read_strict(data: bytes) -> object:
    """Return a document.

    Raises
    ------
    ValueError
        If it is not YAML, too large, or too deep.
    """
    if len(data) > MOST_TEXT:
        raise ValueError(f"it has {len(data):,} bytes")
    try:
        return yaml.safe_load(data)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(" ".join(str(error).split())) from error


def member(value: object, name: str) -> object:
    """Return what a mapping has below a name; `None` if it is not a mapping, or does not have it."""
    return value.get(name) if isinstance(value, dict) else None


def items(value: object) -> Iterator[object]:
    """Yield the items of a list, or the value itself."""
    yield from value if isinstance(value, list) else [value]


def texts(value: object) -> Iterator[str]:
    """Yield those items of a list that are texts, or the value itself if it is one."""
    for item in items(value):
        if isinstance(item, str):
            yield item

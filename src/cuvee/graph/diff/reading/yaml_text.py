"""Foreign YAML, with the lines of its values; limits are those of manifests."""

from collections.abc import Iterator
from pathlib import Path

from cuvee.graph.diff.snapshot import unreadable
from cuvee.manifest.nodes import Mapping, Node, Scalar, Sequence
from cuvee.manifest.problems import EnoughError, Problems
from cuvee.manifest.reading import read


def read_yaml(path: Path, data: bytes) -> Node:
    """Read one YAML document.

    Raises
    ------
    SourceUnreachableError
        If it can not be read; the message has the first problem's line.
    """
    problems = Problems(path)
    try:
        node = read(path, data, problems)
    except EnoughError:
        node = None
    if node is None or problems.found:
        first = problems.found[0] if problems.found else None
        if first is None:
            raise unreadable(path, 1, "it is empty")
        raise unreadable(path, first.place.position.line, first.message)
    return node


def items(path: Path, node: Node | None, what: str) -> Iterator[Node]:
    """Give the items of a list; nothing at all counts as an empty one."""
    if isinstance(node, Sequence):
        yield from node.items
    elif node is not None and not (isinstance(node, Scalar) and node.is_null):
        raise unreadable(path, line(node), f"{what} is not a list")


def fields(path: Path, node: Node | None, what: str) -> dict[str, Node]:
    """Give the values of a mapping by key."""
    if isinstance(node, Mapping):
        return {entry.key.text: entry.value for entry in node.entries}
    raise unreadable(path, None if node is None else line(node), f"{what} is not a mapping")


def text(path: Path, node: Node | None, what: str, *, default: str | None = None) -> str:
    """Give a single value."""
    if isinstance(node, Scalar):
        return node.text
    if node is None and default is not None:
        return default
    raise unreadable(path, None if node is None else line(node), f"{what} is not a single value")


def line(node: Node) -> int:
    """Give the line that a node begins on, from 1."""
    return node.place.position.line

"""YAML of other tools, with the lines of its values; its limits are those of manifests."""

from collections.abc import Iterator
from pathlib import Path

from cuvee.graph.diff.snapshot import unreadable
from cuvee.manifest.documents.problems import Problems, TooManyProblemsError
from cuvee.manifest.documents.source_tree import MappingNode, ScalarNode, SequenceNode, SourceNode
from cuvee.manifest.documents.yaml_reader import parse_yaml


def read_yaml(path: Path, data: bytes) -> SourceNode:
    """Read one YAML document.

    Raises
    ------
    SourceUnreachableError
        If it cannot be read; the message has the line of the first problem.
    """
    problems = Problems(path)
    try:
        node = parse_yaml(path, data, problems)
    except TooManyProblemsError:
        node = None
    if node is None or problems.found:
        first = problems.found[0] if problems.found else None
        if first is None:
            raise unreadable(path, 1, "it is empty")
        raise unreadable(path, first.span.position.line, first.message)
    return node


def items(path: Path, node: SourceNode | None, what: str) -> Iterator[SourceNode]:
    """Yield the items of a list; null and a missing node count as an empty one."""
    if isinstance(node, SequenceNode):
        yield from node.items
    elif node is not None and not (isinstance(node, ScalarNode) and node.is_null):
        raise unreadable(path, line(node), f"{what} is not a list")


def fields(path: Path, node: SourceNode | None, what: str) -> dict[str, SourceNode]:
    """Return the values of a mapping by key."""
    if isinstance(node, MappingNode):
        return {entry.key.text: entry.value for entry in node.entries}
    raise unreadable(path, None if node is None else line(node), f"{what} is not a mapping")


def text(path: Path, node: SourceNode | None, what: str, *, default: str | None = None) -> str:
    """Return the text of a scalar."""
    if isinstance(node, ScalarNode):
        return node.text
    if node is None and default is not None:
        return default
    raise unreadable(path, None if node is None else line(node), f"{what} is not a single value")


def line(node: SourceNode) -> int:
    """Return the line that a node begins on, from 1."""
    return node.span.position.line

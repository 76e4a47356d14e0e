"""From a file to plain values: selectors, templates, and YAML 1.2, as in constructor."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.errors import SourceUnreachableError, UsageError
from cuvee.installers.constructor.selectors import numbered, select
from cuvee.installers.constructor.templates import has_templates, render
from cuvee.manifest.documents.named_files import missing_path

if TYPE_CHECKING:
    from yaml import MappingNode, Mark, Node

_HINT = "A project is a folder with a construct.yaml."
_LARGEST = 1 << 20
_MOST_NODES = 50_000
_DEEPEST = 50

# Plain scalars of YAML 1.2, https://yaml.org/spec/1.2.2/#103-core-schema. PyYAML reads YAML 1.1, in which
# `yes` is true and 012 is ten.
_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE, _FALSE = {"true", "True", "TRUE"}, {"false", "False", "FALSE"}
_INTEGER = re.compile(r"[-+]?[0-9][0-9_]{0,100}")
_BASED = re.compile(r"0o[0-7][0-7_]{0,100}|0x[0-9a-fA-F][0-9a-fA-F_]{0,100}")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9][0-9_]*(?=[eE]))(?:[eE][-+]?[0-9]+)?")


def read_text(path: Path) -> str:
    """Return the content of one of a project's text files.

    Raises
    ------
    SourceUnreachableError
        If it cannot be read.
    UsageError
        If it does not exist, is not UTF-8, or too long.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"{path} has more than {_LARGEST:,} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise UsageError(f"{path} is not written in UTF-8") from error
        if isinstance(error, FileNotFoundError):
            raise missing_path(path, hint=_HINT) from error
        reason = error.strerror if isinstance(error, OSError) else error
        raise SourceUnreachableError(f"Cannot read {path}: {reason}", hint=_HINT) from error
    if "\0" in text:
        raise UsageError(f"{path} is not text: it has null characters")
    return text


def read_document(path: Path, platform: str, environment: Mapping[str, str]) -> dict[str, object]:
    """Return the values of a ``construct.yaml`` for a platform, without keys whose value is null.

    As in constructor, templates are rendered only if the file is not YAML before.

    Parameters
    ----------
    environment
        ``environ`` in templates.

    Raises
    ------
    SourceUnreachableError
        If it cannot be read.
    UsageError
        If a selector, a template or the YAML is wrong, or if it is not a mapping.
    """
    choose = partial(select, platform=platform, source=path)
    text, lines = numbered(read_text(path), platform, source=path)
    try:
        values = read_yaml(text, path, lines)
    except UsageError:
        if not has_templates(text):
            raise
        rendered = render(text, source=path, environment=environment, choose=choose, lines=lines)
        # Loops and included files move lines.
        values = read_yaml(rendered, path, where="of what its templates make")
    if not isinstance(values, dict):
        raise UsageError(f"{path} must map keys to values", hint="It needs at least name and version.")
    return {str(key): value for key, value in values.items() if value is not None}


def read_yaml(text: str, source: Path, lines: Sequence[int] = (), *, where: str = "") -> object:
    """Return the value of YAML 1.2: texts, numbers, truth values, `None`, lists and dicts.

    Parameters
    ----------
    lines
        The number in ``source`` of each line of ``text``; none if it is the same.
    where
        What errors say behind a line, if it is not one of ``source``.

    Raises
    ------
    UsageError
        If it is not YAML, names a key twice, or is too large.
    """
    import yaml

    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError) as error:
        raise UsageError(
            f"{source} is not YAML for this platform: {_problem(error, lines, where)}"
        ) from error
    return None if node is None else _Reader(source, lines, where).value(node, 0)


def _problem(error: Exception, lines: Sequence[int], where: str) -> str:
    parts = []
    for said, mark in (("context", "context_mark"), ("problem", "problem_mark")):
        text, at = getattr(error, said, None), getattr(error, mark, None)
        parts += [f"{text}{f', {_position(at, lines, where)}' if at is not None else ''}"] if text else []
    return "; ".join(parts) or " ".join(str(error).split())


def _position(mark: "Mark", lines: Sequence[int], where: str) -> str:
    # The end of the text is behind its last line.
    line = lines[min(mark.line, len(lines) - 1)] if lines else mark.line + 1
    return f"line {line}, column {mark.column + 1} {where}".rstrip()


class _Reader:
    """Reads the values of nodes; counts them, since a few aliases can stand for millions."""

    def __init__(self, source: Path, lines: Sequence[int], where: str) -> None:
        self._source = source
        self._lines, self._where = lines, where
        self._left = _MOST_NODES

    def value(self, node: "Node", depth: int) -> object:
        from yaml import MappingNode, ScalarNode, SequenceNode

        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            raise UsageError(f"{self._source} is nested too deeply, or has too many values")
        if isinstance(node, ScalarNode):
            # The style of a plain scalar is None, or empty from libyaml.
            return _scalar(node.value) if not node.style else node.value
        if isinstance(node, SequenceNode):
            return [self.value(item, depth + 1) for item in node.value]
        if isinstance(node, MappingNode):
            return self._mapping(node, depth)
        raise UsageError(f"{self._source} has an unknown kind of node")

    def _mapping(self, node: "MappingNode", depth: int) -> dict[object, object]:
        found: dict[object, object] = {}
        merged: dict[object, object] = {}
        for key_node, value_node in node.value:
            key, value = self.value(key_node, depth + 1), self.value(value_node, depth + 1)
            if key == "<<" and isinstance(value, dict):
                merged |= value
            elif isinstance(key, list | dict):
                raise UsageError(f"{self._source}: a key must be a text", hint="Are there quotes missing?")
            elif key in found:
                at = _position(key_node.start_mark, self._lines, self._where)
                raise UsageError(
                    f"{self._source} has {key} twice for this platform, again on {at}",
                    hint="Use selectors to say which one is for which platform.",
                )
            else:
                found[key] = value
        return merged | found


def _scalar(text: str) -> object:
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", ""))
    if _BASED.fullmatch(text):
        return int(text.replace("_", ""), 0)
    return float(text.replace("_", "")) if _FLOAT.fullmatch(text) else text

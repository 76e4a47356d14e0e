"""Reading YAML 1.2 (https://yaml.org/spec/1.2.2/) with the span of every value.

The nodes are made from libyaml's events, without recursion: PyYAML's own C ``compose`` recurses and ends
the process on a file of deeply nested brackets. Text stays text, whatever YAML would make of it: a version
``3.10`` is not the number 3.1.
"""

import re
from pathlib import Path
from typing import NamedTuple, cast

import yaml

from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.source_tree import (
    MappingEntry,
    MappingNode,
    ScalarNode,
    SequenceNode,
    SourceFile,
    SourceNode,
    Span,
)
from cuvee.manifest.documents.suggestions import did_you_mean, quote
from cuvee.manifest.documents.yaml_syntax import add_syntax_problem, point

MAX_BYTES = 8 << 20
MAX_VALUES = 500_000
MAX_DEPTH = 50

_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
INVISIBLE = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
"""Characters that no document may hold: control characters, hidden line ends, lone surrogates."""

_PLAIN_TAGS = {None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"}


def parse_yaml(path: Path, data: bytes, problems: Problems) -> SourceNode | None:
    """Return the one YAML document in ``data``, which came from ``path``.

    `None` when there is a problem, and for an empty file that may be empty.
    """
    source = SourceFile(path, ())
    if len(data) > MAX_BYTES:
        problems.add(point(source, 0, 0), f"the file has more than {MAX_BYTES:,} bytes")
        return None
    text = _decode(source, data, problems)
    if text is None:
        return None
    source = SourceFile(path, tuple(_LINE_BREAK.split(text)))
    if hidden := INVISIBLE.search(text):
        before = _LINE_BREAK.split(text[: hidden.start()])
        span = point(source, len(before) - 1, len(before[-1]))
        problems.add(span, f"the character U+{ord(hidden[0]):04X} is not allowed here", advice="remove it")
        return None
    try:
        return _Composer(source, problems).compose(text)
    except yaml.MarkedYAMLError as error:
        add_syntax_problem(source, error, problems)
    except _StoppedError:
        pass
    except (ValueError, OverflowError, yaml.YAMLError):  # PyYAML's Python scanner on impossible escapes
        problems.add(point(source, 0, 0), "this is not YAML: a character cannot be understood")
    return None


def read_bytes(path: Path) -> bytes:
    """Return the content of a file, but not all of one that is too large or has no end."""
    with path.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _decode(source: SourceFile, data: bytes, problems: Problems) -> str | None:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # ``object`` is without the byte order mark, as the text would be.
        before = _LINE_BREAK.split(bytes(error.object)[: error.start].decode("utf-8-sig", errors="replace"))
        lines = tuple(_LINE_BREAK.split(data.decode("utf-8-sig", errors="replace")))
        span = point(SourceFile(source.path, lines), len(before) - 1, len(before[-1]))
        problems.add(span, "this is not UTF-8 text", advice="save the file as UTF-8")
        return None


class _StoppedError(Exception):
    """The problem that ends the reading has been noted."""


class _Open(NamedTuple):
    """A list or mapping whose end has not been read yet."""

    event: yaml.CollectionStartEvent
    children: list[SourceNode]
    sizes: list[int]


class _Composer:
    """Turns YAML events into nodes; aliases share the node of their anchor.

    The size of a node counts its values with every alias unfolded, so that a file which grows by its aliases
    (https://en.wikipedia.org/wiki/Billion_laughs_attack) is refused, and later steps may walk all nodes.
    """

    def __init__(self, source: SourceFile, problems: Problems) -> None:
        self._source = source
        self._problems = problems
        self._anchors: dict[str, tuple[SourceNode, int]] = {}
        self._open: list[_Open] = []

    def compose(self, text: str) -> SourceNode | None:
        root: SourceNode | None = None
        for event in yaml.parse(text, Loader=_LOADER):
            # The most frequent kind of event first: this loop is what reading costs.
            if type(event) is yaml.ScalarEvent:
                node, size = self._scalar(event)
            elif isinstance(event, yaml.AliasEvent):
                node, size = self._alias(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                node, size = self._end(event)
            else:
                self._start(event, first=root is None)
                continue
            if size > MAX_VALUES:
                self._stop(event, f"the file unfolds to more than {MAX_VALUES:,} values")
            if self._open:
                opened = self._open[-1]
                opened.children.append(node)
                opened.sizes.append(size)
            else:
                root = node
        if root is None or (isinstance(root, ScalarNode) and root.is_null):
            span = point(self._source, 0, 0)
            document = self._problems.document
            if document is not None and document.start:
                advice = f"begin with {document.start}"
                self._problems.add(span, f"{document.noun} is empty", advice=advice)
            return None
        return root

    def _scalar(self, event: yaml.ScalarEvent) -> tuple[SourceNode, int]:
        if event.tag is not None:
            self._refuse_tag(event)
        plain = not event.style and event.implicit[0]
        node = ScalarNode(event.value, plain, self._span(event))
        return (node, 1) if event.anchor is None else self._named(event.anchor, node, 1)

    def _start(self, event: yaml.Event, *, first: bool) -> None:
        if isinstance(event, yaml.DocumentStartEvent) and not first:
            self._stop(event, "a second document begins here", advice="a file holds one")
        if isinstance(event, yaml.CollectionStartEvent):
            self._refuse_tag(event)
            if len(self._open) >= MAX_DEPTH:
                self._stop(event, f"this nests more than {MAX_DEPTH} levels deep")
            self._open.append(_Open(event, [], []))

    def _end(self, event: yaml.CollectionEndEvent) -> tuple[SourceNode, int]:
        opened = self._open.pop()
        span = self._span(opened.event, event)
        if isinstance(event, yaml.SequenceEndEvent):
            node: SourceNode = SequenceNode(tuple(opened.children), span)
        else:
            node = self._mapping(opened.children, span)
        return self._named(opened.event.anchor, node, 1 + sum(opened.sizes))

    def _named(self, anchor: str | None, node: SourceNode, size: int) -> tuple[SourceNode, int]:
        if anchor is not None:
            self._anchors[anchor] = (node, size)
        return node, size

    def _alias(self, event: yaml.AliasEvent) -> tuple[SourceNode, int]:
        name = str(event.anchor)
        if any(opened.event.anchor == name for opened in self._open):
            self._stop(event, f"the alias *{name} is inside its own anchor &{name}")
        if name not in self._anchors:
            advice = did_you_mean(name, self._anchors)
            self._stop(event, f"there is no anchor &{name} above", advice=advice)
        return self._anchors[name]

    def _mapping(self, children: list[SourceNode], span: Span) -> MappingNode:
        stated: dict[str, MappingEntry] = {}
        merged: list[MappingNode] = []
        for key, value in zip(children[::2], children[1::2], strict=True):
            if not isinstance(key, ScalarNode):
                self._problems.add(key.span, "a key must be a single text")
                continue
            if key.text in stated:
                first = stated[key.text].key.span
                message = f"the key {quote(key.text)} is stated twice"
                self._problems.add(key.span, message, related=(first, "first stated here"))
                continue
            stated[key.text] = MappingEntry(key, value)
            if key.text == "<<" and key.plain:
                merged += self._merge_sources(value)
        if "<<" in stated and stated["<<"].key.plain:
            del stated["<<"]
        for mapping in merged:
            for entry in mapping.entries:
                stated.setdefault(entry.key.text, entry)
        return MappingNode(tuple(stated.values()), span)

    def _merge_sources(self, value: SourceNode) -> list[MappingNode]:
        """Return the mappings that a merge key names: https://yaml.org/type/merge.html."""
        items = value.items if isinstance(value, SequenceNode) else (value,)
        for item in items:
            if not isinstance(item, MappingNode):
                self._problems.add(
                    item.span, "<< merges mappings only", expected="a mapping, or a list of mappings"
                )
        return [item for item in items if isinstance(item, MappingNode)]

    def _refuse_tag(self, event: yaml.NodeEvent) -> None:
        tag = getattr(event, "tag", None)
        if tag not in _PLAIN_TAGS:
            unquoted = str(tag).startswith("!=")
            advice = f"put it in quotes: {quote(str(tag))}" if unquoted else "remove it"
            message = f"the tag {quote(str(tag))} has no meaning here"
            self._problems.add(self._span(event), message, advice=advice)

    def _span(self, event: yaml.Event, last: yaml.Event | None = None) -> Span:
        marks = (event.start_mark, (last or event).end_mark)
        start, end = cast("tuple[yaml.Mark, yaml.Mark]", marks)  # the parser sets them always
        return Span(self._source, start.line, start.column, end.line, end.column)

    def _stop(self, event: yaml.Event, message: str, *, advice: str = "") -> None:
        self._problems.add(self._span(event), message, advice=advice)
        raise _StoppedError

"""Finding recipes and reading their YAML, with a line and a caret for what is wrong."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from cuvee.build.model import Engine, Recipe
from cuvee.errors import DocumentError
from cuvee.files import fingerprint, sha256_file
from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.source_tree import (
    MappingNode,
    ScalarNode,
    SequenceNode,
    SourceFile,
    SourceNode,
    Span,
)
from cuvee.manifest.documents.yaml_reader import parse_yaml, read_bytes

_ENGINES: dict[str, Engine] = {"recipe.yaml": "rattler-build", "meta.yaml": "conda-build"}
_MARK = re.compile(r"line: (\d+), column: (\d+)")
_TEMPLATE = re.compile(r'message: "Template rendering failed: (.+?) \(in <string>:\d+\) \(template: (.+?)\)"')
_QUOTED = re.compile(r"'([^']+)'")


def find_recipe(folder: Path) -> Recipe:
    """Return the recipe in a folder.

    Raises
    ------
    DocumentError
        If it has no recipe, two, or a link that leads out of it.
    """
    found = [name for name in _ENGINES if (folder / name).is_file()]
    if len(found) != 1:
        which = " and ".join(found) or "neither recipe.yaml nor meta.yaml"
        raise DocumentError(
            f"{folder} has {which}",
            hint="A recipe is one file: recipe.yaml for rattler-build, or meta.yaml for conda-build.",
        )
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not _is_left_over(path))
    for path in files:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise DocumentError(
                f"{path} leads out of its recipe's folder",
                hint="Put the file itself there, so that it is hashed.",
            )
    digest = fingerprint(
        [
            [path.relative_to(folder).as_posix(), sha256_file(path), path.stat().st_mode & 0o100]
            for path in files
        ]
    )
    return Recipe(name=folder.name, file=folder / found[0], engine=_ENGINES[found[0]], digest=digest)


def _is_left_over(path: Path) -> bool:
    return path.suffix == ".pyc" or path.parent.name == "__pycache__"


def read_tree(recipe: Recipe) -> SourceNode:
    """Return the YAML of a recipe with positions; for errors see `Problems`."""
    problems = Problems(recipe.file)
    with problems:
        tree = parse_yaml(recipe.file, read_bytes(recipe.file), problems)
    if tree is None or not isinstance(tree, MappingNode):
        raise DocumentError(f"{recipe.file} is not a recipe: its top is not a mapping")
    return tree


def raise_at(recipe: Recipe, tree: SourceNode, message: str) -> None:
    """Raise what an engine says of a recipe, with the line that it means where that can be told."""
    text = " ".join(message.split())
    template = _TEMPLATE.search(text)
    shown = f"{template[1]}: {template[2]}" if template is not None else _MARK.sub("", text).strip()
    with Problems(recipe.file) as problems:
        problems.add(_meant(tree, text), shown)


def _meant(tree: SourceNode, message: str) -> Span:
    """Return the span that a message marks or whose text it quotes; else the beginning of the file."""
    mark = _MARK.search(message)
    if mark is not None:
        line, column = int(mark[1]) - 1, int(mark[2])
        return Span(tree.span.source, line, column, line, column + 1)
    quoted = _QUOTED.findall(message)
    for scalar in scalars(tree):
        if scalar.text in quoted:
            return scalar.span
    return Span(tree.span.source, 0, 0, 0, 1)


def scalars(node: SourceNode) -> Iterator[ScalarNode]:
    """Yield all keys and values of a tree, in the order of the file."""
    waiting: list[SourceNode] = [node]
    while waiting:
        item = waiting.pop()
        if isinstance(item, ScalarNode):
            yield item
        elif isinstance(item, SequenceNode):
            waiting += reversed(item.items)
        else:
            waiting += [part for entry in reversed(item.entries) for part in (entry.value, entry.key)]


def span_of(tree: SourceNode, texts: Sequence[str]) -> Span:
    """Return where a tree first has one of some texts, the earlier ones preferred; else its beginning."""
    known = list(scalars(tree))
    for text in texts:
        for scalar in known:
            if scalar.text == text:
                return scalar.span
    return Span(SourceFile(tree.span.source.path, tree.span.source.lines), 0, 0, 0, 1)

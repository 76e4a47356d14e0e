"""``meta.yaml`` as text: what can be told of it before conda-build, and where a message belongs.

It is a Jinja template with selectors, so only conda-build can read it as YAML:
https://docs.conda.io/projects/conda-build/en/stable/resources/define-metadata.html.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from cuvee.build.model import Output, Recipe
from cuvee.build.recipe_rules import sources_of
from cuvee.errors import DocumentError
from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.source_tree import ScalarNode, SequenceNode, SourceFile, Span
from cuvee.manifest.documents.yaml_reader import read_bytes

_RUNS = re.compile(r"\b(load_setup_py_data|load_setuptools)\b")
_LIST = re.compile(r"^\s*(?:-\s+)?[\w/-]+:\s*(\[[^#]*\])\s*$")
_OUTPUTS = re.compile(r"^(outputs):")
_VALUE = re.compile(r"^\s*(?:-\s+)?(?:[\w/-]+:\s*)?(?P<value>[^\s#].*?)\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*(?:-\s+)?(?P<key>[\w/-]+):")
_LINE = re.compile(r"\bline (\d+)")
_TOLD = re.compile(r"^(?:\w+Error|CondaBuildUserError|SystemExit|[A-Z]\w+): ")
_BESIDE = ("recipe_append.yaml", "recipe_clobber.yaml")
_GIT = ("git_url", "hg_url", "svn_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeText:
    """A recipe's text, and all keys and values in it as if it were a list of them."""

    source: SourceFile
    tree: SequenceNode

    def span(self, line: int, column: int = 0, end: int | None = None) -> Span:
        """Return where something is; lines and columns from 0."""
        return Span(self.source, line, column, line, end if end is not None else column + 1)


def read_text(recipe: Recipe) -> RecipeText:
    """Return the text of a recipe.

    Raises
    ------
    DocumentError
        If it is not UTF-8 or cannot be read.
    """
    try:
        lines = read_bytes(recipe.file).decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DocumentError(f"{recipe.file} is not UTF-8: byte {error.start}") from None
    source = SourceFile(recipe.file, tuple(lines))
    nodes = []
    for number, line in enumerate(lines):
        for pattern, group in ((_KEY, "key"), (_VALUE, "value")):
            found = pattern.match(line)
            if found is not None:
                span = Span(source, number, found.start(group), number, found.end(group))
                nodes.append(ScalarNode(found[group].strip("\"'"), True, span))
    return RecipeText(source=source, tree=SequenceNode(tuple(nodes), Span(source, 0, 0, 0, 1)))


def check_text(recipe: Recipe, text: RecipeText) -> None:
    """Raise a `DocumentError` with all that conda-build would misread or that is not supported."""
    with Problems(recipe.file) as problems:
        for name in _BESIDE:
            if (recipe.folder / name).is_file():
                problems.add(
                    text.span(0),
                    f"{name} beside it changes what it says",
                    advice="write what it adds into meta.yaml, and remove the file",
                )
        for number, line in enumerate(text.source.lines):
            stated = line.partition("#")[0]
            found = _RUNS.search(stated)
            if found is not None:
                problems.add(
                    text.span(number, *found.span(1)),
                    f"{found[1]} runs setup.py while the recipe is read",
                    advice="write the version and the requirements",
                )
            found = _LIST.match(line)
            if found is not None:
                problems.add(
                    text.span(number, *found.span(1)),
                    "conda-build takes a list at the end of a line for a selector, and leaves the line out",
                    advice="write each item on a line of its own",
                )
            found = _OUTPUTS.match(line)
            if found is not None:
                problems.add(
                    text.span(number, *found.span(1)),
                    "several outputs in meta.yaml are not supported",
                    advice="make a recipe of each, or write it as recipe.yaml",
                )


def raise_in_text(recipe: Recipe, text: RecipeText, said: str, folder: Path) -> NoReturn:
    """Raise what conda-build says of a recipe, with the line that it names."""
    lines = [line.strip() for line in said.replace(str(folder), str(recipe.folder)).splitlines()]
    lines = [line for line in lines if line and not line.startswith("Adding in variants")]
    first = max((at for at, line in enumerate(lines) if _TOLD.match(line)), default=max(len(lines) - 1, 0))
    shown = " ".join(lines[first:]) or "conda-build does not say why it cannot be read"
    named = _LINE.search(shown)
    number = int(named[1]) - 1 if named is not None else 0
    number = min(max(number, 0), max(len(text.source.lines) - 1, 0))
    problems = Problems(recipe.file)
    with problems:
        problems.add(text.span(number), shown)
    raise AssertionError("a problem is raised")


def output_of_meta(
    recipe: Recipe, document: Mapping[str, Any], variant: Mapping[str, str], platform: str
) -> Output:
    """Return the output that conda-build has rendered."""
    if str(document["version"]) in {"", "None"}:
        raise DocumentError(
            f"{recipe.file} has no version once conda-build has read it",
            hint="Write `version:` below `package:`, and set every name that it uses with `{% set … %}`.",
        )
    needs, tests = document["requirements"], document["tests"]
    imports = int(tests["imports"])
    stated = {
        "source": [_source(item) for item in document["sources"] if item],
        "build": {"number": int(document["number"])},
        "variant": dict(variant),
    }
    return Output(
        recipe=recipe,
        name=str(document["name"]),
        version=str(document["version"]),
        build=str(document["build"]),
        subdir="noarch" if document["noarch"] else platform,
        variant={str(key): str(value) for key, value in sorted(document["used"].items())},
        build_specs=tuple(needs["build"]),
        host_specs=tuple(needs["host"]),
        run_specs=tuple(needs["run"]),
        test_specs=(*tests["requires"], *(("python",) if imports else ())),
        sources=sources_of(stated),
        tests=imports + int(tests["commands"]) + int(tests["files"]),
        document=json.dumps(stated, sort_keys=True),
    )


def _source(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a source in the form of recipe.yaml, with what meta.yaml states."""
    patches = item.get("patches") or []
    own = {"patches": [patches] if isinstance(patches, str) else list(patches), "stated": dict(item)}
    urls = item.get("url") or ()
    urls = [urls] if isinstance(urls, str) else list(urls)
    if urls:
        name = item.get("fn") or str(urls[0]).rpartition("/")[2]
        return {
            "url": [str(url) for url in urls],
            "sha256": str(item.get("sha256", "")),
            "file_name": str(name),
            **own,
        }
    for key in _GIT:
        if item.get(key):
            return {"git": str(item[key])}
    return {"path": str(item.get("path", "")), **own}

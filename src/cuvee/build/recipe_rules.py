"""What a recipe must state before anything of it is built: hashes of its sources, and tests."""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cuvee.build.model import Output, Recipe, Source
from cuvee.build.recipe_files import span_of
from cuvee.conda.package_archive import is_safe_path
from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.source_tree import SourceNode

_SHA256 = re.compile(r"[0-9a-f]{64}")


def sources_of(document: Mapping[str, Any]) -> tuple[Source, ...]:
    """Return the sources of a rendered recipe that come from elsewhere and state a SHA-256."""
    found = []
    for source in _listed(document):
        urls = _urls(source)
        digest = str(source.get("sha256", ""))
        if urls and _SHA256.fullmatch(digest):
            name = source.get("file_name") or _file_name(urls[0])
            found.append(Source(urls=urls, sha256=digest, file_name=str(name)))
    return tuple(found)


def check_output(recipe: Recipe, tree: SourceNode, outputs: Sequence[Output]) -> None:
    """Raise a `DocumentError` with all that keeps a recipe's packages from being built, each at its line."""
    import json

    with Problems(recipe.file) as problems:
        for output in outputs:
            document = json.loads(output.document)
            for source in _listed(document):
                message, advice = _fault(source)
                if message:
                    named = (*_urls(source), str(source.get("path", "")), str(source.get("git", "")))
                    problems.add(span_of(tree, (*named, "source")), message, advice=advice)
            if not output.tests:
                problems.add(
                    span_of(tree, ("tests", output.name, "package", "outputs")),
                    f"{output.name} has no tests, and only tested packages enter a release",
                    advice="add a list `tests`",
                )
            if document.get("inherits_from") or document.get("staging_caches"):
                problems.add(
                    span_of(tree, ("staging", "inherit", "outputs")),
                    "outputs that share a staging build are not supported",
                    advice="make a recipe of each",
                )


def _listed(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    source = document.get("source") or []
    return list(source) if isinstance(source, list) else [source]


def _urls(source: Mapping[str, Any]) -> tuple[str, ...]:
    stated = source.get("url") or ()
    return (stated,) if isinstance(stated, str) else tuple(str(url) for url in stated)


def _fault(source: Mapping[str, Any]) -> tuple[str, str]:
    """Return what is wrong with a source, and what to write instead; empty if nothing is."""
    if source.get("git"):
        return "a source in git has no SHA-256", "take an archive of the commit"
    if "path" in source:
        path = str(source["path"]).removeprefix("./").rstrip("/")
        return (
            ("", "")
            if path in {"", "."} or is_safe_path(path)
            else (
                "this source is outside of the recipe's folder",
                "put it into the folder, so that it is hashed",
            )
        )
    if not _SHA256.fullmatch(str(source.get("sha256", ""))):
        return "this source has no SHA-256", "add `sha256:`, 64 small hexadecimal digits"
    name = str(source.get("file_name") or _file_name(_urls(source)[0]))
    if not is_safe_path(name) or "/" in name:
        return "this source has no file name", "add `file_name:`"
    return "", ""


def _file_name(url: str) -> str:
    parts = urlsplit(url)
    stated = parse_qs(parts.query).get("file_name")
    return stated[0] if stated else PurePosixPath(parts.path).name

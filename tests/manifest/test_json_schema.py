"""The published JSON Schema and the reader agree, but for what a schema cannot know."""

import copy
import datetime as dt
import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cuvee.errors import ManifestError
from cuvee.manifest import load_manifest
from cuvee.manifest.documents.json_schema import json_schema
from cuvee.manifest.documents.schema_types import RecordType
from cuvee.manifest.schema import MANIFEST
from patches_beside import write_patches

HERE = Path(__file__).parent
TODAY = dt.date(2026, 11, 22)
Writer = Callable[..., Path]

ONLY_THE_READER = {
    "all-absent": "counts over several platforms, and over what a base adds",
    "base-cycle": "needs other files",
    "base-does-not-exist": "needs other files",
    "base-is-itself": "needs other files",
    "base-is-newer": "compares two versions",
    "base-of-another-distribution": "needs other files",
    "base-with-ended-waiver": "needs other files",
    "constraint-contradicts": "compares two ranges",
    "duplicate-key": "editors report it as YAML",
    "duplicate-package": "names are compared without case",
    "file-name-differs": "knows no file names",
    "folder-differs": "knows no file names",
    "formats-without-a-platform": "compares two spans",
    "impossible-range": "knows no order of versions",
    "long-line": "knows no order of versions",
    "many-problems": "knows no order of versions",
    "null-without-base": "null takes away from a base, which the schema can not see",
    "patched-subjects": "compares values of several keys",
    "platform-not-in-release": "compares two spans",
    "processors": "the names depend on the platform",
    "remove-what-is-not-there": "needs other files",
    "undeclared-owner": "compares two spans",
    "undeclared-owner-none": "compares two spans",
    "waived-suites": "compares two spans",
    "waiver-ended": "knows no date",
}
"""Wrong manifests that the schema lets through, and why."""


# Editors have their own ways with endless aliases; jsonschema would unfold them.
CASES = [
    case
    for case in sorted((HERE / "bad").glob("*.yaml"))
    if case.stem not in {"alias-bomb", "recursive-alias"}
]


class Editor(yaml.SafeLoader):
    """YAML 1.2's core types, as a YAML language server sees a file."""


Editor.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
):
    Editor.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), first)


@cache
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json_schema(MANIFEST))


def complaints(text: str | bytes) -> list[str]:
    """Return what the schema says against a file; what is not YAML is a complaint too."""
    try:
        data = yaml.load(text, Loader=Editor)  # noqa: S506 - derives from SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return [str(error)]
    return [error.message for error in validator().iter_errors(data)]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema(MANIFEST))


@pytest.mark.parametrize("case", sorted((HERE / "good").glob("*.yaml")), ids=lambda case: case.stem)
def test_both_accept_what_is_good(case: Path, repository: Path) -> None:
    path = repository / "manifests/starter/2026.11.0.yaml"
    shutil.copy(case, path)
    load_manifest(path, today=TODAY)
    assert complaints(case.read_bytes()) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_both_refuse_what_is_bad(case: Path) -> None:
    assert bool(complaints(case.read_bytes())) != (case.stem in ONLY_THE_READER)


def test_the_list_of_exceptions_is_current() -> None:
    assert {case.stem for case in (HERE / "bad").glob("*.yaml")} >= ONLY_THE_READER.keys()


def test_a_child_may_leave_out_what_its_base_states(write: Writer) -> None:
    write('platforms: {linux-64: {}}\npackages: {python: "3.11.*", numpy: "*"}\n')
    child = write("packages: {numpy: null}\n", "2026.11.1", based_on="2026.11.0")
    load_manifest(child, today=TODAY)
    assert complaints(child.read_text()) == []


def test_every_key_has_a_description() -> None:
    def check(schema: Any) -> Iterator[None]:
        if isinstance(schema, dict):
            for name, value in schema.get("properties", {}).items():
                assert value.get("description") or name in schema.get("required", []), name
                yield from check(value)
            for value in schema.get("anyOf", []):
                yield from check(value)

    assert list(check({**json_schema(MANIFEST), "if": {}, "else": {}})) == []
    assert isinstance(MANIFEST.content, RecordType)
    assert set(json_schema(MANIFEST)["properties"]) == {key.name for key in MANIFEST.content.keys}


# Values in odd spans: each is plainly wrong or plainly right for both, wherever it lands.
ODD: list[Any] = [
    None, True, 7, 3.5, "", " ", "a b", "2027-01-31", "linux-64", "numpy", "*", ">=1", "host", "edge", [], {},
    ["numpy"], [None], [["x"]], [1, 1], {"version": "1.*"}, {"floor": {}}, {"nonsense": 1}, "https://example.org/x",
    "MIT", "sh", "installers/starter", "2026.10.0", "../x", "é",
]  # fmt: skip


SEMANTIC = (
    "is not declared", "the release has no", "there is no folder", "there is no manifest", "SPDX knows",
    "is in the list twice", "has no value", "no version can satisfy", "both allowed and denied",
    "every platform is absent", "the file is called", "but its distribution is", "has no processor family",
    "must approve, and the list has", "have the same", "before it begins",
    "there is no file", "outside of the manifest's folder", "has neither recipe nor wheel", "has no SHA-256",
    "has a recipe and a wheel", "is not one of the recipes", "this wheel is of", "is patched twice",
    "has tests of its own", "states the hashes", "so it has the fix",
)  # fmt: skip
"""Words of messages about what a schema can not know; see `ONLY_THE_READER`."""


def paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a tree."""
    yield before
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*before, key))


WHOLE: dict[str, Any] = yaml.load((HERE / "good/every-key.yaml").read_text(), Loader=yaml.BaseLoader)  # noqa: S506 - text only
WHOLE["based-on"] = None
PATHS = [path for path in paths(WHOLE) if path]


@given(path=st.sampled_from(PATHS), odd=st.sampled_from(ODD))
@settings(max_examples=120)
def test_both_say_the_same_of_any_value_anywhere(
    tmp_path_factory: pytest.TempPathFactory, path: tuple[Any, ...], odd: Any
) -> None:
    tree = copy.deepcopy(WHOLE)
    target = tree
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = odd
    text = yaml.safe_dump(tree)
    said = reader_says(tmp_path_factory, text)
    if any(words in said for words in SEMANTIC):
        return
    assert bool(said) == bool(complaints(text)), said


def reader_says(factory: pytest.TempPathFactory, text: str) -> str:
    root = factory.getbasetemp() / "differential"
    for folder in ("starter", "recipes/starter-tools", "installers/starter"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    if not (root / "starter/patches").exists():
        write_patches(root / "starter")
    path = root / "starter" / "2026.11.0.yaml"
    path.write_text(text)
    try:
        load_manifest(path, today=TODAY)
    except ManifestError as error:
        return error.message
    return ""

"""The reference page of manifests is current, and its examples are good.

After changing the schema, make the page's tables again::

    CUVEE_REGENERATE=1 pytest tests/manifest/test_reference.py
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuvee.manifest.kinds import Key, Kind, ListOf, MapOf, Record
from cuvee.manifest.problems import Problems
from cuvee.manifest.reading import read
from cuvee.manifest.reference import reference_tables
from cuvee.manifest.schema import MANIFEST
from cuvee.manifest.stating import Stating

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "manifest.md"
MARK = "<!-- The rest is made from the schema: see tests/manifest/test_reference.py. -->\n\n"


def keys(kind: Kind, path: str = "") -> Iterator[tuple[str, Key]]:
    """Give every key of the schema with its path."""
    if isinstance(kind, Record):
        for key in kind.keys:
            yield f"{path}{key.name}", key
            yield from keys(key.kind, f"{path}{key.name}.")
    elif isinstance(kind, MapOf):
        yield from keys(kind.value, f"{path}<name>.")
    elif isinstance(kind, ListOf):
        yield from keys(kind.item, path)


def test_the_tables_are_current() -> None:
    prose, mark, tables = PAGE.read_text().partition(MARK)
    assert mark
    if os.environ.get("CUVEE_REGENERATE"):
        PAGE.write_text(prose + mark + reference_tables())
        return
    assert tables == reference_tables()


@pytest.mark.parametrize("key", [pytest.param(key, id=path) for path, key in keys(MANIFEST)])
def test_each_example_is_good_and_each_key_is_on_the_page(key: Key) -> None:
    problems = Problems(PAGE)
    node = read(PAGE, f"- {key.example}\n".replace("…", "x").encode(), problems)
    assert node is not None
    assert not isinstance(node, str)
    Stating(problems).state(node, ListOf(noun="", example="", item=key.kind))  # type: ignore[arg-type]
    assert not problems.found
    assert key.summary.endswith(".")
    assert f"`{key.name}`" in PAGE.read_text()


def test_the_examples_of_the_prose_are_good() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        problems = Problems(PAGE)
        node = read(PAGE, block.encode(), problems)
        assert node is not None
        Stating(problems).state(node, MANIFEST)
        assert not problems.found

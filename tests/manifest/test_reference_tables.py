"""The reference page of manifests is current, and its examples are good.

After changing the schema, make the page's tables again::

    CUVEE_REGENERATE=1 pytest tests/manifest/test_reference_tables.py
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.schema_types import ListType, MapType, Property, RecordType, SchemaType
from cuvee.manifest.documents.validation import Validator
from cuvee.manifest.documents.yaml_reader import parse_yaml
from cuvee.manifest.schema import MANIFEST
from reference_tables import reference_tables

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "manifest.md"
MARK = "<!-- The rest is made from the schema: see tests/manifest/test_reference_tables.py. -->\n\n"


def keys(schema: SchemaType, path: str = "") -> Iterator[tuple[str, Property]]:
    """Yield every key of the schema with its path."""
    if isinstance(schema, RecordType):
        for key in schema.keys:
            yield f"{path}{key.name}", key
            yield from keys(key.type, f"{path}{key.name}.")
    elif isinstance(schema, MapType):
        yield from keys(schema.value, f"{path}<name>.")
    elif isinstance(schema, ListType):
        yield from keys(schema.item, path)


def test_the_tables_are_current() -> None:
    prose, mark, tables = PAGE.read_text().partition(MARK)
    assert mark
    if os.environ.get("CUVEE_REGENERATE"):
        PAGE.write_text(prose + mark + reference_tables(MANIFEST, "Keys of the top level"))
        return
    assert tables == reference_tables(MANIFEST, "Keys of the top level")


@pytest.mark.parametrize("key", [pytest.param(key, id=path) for path, key in keys(MANIFEST.content)])
def test_each_example_is_good_and_each_key_is_on_the_page(key: Property) -> None:
    problems = Problems(PAGE, MANIFEST)
    node = parse_yaml(PAGE, f"- {key.example}\n".replace("…", "x").encode(), problems)
    assert node is not None
    assert not isinstance(node, str)
    Validator(problems).validate(node, ListType(noun="", example="", item=key.type))
    assert not problems.found
    assert key.summary.endswith(".")
    assert f"`{key.name}`" in PAGE.read_text()


def test_the_examples_of_the_prose_are_good() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        problems = Problems(PAGE, MANIFEST)
        node = parse_yaml(PAGE, block.encode(), problems)
        assert node is not None
        Validator(problems).validate(node, MANIFEST.content)
        assert not problems.found

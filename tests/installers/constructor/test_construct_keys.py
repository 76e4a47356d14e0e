"""The table of keys: it covers constructor's schema, and the reference page says what it says."""

import json
from pathlib import Path
from typing import Any

import pytest

from constructing import Read
from cuvee.errors import UsageError
from cuvee.installers.constructor.construct_keys import KEYS, Form, Treatment
from docs_text import table, unmarked

GOOD: dict[Form, str] = {
    Form.TEXT: "other", Form.TEXTS: "[other]", Form.TEXT_OR_TEXTS: "other", Form.TEXT_OR_FLAG: "true",
    Form.TEXT_OR_MAPPING: "{a: b}", Form.NAMES: "{a: b}", Form.LISTS: "{a: [b]}", Form.FLAG: "true",
    Form.MAPPING: "{a: b}", Form.ITEMS: "[other]",
}  # fmt: skip
BAD: dict[Form, str] = {
    Form.TEXT: "true", Form.TEXTS: "other", Form.TEXT_OR_TEXTS: "{a: b}", Form.TEXT_OR_FLAG: "{a: b}",
    Form.TEXT_OR_MAPPING: "3", Form.NAMES: "{a: 1}", Form.LISTS: "{a: b}", Form.FLAG: "yes",
    Form.MAPPING: "other", Form.ITEMS: "other",
}  # fmt: skip
AGAINST_DEFAULT = {"ignore_duplicate_files": "false"}


@pytest.fixture
def schema(shared_data: Path) -> dict[str, Any]:
    path = shared_data / "schemas" / "construct.schema.json"
    if not path.is_file():
        pytest.skip("needs constructor's construct.schema.json in ../shared/data/schemas")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_every_key_of_the_schema_is_in_the_table_and_no_other(schema: dict[str, Any]) -> None:
    assert set(KEYS) == set(schema["properties"])


def test_forms_take_what_the_schema_takes(schema: dict[str, Any]) -> None:
    """The schema may want less than a form, never something of another kind."""
    for key in KEYS.values():
        stated = schema["properties"][key.name]
        choices = stated.get("anyOf", [stated])
        kinds = {"string" if "$ref" in choice else choice["type"] for choice in choices}
        ours = {
            Form.TEXT: {"string"}, Form.TEXTS: {"array"}, Form.TEXT_OR_TEXTS: {"string", "array"},
            Form.TEXT_OR_FLAG: {"string", "boolean"}, Form.TEXT_OR_MAPPING: {"string", "object"},
            Form.NAMES: {"object"}, Form.LISTS: {"object"}, Form.FLAG: {"boolean"},
            Form.MAPPING: {"object"}, Form.ITEMS: {"array"},
        }[key.form]  # fmt: skip
        assert kinds - {"null"} == ours, key.name


def test_the_reference_says_what_the_table_says() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "construct-yaml.md"
    rows = [tuple(row) for row in table(page, "Key")]
    assert [(unmarked(name), form, what, how) for name, form, what, how in rows] == [
        (key.name, key.form.value, key.treatment.value, key.how) for key in KEYS.values()
    ]


@pytest.mark.parametrize("name", [key.name for key in KEYS.values() if key.treatment is Treatment.NAMED])
def test_a_named_key_is_named_where_constructor_would_heed_it(name: str, read: Read) -> None:
    key = KEYS[name]
    value = AGAINST_DEFAULT.get(name, GOOD[key.form])
    for platform, system in (("linux-64", "linux"), ("osx-arm64", "osx"), ("win-64", "win")):
        named = (
            f"{name}: {key.how}"
            in read(f"{name}: {value}\n".replace("[other]", "\n  - other"), platform).warnings
        )
        assert named == (system in key.systems)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_value_of_another_form_is_refused(key: Any, read: Read) -> None:
    base = "".join(
        line for line in ("name: Tool\n", "version: 1.2.3\n", "channels:\n  - a\n", "specs:\n  - python\n")
        if not line.startswith(f"{key.name}:")
    )  # fmt: skip
    with pytest.raises(UsageError) as caught:
        read(f"{key.name}: {BAD[key.form]}\n", base=base)
    assert f"{key.name}: must be {key.form.value}" in caught.value.message


@pytest.mark.parametrize("name", [key.name for key in KEYS.values() if key.treatment is Treatment.NEEDLESS])
def test_a_needless_key_changes_nothing(name: str, read: Read) -> None:
    plain = read()
    assert read(f"{name}: {GOOD[KEYS[name].form]}\n") == plain


def test_a_refused_key_stops(read: Read) -> None:
    with pytest.raises(UsageError, match="extra_envs: An installer has one environment"):
        read("extra_envs:\n  other:\n    specs:\n      - python\n")
    assert read("extra_envs: {}\n")


def test_every_honoured_key_is_read_by_somebody() -> None:
    folder = Path(__file__).parents[3] / "src" / "cuvee" / "installers" / "constructor"
    code = "".join(
        path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py")) if path.name != "keys.py"
    )
    unread = [
        k.name for k in KEYS.values() if k.treatment is Treatment.HONOURED and f'"{k.name}"' not in code
    ]
    assert not unread

"""The table of keys: it covers constructor's schema, and the reference page says what it says."""

import json
from pathlib import Path
from typing import Any

import pytest

from constructing import BITMAP, ICON, Read
from cuvee.errors import UsageError
from cuvee.installers.constructor.construct_keys import KEYS, Form, Treatment
from cuvee.installers.constructor.model import Project
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


FOR_ALL = {
    "name": "Other", "version": '"7"', "company": "ACME", "reverse_domain_identifier": "org.acme",
    "installer_type": "all", "installer_filename": "other.bin", "channels": "\n  - other",
    "channels_remap": "\n  - src: conda-forge\n    dest: https://example.org/c", "specs": "\n  - other",
    "user_requested_specs": "\n  - other", "virtual_specs": "\n  - __cuda>=12.4", "exclude": "\n  - other",
    "environment_file": "env.txt", "license_file": "a.txt", "welcome_file": "a.txt", "welcome_text": "Hello",
    "script_env_variables": "{A: b}", "extra_files": "\n  - a.txt", "freeze_base": "{conda: {message: a}}",
    "menu_packages": "\n  - a", "write_condarc": "true", "condarc": "{a: b}", "initialize_conda": "false",
    "initialize_by_default": "true", "default_prefix": "/opt/other", "build_outputs": "\n  - info.json",
    **dict.fromkeys(("pre_install", "post_install", "pre_uninstall"), "a.{script}"),
}  # fmt: skip
FOR_WINDOWS = {
    "welcome_image": "a.bmp", "header_image": "a.bmp", "icon_image": "a.ico",
    "register_python_default": "true", "default_prefix_all_users": "C:\\Other",
}  # fmt: skip
WITH_OTHERS = {
    "conda_default_channels", "conda_channel_alias", "mirrored_channels", "register_python", "environment",
}  # fmt: skip
"""Keys that mean something beside others only; `test_project_reader` has them."""


@pytest.mark.parametrize("platform", ["linux-64", "osx-arm64", "win-64"])
@pytest.mark.parametrize("name", [key.name for key in KEYS.values() if key.treatment is Treatment.HONOURED])
def test_what_is_called_honoured_changes_something(
    name: str, platform: str, read: Read, tmp_path: Path
) -> None:
    if name in WITH_OTHERS or (name in FOR_WINDOWS and platform != "win-64"):
        assert name not in FOR_ALL
        return
    if name == "installer_type" and platform == "linux-64":
        return  # there is only one
    (tmp_path / "a.bmp").write_bytes(BITMAP)
    (tmp_path / "a.ico").write_bytes(ICON)
    base = {"name": "Tool", "version": "1.2.3", "channels": "\n  - conda-forge", "specs": "\n  - python"}
    if name in {"welcome_file", "welcome_text"}:
        base["installer_type"] = {"linux-64": "sh", "osx-arm64": "pkg", "win-64": "exe"}[platform]
    for file, text in (("a.txt", "Text\n"), ("env.txt", "other\n"), ("a.bat", "rem\n"), ("a.sh", "true\n")):
        (tmp_path / file).write_text(text)

    def project(keys: dict[str, str]) -> Project:
        text = "".join(f"{key}: {value}\n" for key, value in keys.items())
        return read("", platform, base=text)

    script = "bat" if platform == "win-64" else "sh"
    value = (FOR_ALL | FOR_WINDOWS)[name].replace("{script}", script)
    plain, changed = project(base), project(base | {name: value})
    # A `.sh` has no first page, as constructor's has none.
    assert (changed == plain) == (name in {"welcome_file", "welcome_text"} and platform == "linux-64")


def test_every_honoured_key_is_read_by_somebody() -> None:
    folder = Path(__file__).parents[3] / "src" / "cuvee" / "installers" / "constructor"
    code = "".join(
        path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py")) if path.name != "keys.py"
    )
    unread = [
        k.name for k in KEYS.values() if k.treatment is Treatment.HONOURED and f'"{k.name}"' not in code
    ]
    assert not unread

"""From a construct.yaml to values: templates, and the words of YAML 1.2."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cuvee.errors import SourceUnreachableError, UsageError
from cuvee.installers.constructor.yaml_document import read_document, read_text, read_yaml

SOURCE = Path("construct.yaml")
LAUGHS = "a0: &a0 [x]\n" + "".join(
    f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]\n" for number in range(1, 12)
)


def document(tmp_path: Path, text: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    path = tmp_path / "construct.yaml"
    path.write_text(text, encoding="utf-8")
    return read_document(path, "linux-64", environment or {})


def test_plain_words_are_those_of_yaml_1_2() -> None:
    text = "{a: yes, b: 012, c: 0o17, d: 0x1f, e: 1.10, f: 1e3, g: ~, h: True, i: '1', j: 1_000, k: 1.2.3}"
    assert read_yaml(text, SOURCE) == {
        "a": "yes", "b": 12, "c": 15, "d": 31, "e": 1.1, "f": 1000.0, "g": None, "h": True, "i": "1",
        "j": 1000, "k": "1.2.3",
    }  # fmt: skip


def test_anchors_and_merges_are_followed() -> None:
    text = "a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  l: 3\n"
    assert read_yaml(text, SOURCE) == {"a": {"k": 1, "l": 2}, "b": {"k": 1, "l": 3}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "has a twice"),
        ("{{a}: 1}: 2\n", "a key must be a text"),
        ("a: [1\n", "is not YAML"),
        ("a: &x [*x]\n", "nested too deep"),
        (LAUGHS, "too many values"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_yaml(text, SOURCE)


def test_keys_without_a_value_are_left_out(tmp_path: Path) -> None:
    assert document(tmp_path, "name: x\nexclude:\nspecs:\n  - a  # [win]\n") == {"name": "x"}


def test_templates_are_rendered_if_the_file_is_no_yaml(tmp_path: Path) -> None:
    text = (
        '{% set v = environ.get("V", "1") %}\nname: {{ os.environ["N"].lower() }}\nversion: {{ v }}\n'
        '{% if os.name == "nothing" %}\nkey: a\n{% else %}\nkey: b  # [linux]\n{% endif %}\n'
        "path: {{ os.path.join('a', 'b') }}\n"
    )
    found = document(tmp_path, text, {"N": "Tool"})
    assert found == {"name": "tool", "version": 1, "key": "b", "path": "a/b"}


def test_a_file_that_is_yaml_already_is_left_alone(tmp_path: Path) -> None:
    """So does constructor: what looks like a template inside of quotes is a text."""
    assert document(tmp_path, "name: '{{ environ.X }}'\n") == {"name": "{{ environ.X }}"}


def test_included_files_are_selected_too(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("specs:\n  - a  # [linux]\n  - b  # [win]\n", encoding="utf-8")
    assert document(tmp_path, '{% include "more.yaml" %}\nname: x\n') == {"specs": ["a"], "name": "x"}


@pytest.mark.parametrize(
    "template",
    [
        "os.system('true')", "os.remove('x')", "os.path.join.__globals__['os']", "''.__class__.__mro__",
        "os.environ.update(a=1)", "environ.__class__.__base__", "os.getenv.__self__.clear()",
        "unknown.attribute",
        "'a' * 10_000_000", "range(10**9)|list",
    ],
)  # fmt: skip
def test_templates_can_do_no_harm(tmp_path: Path, template: str) -> None:
    with pytest.raises(UsageError, match="template"):
        document(tmp_path, f"{{% set a = 1 %}}\nname: {{{{ {template} }}}}\n")


@pytest.mark.parametrize("name", ["../outside.yaml", "/etc/hostname", "sub/../../outside.yaml"])
def test_templates_read_beside_the_file_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside.yaml").write_text("a: 1\n", encoding="utf-8")
    (tmp_path / "project").mkdir()
    with pytest.raises(UsageError, match="cannot be rendered"):
        document(tmp_path / "project", f'{{% include "{name}" %}}\nname: x\n')


def test_a_broken_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a template is wrong"):
        document(tmp_path, "{% if %}\nname: x\n")


def test_an_error_has_the_line_of_the_file(tmp_path: Path) -> None:
    start = "# a comment\nname: x\nversion: 1  # [win]\nversion: 2  # [osx]\n"
    with pytest.raises(UsageError, match=r"not YAML .*line 6, column 4") as caught:
        document(tmp_path, f"{start}specs: [1\nkey: 2\n")
    assert "while parsing a flow sequence, line 5, column 8" in caught.value.message
    with pytest.raises(UsageError, match="has name twice for this platform, again on line 5, column 1"):
        document(tmp_path, f"{start}name: y\n")
    with pytest.raises(UsageError, match=r"construct\.yaml:5: a template is wrong"):
        document(tmp_path, f"{start}{{% if %}}\n")
    with pytest.raises(UsageError, match="line 2, column 1 of what its templates make"):
        document(tmp_path, f"{start}{{{{ 'name' }}}}: y\n")


@pytest.mark.parametrize("name", ["LICENSE", "post.sh"])
def test_what_is_not_text_is_named(tmp_path: Path, name: str) -> None:
    for data, said in ((b"a\0b", "null characters"), (b"\xff\xfea\0", "not written in UTF-8")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UsageError, match=f"{name} is .*{said}"):
            read_text(tmp_path / name)


def test_what_can_not_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no .*construct\.yaml"):
        read_document(tmp_path / "construct.yaml", "linux-64", {})
    with pytest.raises(SourceUnreachableError, match="Cannot read"):
        read_document(tmp_path, "linux-64", {})
    (tmp_path / "construct.yaml").write_bytes(b"name: \xff\n")
    with pytest.raises(UsageError, match="UTF-8"):
        read_document(tmp_path / "construct.yaml", "linux-64", {})
    with pytest.raises(UsageError, match="must map keys"):
        document(tmp_path, "- a\n")

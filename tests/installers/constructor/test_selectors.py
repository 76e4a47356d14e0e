"""Which lines of a construct.yaml are for a platform."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.errors import UsageError
from cuvee.installers.constructor.selectors import names, select
from cuvee.platforms import PLATFORMS

SOURCE = Path("construct.yaml")


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("a: 1", "a: 1"),
        ("a: 1  # [linux]", "a: 1"),
        ("a: 1  # [win]", None),
        ("a: 1 [linux]", "a: 1"),
        ("a: 1 [not linux]", None),
        ("a: 1 # [linux] because", "a: 1"),
        ("a: 1 # why [win] because", None),
        ("a: 1 # [linux] (really)", "a: 1 # [linux] (really)"),
        ("a: 1 # [not (osx and arm64)]", "a: 1"),
        ("a: 1 # [unix and x86_64 or win64]", "a: 1"),
        ("a: 1 # [True]", "a: 1"),
        ("a: 'x # [linux]'", "a: 'x'"),
        ('a: "x # [win]"', None),
        ("- x[build=1]y", "- x[build=1]y"),
        ("a: []", "a: []"),
        ("[linux]", "[linux]"),
        ("  # a: 1  # [linux]", None),
        ("a: 1   ", "a: 1"),
    ],
)  # fmt: skip
def test_lines_are_kept_as_constructor_keeps_them(line: str, kept: str | None) -> None:
    """Each of these was given to constructor 3.16 itself."""
    assert select(line, "linux-64", source=SOURCE) == f"{kept or ''}\n"


def test_names_mean_what_constructor_means() -> None:
    true = {name: {word for word, holds in names(name).items() if holds} for name in PLATFORMS}
    assert true == {
        "linux-64": {"linux", "linux64", "unix", "x86", "x86_64"},
        "linux-aarch64": {"linux", "aarch64", "unix"},
        "osx-64": {"osx", "unix", "x86", "x86_64"},
        "osx-arm64": {"osx", "arm64", "unix"},
        "win-64": {"win", "win64", "x86", "x86_64"},
    }


_expressions = st.recursive(
    st.sampled_from([*names("linux-64"), "True", "False"]),
    lambda inner: st.one_of(
        inner.map(lambda text: f"not {text}"),
        inner.map(lambda text: f"({text})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
    ),
    max_leaves=8,
)


@given(expression=_expressions, platform=st.sampled_from(list(PLATFORMS)))
def test_expressions_mean_what_python_means(expression: str, platform: str) -> None:
    kept = select(f"a # [{expression}]", platform, source=SOURCE) == "a\n"
    assert kept == eval(expression, dict(names(platform)))  # noqa: S307 - made of the words above


@pytest.mark.parametrize(
    "expression",
    [
        "linus", "linux and mac", "__import__('os')", "linux.real", "1", "linux == 1",
        "linux if win else osx", "lambda: linux", "'linux'", "linux,", "linux; win", "(linux",
        "not " * 30 + "linux",
        "x" * 10_000, "().__class__", "linux or print(1)", "not",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_its_place(expression: str) -> None:
    with pytest.raises(UsageError) as caught:
        select(f"name: x\nkey: y  # [{expression}]\n", "linux-64", source=SOURCE)
    assert caught.value.message.startswith(f"construct.yaml:2: [{expression}] is not a selector")


def test_a_list_in_brackets_is_explained() -> None:
    with pytest.raises(UsageError) as caught:
        select("installer_type: [exe, msi]\n", "win-64", source=SOURCE)
    assert "several lines" in (caught.value.hint or "")


def test_a_long_line_takes_no_time() -> None:
    line = "a: " + "#[" * 200_000
    assert select(line, "linux-64", source=SOURCE) == f"{line}\n"

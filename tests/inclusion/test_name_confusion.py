"""Names that may be taken for one another."""

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cuvee.inclusion.name_confusion import Likeness, confusions, likeness

LETTERS = string.ascii_lowercase
NAMES = st.text(LETTERS + string.digits, min_size=6, max_size=20)


@pytest.mark.parametrize(
    ("name", "member", "how"),
    [
        ("Scikit-Learn", "scikit-learn", Likeness.SEPARATORS),
        ("scikit_learn", "scikit-learn", Likeness.SEPARATORS),
        ("scikit.learn", "scikitlearn", Likeness.SEPARATORS),
        ("pi1low", "pillow", Likeness.LOOKALIKE),
        ("nurnpy", "numpy", Likeness.LOOKALIKE),
        ("b0t0", "boto", Likeness.LOOKALIKE),
        ("s\N{CYRILLIC SMALL LETTER U}mp\N{CYRILLIC SMALL LETTER U}", "sympy", Likeness.LOOKALIKE),
        ("nupmy", "numpy", Likeness.TRANSPOSED),
        ("numpyy", "numpy", Likeness.ONE_LETTER),
        ("nmpy-core", "numpy-core", Likeness.ONE_LETTER),
        ("pandaz", "pandas", Likeness.ONE_LETTER),
        ("numpy", "numpy", None),
        ("numpy", "scipy", None),
        ("numpy", "numpydoc", None),
        ("six", "sip", None),
        ("attr", "attrs", None),
    ],
)
def test_how_names_are_alike(name: str, member: str, how: Likeness | None) -> None:
    assert likeness(name, member) is how
    assert likeness(member, name) is how


def test_the_most_alike_comes_first() -> None:
    found = confusions("panda-s", ["pandaz", "numpy", "padnas", "pandas"])
    assert [item.member for item in found] == ["pandas", "padnas", "pandaz"]
    assert str(found[0]) == "panda-s differs only in case, dashes, underscores and dots from pandas"
    assert str(confusions("pi1low", ["pillow"])[0]) == "pi1low looks the same as pillow"


@given(NAMES, st.integers(0, 19), st.sampled_from("-_."), st.booleans())
def test_separators_and_case_never_tell_names_apart(name: str, at: int, mark: str, upper: bool) -> None:
    other = name[: at % len(name)] + mark + name[at % len(name) :]
    assert likeness(name, other.upper() if upper else other) is Likeness.SEPARATORS


@given(NAMES, st.integers(0, 19), st.sampled_from(LETTERS))
def test_each_change_of_one_letter_is_found(name: str, at: int, letter: str) -> None:
    at %= len(name)
    for other in (
        name[:at] + letter + name[at:],
        name[:at] + name[at + 1 :],
        name[:at] + letter + name[at + 1 :],
    ):
        assert likeness(name, other) is not None or other == name


@given(NAMES, st.integers(0, 18))
def test_each_transposition_is_found(name: str, at: int) -> None:
    at %= len(name) - 1
    other = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    assume(other != name)
    assert likeness(name, other) in {Likeness.TRANSPOSED, Likeness.LOOKALIKE}


def distance(one: str, other: str) -> int:
    """Return how many letters must be replaced, added or left out (Levenshtein), the slow way."""
    row = list(range(len(other) + 1))
    for index, letter in enumerate(one, 1):
        before, row = row, [index]
        for place, mark in enumerate(other, 1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (letter != mark)))
    return row[-1]


@given(st.text("ab", min_size=5, max_size=9), st.text("ab", min_size=5, max_size=9))
def test_it_is_symmetric_and_agrees_with_the_distance(one: str, other: str) -> None:
    how = likeness(one, other)
    assert how is likeness(other, one)
    if how in {None, Likeness.ONE_LETTER}:
        assert (how is Likeness.ONE_LETTER) == (distance(one, other) == 1)

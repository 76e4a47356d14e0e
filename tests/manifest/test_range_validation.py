"""Version ranges: what is called empty really is, and what rattler accepts is accepted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rattler import Version, VersionSpec

from cuvee.manifest.documents.schema_types import ParseError
from cuvee.manifest.range_validation import contradict, is_empty, parse_range

NUMBERS = [
    "0.9",
    "1",
    "1.0.1",
    "1.2",
    "1.2.3",
    "1.2.4",
    "1.10",
    "2",
    "2.0.1",
    "2.4",
    "3",
    "1!1",
    "2.0a1",
    "2.dev0",
]
POOL = [
    Version(number + end)
    for number in [*NUMBERS, "1.3", "2.1", "2.5", "4", "1.2.3.1", "1.9", "1!2"]
    for end in ("", ".1", "a0", ".0.0.1")
]
CLAUSES = st.builds(
    lambda operator, number, star: operator + number + star,
    st.sampled_from([">", ">=", "<", "<=", "==", "!=", "", "="]),
    st.sampled_from(NUMBERS),
    st.just(""),
) | st.sampled_from(["1.*", "1.2.*", "2.*", "1.10.*", "~=1.2", "~=1.2.3", "~=2.0.1"])
SPECS = st.lists(st.lists(CLAUSES, min_size=1, max_size=3).map(",".join), min_size=1, max_size=2).map(
    "|".join
)


@given(spec=SPECS)
@settings(max_examples=300)
def test_a_range_that_matches_any_version_is_not_empty(spec: str) -> None:
    if is_empty(spec):
        matcher = VersionSpec(spec)
        assert not [str(version) for version in POOL if matcher.matches(version)]


@given(low=st.sampled_from(NUMBERS), high=st.sampled_from(NUMBERS))
def test_two_bounds_are_empty_exactly_when_they_cross(low: str, high: str) -> None:
    assert is_empty(f">={low},<={high}") == (Version(low) > Version(high))
    assert is_empty(f">{low},<{high}") == (Version(low) >= Version(high))


@given(one=SPECS, other=SPECS)
@settings(max_examples=200)
def test_two_ranges_contradict_only_if_no_version_is_in_both(one: str, other: str) -> None:
    if contradict(one, other):
        first, second = VersionSpec(one), VersionSpec(other)
        assert not [str(version) for version in POOL if first.matches(version) and second.matches(version)]


@pytest.mark.parametrize(
    ("spec", "empty"),
    [
        (">=3,<2", True),
        (">=3,<2|>=4", False),
        (">=3,<2|>5,<4", True),
        ("3.11.*,>=3.12", True),
        ("3.11.*,>=3.11.4", False),
        ("==2,!=2", True),
        ("!=2", False),
        ("~=1.4.2,<1.4", True),
        ("~=1.4,<2", False),
        ("1.0,1.0.0", False),
        ("(>=3,<2)", False),
        ("1!1,<2", True),
    ],
)
def test_emptiness(spec: str, empty: bool) -> None:
    assert is_empty(spec) == empty


def test_nothing_contradicts_any_version() -> None:
    assert not contradict("*", ">=3")
    assert not contradict("*", "*")
    assert contradict("<2|>5", "3.*")


@given(text=st.text("0123456789.,|<>=!~*abc() ", max_size=12) | SPECS)
@settings(max_examples=300)
def test_what_is_accepted_is_a_range_to_rattler(text: str) -> None:
    try:
        spec = parse_range(text)
    except ParseError:
        return
    assert spec == text
    VersionSpec(spec)

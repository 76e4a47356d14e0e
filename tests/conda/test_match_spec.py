"""Texts on which rattler's parser would end the process are refused before it sees them."""

import pytest

from cuvee.conda.match_spec import DEEPEST, LONGEST, read_spec, read_version


@pytest.mark.parametrize("text", ["a " + "(" * 50_000, "a >=1" + ",>=1" * LONGEST])
def test_a_spec_that_nobody_could_mean_is_none(text: str) -> None:
    spec = read_spec(text)
    assert (spec.name, spec.matcher, spec.problem) == ("", None, "it is nested too deeply")


def test_a_spec_that_somebody_could_mean_is_read() -> None:
    spec = read_spec("A " + "(" * DEEPEST + ">1" + ")" * DEEPEST)
    assert (spec.name, spec.problem) == ("a", "")


def test_a_spec_of_one_channel_names_it() -> None:
    assert read_spec("https://channel.example.org::a").channel == "https://channel.example.org"


@pytest.mark.parametrize(
    ("text", "problem"), [("py*", "glob"), ("\udcff", "surrogates"), ("a[extras=[b]]", "not read yet")]
)
def test_a_spec_that_is_none_says_why(text: str, problem: str) -> None:
    spec = read_spec(text)
    assert (spec.name, spec.matcher) == ("", None)
    assert problem in spec.problem


def test_a_version_that_is_none_is_none() -> None:
    assert str(read_version("1!2.0")) == "1!2.0"
    assert read_version("1..x!y") is None

"""Texts on which rattler's parsers would end the process or take minutes are refused before they see them."""

from pathlib import Path

import pytest

from cuvee.errors import SourceUnreachableError
from cuvee.lock.pixi import open_pixi, read_lock
from cuvee.lock.specs import DEEPEST, LONGEST, parse_spec, spec_name, spec_problem


@pytest.mark.parametrize("text", ["a " + "(" * 50_000, "a >=1" + ",>=1" * LONGEST])
def test_a_spec_that_nobody_could_mean_is_none(text: str) -> None:
    assert parse_spec(text) is None
    assert spec_name(text) is None
    assert spec_problem(text) == "it is nested too deeply"


def test_a_spec_that_somebody_could_mean_is_read() -> None:
    text = "a " + "(" * DEEPEST + ">1" + ")" * DEEPEST
    assert spec_name(text) == "a"
    assert spec_problem(text) == ""


def test_a_spec_that_is_none_says_why() -> None:
    assert spec_name("py*") is None
    assert "glob" in spec_problem("py*")
    assert parse_spec("\udcff") is None


def test_our_own_lock_is_looked_at_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "pixi.lock"
    path.write_text("version: 6\nenvironments: " + "[" * 100_000, encoding="utf-8")
    with pytest.raises(ValueError, match="nested too deeply"):
        open_pixi(path)
    with pytest.raises(SourceUnreachableError, match=r"can not be read as a lock: it is nested too deeply"):
        read_lock(path)

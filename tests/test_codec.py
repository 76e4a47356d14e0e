"""The codec: every value comes back from its JSON, and whatever does not fit is refused with its place."""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.codec import DecodeError, Document, Json, decode, encode
from cuvee.errors import IntegrityError, SourceUnreachableError
from cuvee.manifest.model import ReleaseVersion


class Colour(enum.Enum):
    RED = "red"
    WHITE = "white"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grape:
    name: str
    colour: Colour
    sugar: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cask:
    grapes: tuple[Grape, ...]
    size: tuple[int, str]
    version: ReleaseVersion
    filled: dt.date
    racked: dt.datetime | None = None
    cellar: Path | None = None
    wood: Literal["oak", "acacia"] = "oak"
    is_open: bool = False
    notes: Mapping[str, int | None] = field(default_factory=dict)


sugars = st.floats(allow_nan=False) | st.integers(-(1 << 53), 1 << 53)  # 0 is a float to mypy, too
grapes = st.builds(Grape, name=st.text(), colour=st.sampled_from(Colour), sugar=sugars)
casks = st.builds(
    Cask,
    grapes=st.lists(grapes).map(tuple),
    size=st.tuples(st.integers(), st.text()),
    version=st.builds(ReleaseVersion, st.integers(1000, 9999), st.integers(1, 12), st.integers(0, 9999)),
    filled=st.dates(),
    racked=st.none() | st.datetimes(timezones=st.just(dt.UTC)),
    cellar=st.none() | st.just(Path("a/b")),
    wood=st.sampled_from(["oak", "acacia"]),
    is_open=st.booleans(),
    notes=st.dictionaries(st.text(), st.none() | st.integers()),
)
CASK = Document(name="cask", kind=Cask)
GOOD: dict[str, Json] = {
    "grapes": [{"name": "merlot", "colour": "red"}],
    "size": [225, "l"],
    "version": "2026.11.0",
    "filled": "2026-11-01",
}


@given(casks)
def test_a_value_comes_back_from_its_document(cask: Cask) -> None:
    data = CASK.to_bytes(cask)
    read = CASK.from_bytes(data, source="cask.json")
    assert read == cask
    assert CASK.to_bytes(read) == CASK.to_bytes(cask) == data


def test_fields_with_defaults_may_be_absent() -> None:
    assert decode(Cask, GOOD).grapes == (Grape(name="merlot", colour=Colour.RED),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grapes": None}, "grapes: expected an array, found null"),
        ({"grapes": [{"name": 1, "colour": "red"}]}, "grapes[0].name: expected a string, found 1"),
        ({"grapes": [{"colour": "red"}]}, "grapes[0]: expected the key name, found none"),
        (
            {"grapes": [{"name": "x", "colour": "blue"}]},
            "grapes[0].colour: expected one of red, white, found blue",
        ),
        ({"size": [1]}, "size: expected an array of 2, found [1]"),
        ({"size": [True, "l"]}, "size[0]: expected an integer, found true"),
        ({"version": "11"}, "version: expected a ReleaseVersion, found 11"),
        ({"filled": "today"}, "filled: expected an ISO 8601 date, found today"),
        ({"racked": 5}, "racked: expected an ISO 8601 time, found 5"),
        ({"wood": "pine"}, "wood: expected one of oak, acacia, found pine"),
        ({"is_open": 1}, "is_open: expected true or false, found 1"),
        ({"notes": {"a": "b"}}, "notes.a: expected an integer, found b"),
        ({"tannin": 1}, "the document: expected an object with grapes, size, "),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(change: dict[str, Json], message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(Cask, GOOD | change)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "expected an object, found []"),
        ("{", "Expecting property name"),
        ("[" * 100_000, "cannot be read"),
        ("{}", "cask: expected version 1 of this form, found null"),
        ('{"cask": 2}', "cask: expected version 1 of this form, found 2"),
        ('{"cask": true}', "cask: expected version 1 of this form, found true"),
        ("\udcff", "cannot be read"),
    ],
)
def test_what_is_no_document_is_an_integrity_error(text: str, message: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        CASK.from_bytes(text.encode("utf-8", "surrogateescape"), source="x.json")
    assert "x.json cannot be read" in caught.value.message
    assert message in caught.value.message


def test_documents_of_an_older_version_are_read() -> None:
    def rename(old: dict[str, Json]) -> dict[str, Json]:
        return {"name": old["variety"], "colour": "red"}

    new = Document(name="grape", version=2, kind=Grape, upgrades={1: rename})
    merlot = Grape(name="merlot", colour=Colour.RED)
    assert new.from_bytes(b'{"grape": 1, "variety": "merlot"}', source="x") == merlot
    assert new.from_bytes(new.to_bytes(merlot), source="x") == merlot
    with pytest.raises(IntegrityError, match="expected version 1"):
        Document(name="grape", kind=Grape).from_bytes(new.to_bytes(merlot), source="x")


def test_files(tmp_path: Path) -> None:
    cask = decode(Cask, GOOD)
    CASK.write(tmp_path / "cask.json", cask)
    assert CASK.read(tmp_path / "cask.json") == cask
    with pytest.raises(SourceUnreachableError, match=r"absent\.json"):
        CASK.read(tmp_path / "absent.json")


def test_a_value_without_a_form_in_json_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="bytes has no form in JSON"):
        encode(b"")
    with pytest.raises(TypeError, match="bytes has no form in JSON"):
        decode(bytes, "")


def test_fields_may_be_left_out() -> None:
    assert encode(Grape(name="x", colour=Colour.RED), without=frozenset({"sugar"})) == {
        "name": "x",
        "colour": "red",
    }

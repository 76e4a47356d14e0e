"""Reading records: good ones, twins, and every way in which repodata is broken."""

import json

import pytest

from channel_oracle import entry
from cuvee.conda.package_record import Record
from cuvee.conda.repodata import parse_repodata


def repodata(packages: dict[str, object], conda: dict[str, object] | None = None) -> bytes:
    return json.dumps({"info": {}, "packages": packages, "packages.conda": conda or {}, "x": [1]}).encode()


def test_records_keep_what_decides() -> None:
    item = entry(
        "numpy",
        "1.20",
        "py_0",
        depends=["python >=3"],
        constrains=["mkl <3"],
        track_features="a b",
        timestamp=7,
    )
    read = parse_repodata(repodata({"numpy-1.20-py_0.tar.bz2": item}), subdir="linux-64", where="here")
    assert read.problems == ()
    assert read.records == (
        Record(
            name="numpy",
            version="1.20",
            build="py_0",
            subdir="linux-64",
            url="numpy-1.20-py_0.tar.bz2",
            depends=("python >=3",),
            constrains=("mkl <3",),
            track_features=("a", "b"),
            timestamp=7,
        ),
    )


def test_twins_are_one() -> None:
    item = entry("a")
    read = parse_repodata(
        repodata({"a-1-0.tar.bz2": item}, {"a-1-0.conda": item}), subdir="linux-64", where="here"
    )
    assert [record.file_name for record in read.records] == ["a-1-0.conda"]
    assert read.twins == 1


def test_an_index_of_file_names_is_read_too() -> None:
    data = json.dumps({"a-1-0.conda": {"name": "a", "version": "1", "build": "0"}}).encode()
    (record,) = parse_repodata(data, subdir="noarch", where="here").records
    assert (record.stem, record.subdir, record.depends) == ("a-1-0", "noarch", ())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": None}, "name is None, not a text"),
        ({"name": "a b"}, "'a b' is not a package name"),
        ({"version": 1.2}, "version is 1.2, not a text"),
        ({"version": "1..x!y"}, "'1..x!y' is not a version"),
        ({"build": ""}, "build is '', not a text"),
        ({"build_number": "0"}, "build_number is '0', not a number"),
        ({"build_number": True}, "build_number is True, not a number"),
        ({"depends": "python"}, "depends is not a list of texts"),
        ({"depends": [1]}, "depends is not a list of texts"),
        ({"constrains": {"a": 1}}, "constrains is not a list of texts"),
    ],
)
def test_a_broken_record_is_a_problem_with_its_name(changes: dict[str, object], message: str) -> None:
    data = repodata({"bad-1-0.conda": entry("bad") | changes, "good-1-0.conda": entry("good")})
    read = parse_repodata(data, subdir="linux-64", where="here")
    assert [record.name for record in read.records] == ["good"]
    assert [str(problem) for problem in read.problems] == [f"bad-1-0.conda: {message}"]


@pytest.mark.parametrize(
    ("value", "message"),
    [([], "not an object"), (None, "not an object"), ({"version": "1", "build": "0"}, "it has no name")],
)
def test_an_entry_that_is_no_record(value: object, message: str) -> None:
    read = parse_repodata(repodata({"bad-1-0.conda": value}), subdir="linux-64", where="here")
    assert [str(problem) for problem in read.problems] == [f"bad-1-0.conda: {message}"]


def test_a_file_name_that_is_none() -> None:
    read = parse_repodata(repodata({"a": entry("a")}), subdir="linux-64", where="here")
    assert "its name ends neither in .conda nor in .tar.bz2" in str(read.problems[0])


def test_half_a_file_has_no_records_and_says_where_it_breaks_off() -> None:
    data = repodata({"a-1-0.conda": entry("a"), "b-1-0.conda": entry("b")})
    cut = data[: data.index(b'"b-1-0.conda"') + 30]
    read = parse_repodata(cut, subdir="linux-64", where="here")
    assert read.records == ()
    (problem,) = read.problems
    assert problem.where == "here"
    assert "not JSON at line 1, column" in problem.message


def test_hostile_nesting_is_refused() -> None:
    data = b'{"packages": {"a.conda": ' + b"[" * 1_000_000
    (problem,) = parse_repodata(data, subdir="linux-64", where="here").problems
    assert str(problem) == "here: nested too deeply"


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"nothing", b'{"packages": {', b'{"packages" 1}', b'{"a": 1 "b": 2}', b"{1: 2}", b"{} {}",
     b'{"packages": {"a.conda": ' + b"[" * 100_000, b"\xff\xfe\x00", b'{"packages": {"a\\ud800.conda": 1}'],
)  # fmt: skip
def test_what_is_no_repodata_is_one_problem(data: bytes) -> None:
    read = parse_repodata(data, subdir="linux-64", where="here")
    assert read.records == ()
    assert [problem.where for problem in read.problems][-1] == "here"


def test_sections_of_a_wrong_type_are_problems() -> None:
    read = parse_repodata(b'{"packages": [], "packages.conda": null}', subdir="linux-64", where="here")
    assert read.records == ()
    assert [str(problem) for problem in read.problems] == [
        "packages: not an object",
        "packages.conda: not an object",
    ]

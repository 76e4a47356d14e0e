"""Records that cannot be read are named, whatever is wrong with them."""

import json
from pathlib import Path
from typing import Any

import pytest

from cuvee.channel.connection import connect, package_names
from cuvee.channel.repodata_problems import repodata_problems
from cuvee.errors import SourceUnreachableError

GOOD = {"name": "a", "version": "1.0", "build": "0", "build_number": 0, "depends": [], "subdir": "noarch"}


def channel(folder: Path, *records: Any) -> Path:
    packages = {f"r{number}-1-0.conda": record for number, record in enumerate(records)}
    path = folder / "channel" / "noarch" / "repodata.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"packages": {}, "packages.conda": packages}), encoding="utf-8")
    return folder / "channel"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "1 2"}, "malformed version string '1 2'"),
        ({"version": 1}, "version is 1"),
        ({"name": "a b"}, "'a b' is not a valid package name"),
        ({"build": None}, "build is missing"),
        ({"build_number": "x"}, 'build_number is "x"'),
        ({"build_number": -1}, "can't convert negative int"),
        ({"depends": {"x": 1}}, 'depends is {"x": 1}'),
        ({"depends": ["x", 2]}, "depends has 2"),
        ({"constrains": "x"}, 'constrains has "x"'),
    ],
)
def test_each_field(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    (line,) = repodata_problems(channel(tmp_path, GOOD, GOOD | change))
    assert line.startswith("noarch/r1-1-0.conda: ")
    assert words in line


@pytest.mark.parametrize("text", ["{bro", '{"packages": []}', "[" * 200_000, "\x00"])
def test_a_file_that_is_no_index(tmp_path: Path, text: str) -> None:
    folder = channel(tmp_path)
    (folder / "noarch" / "repodata.json").write_text(text, encoding="utf-8")
    assert all(line.startswith("noarch/repodata.json") for line in repodata_problems(folder))
    assert repodata_problems(folder)


def test_no_more_than_a_few_are_named(tmp_path: Path) -> None:
    assert len(repodata_problems(channel(tmp_path, *[7] * 50))) == 5


def test_the_error_of_a_channel_names_them(tmp_path: Path) -> None:
    folder = channel(tmp_path, GOOD)
    (folder / "noarch" / "repodata.json").write_text("{bro", encoding="utf-8")
    with pytest.raises(SourceUnreachableError, match=r"noarch/repodata\.json, line 1, column 2"):
        package_names([str(folder)], ["linux-64"], connect(tmp_path / "cache"))

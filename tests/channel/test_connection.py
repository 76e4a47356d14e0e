"""The error of a channel that cannot be read names the records at fault."""

import json
from pathlib import Path

import pytest

from cuvee.channel.connection import channel_errors, connect, query
from cuvee.conda.event_loop import run
from cuvee.errors import SourceUnreachableError

GOOD = {"name": "a", "version": "1.0", "build": "0", "build_number": 0, "depends": [], "subdir": "noarch"}


def error_of(folder: Path, text: str) -> str:
    path = folder / "channel" / "noarch" / "repodata.json"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    source = str(folder / "channel")
    with pytest.raises(SourceUnreachableError) as caught, channel_errors(source):
        run(query([source], "linux-64", ["bad"], connect(folder / "cache")))
    return caught.value.message


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"version": "1 2"}, "'1 2' is not a version"),
        ({"build": None}, "build is None, not a text"),
        ({"build_number": -1}, "build_number is -1, not a number"),
        ({"depends": ["x", 2]}, "depends is not a list of texts"),
    ],
)
def test_a_record(tmp_path: Path, change: dict[str, object], problem: str) -> None:
    text = json.dumps({"packages.conda": {"good-1-0.conda": GOOD, "bad-1-0.conda": GOOD | change}})
    assert f"channel/noarch/bad-1-0.conda: {problem}" in error_of(tmp_path, text)


def test_no_more_than_a_few_records(tmp_path: Path) -> None:
    text = json.dumps({"packages.conda": {f"bad-{number}-0.conda": 7 for number in range(50)}})
    assert error_of(tmp_path, text).count("not an object") == 5


def test_a_file_that_is_not_json(tmp_path: Path) -> None:
    assert "noarch/repodata.json: not JSON at line 1, column 2" in error_of(tmp_path, "{bro")

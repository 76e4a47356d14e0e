"""When releases were made, by channels and by the index."""

import datetime as dt

import pytest

from checked_sets import package
from cuvee.channel.interpreter.index_download import json_upload_times
from cuvee.inclusion.upstream_releases import instant_of, of_index, of_records

DAY = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
STAMP = int(DAY.timestamp())


@pytest.mark.parametrize("stamp", [STAMP, STAMP * 1000])
def test_timestamps_are_in_seconds_or_milliseconds(stamp: int) -> None:
    assert instant_of(stamp) == DAY


@pytest.mark.parametrize("stamp", [None, 0, -1, 10**30])
def test_other_timestamps_say_nothing(stamp: int | None) -> None:
    assert instant_of(stamp) is None


def test_a_version_was_released_when_its_first_build_was_made() -> None:
    records = [
        package("a", "2.0", timestamp=STAMP),
        package("a", "1.0"),
        package("a", "1.0", timestamp=STAMP + 9),
    ]
    records += [package("a", "2.0", timestamp=STAMP - 86_400), package("a", "3.0")]
    found = of_records(records, "here")
    assert [(item.version, item.published is None) for item in found.releases] == [
        ("2.0", False), ("1.0", False), ("3.0", True),
    ]  # fmt: skip
    assert found.releases[0].published == DAY - dt.timedelta(days=1)


def test_versions_of_the_index_are_those_of_file_names() -> None:
    page = {
        "files": [
            {"filename": "a-1.0-py3-none-any.whl", "url": "x", "upload-time": "2026-11-20T00:00:00.5Z"},
            {"filename": "a-1.0.tar.gz", "url": "x", "upload-time": "2026-11-19T00:00:00Z"},
            {"filename": "a-2.0.tar.gz", "url": "x"},
            {"filename": "a-3.0.tar.gz", "url": "x", "upload-time": "yesterday"},
            {"filename": "a.exe", "url": "x", "upload-time": "2026-11-19T00:00:00Z"},
        ]
    }
    found = of_index(json_upload_times(page), "index")
    assert [(item.version, item.published) for item in found.releases] == [
        ("1.0", DAY - dt.timedelta(days=1)), ("2.0", None), ("3.0", None),
    ]  # fmt: skip


@pytest.mark.parametrize("page", [{}, [], {"files": [3]}, {"files": None}])
def test_a_page_that_is_none_is_refused(page: object) -> None:
    with pytest.raises(ValueError, match="no list of files"):
        json_upload_times(page)

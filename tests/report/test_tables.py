"""The tables: complete, and read back by the csv module as they were."""

import csv
import io

import pytest

from changed_release import page_of
from cuvee.release.record import Release
from cuvee.report.csv_tables import tables
from cuvee.report.human_units import human_size, human_time, plural


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_each_table_has_a_row_for_each_thing(sample: Release) -> None:
    page = page_of(sample)
    found = {name: read(text) for name, text in tables(page, sample.lock).items()}
    locked = {p.identifier: p for lock in sample.lock.platforms for p in lock.packages}
    packages = [row for row in found["packages.csv"] if row["identifier"]]
    assert {row["identifier"]: row["sha256"] for row in packages} == {
        name: package.sha256 for name, package in locked.items()
    }
    assert len(found["packages.csv"]) == 122 * 3
    assert len(found["findings.csv"]) == len(sample.findings)
    assert len(found["outcomes.csv"]) == page.results.tests.total
    assert found["outcomes.csv"][0]["state"] == "regression"
    assert found["outcomes.csv"][0]["log"] == "results/linux-64/logs/frame-through-SQL-and-back.log"
    assert [row["package"] for row in found["changes.csv"]][:2] == ["pillow", "click"]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.00 kB"), (9_994, "9.99 kB"),
        (9_996, "10.0 kB"), (48_230_000, "48.2 MB"), (999_499, "999 kB"), (999_600, "1.00 MB"),
        (214_000_000, "214 MB"), (3 * 10**15, "3000 TB"),
    ],
)  # fmt: skip
def test_sizes_have_three_digits(size: int, text: str) -> None:
    assert human_size(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0412, "0.04 s"), (9.99, "9.99 s"), (12.34, "12.3 s"), (59.4, "59.4 s"), (59.6, "1 min 00 s"),
        (200, "3 min 20 s"), (3900, "1 h 05 min"),
    ],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert human_time(seconds) == text


def test_plural() -> None:
    assert [plural(0, "test"), plural(1, "test"), plural(1200, "test")] == [
        "0 tests",
        "1 test",
        "1,200 tests",
    ]

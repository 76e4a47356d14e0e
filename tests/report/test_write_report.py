"""The report as files: whole, small, the same each time, and the same as its twin."""

from pathlib import Path

from changed_release import write
from cuvee.release.record import Release

NAMES = {
    "index.html",
    "data.json",
    "packages.csv",
    "findings.csv",
    "suites.csv",
    "outcomes.csv",
    "gone.csv",
    "changes.csv",
    "errata.csv",
    "stages.html",
    "summary.md",
    "badge.svg",
    "packages",
    "platforms",
    "tests",
}


def test_it_writes_the_page_its_twin_and_the_tables(sample: Release, tmp_path: Path) -> None:
    write(sample, tmp_path / "report")
    assert {path.name for path in (tmp_path / "report").iterdir()} == NAMES
    assert (tmp_path / "report/index.html").stat().st_size < 1_500_000


def test_the_same_input_gives_the_same_bytes(sample: Release, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(sample, tmp_path / name)
    first, second = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (tmp_path / "one", tmp_path / "two")
    )
    assert first == second
    assert len(first) > 122

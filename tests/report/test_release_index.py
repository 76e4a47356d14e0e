"""One index over all releases: the newest first, with feed and badge, and nothing left out in silence."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from changed_release import changed, write
from cuvee.cli.main import run
from cuvee.errors import UsageError
from cuvee.manifest.model import ReleaseVersion
from cuvee.release.record import Release
from cuvee.report.index_writer import badge_svg, read_entries, release_folders, write_index

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def dist(sample: Release, ready: Release, tmp_path: Path) -> Path:
    """Three releases of one distribution, the last one good, and a folder that cannot be read."""
    folder = tmp_path / "dist"
    for number, release in enumerate((sample, sample, ready)):
        manifest = replace(release.manifest, version=ReleaseVersion(2026, 11 - number, 0))
        made = changed(release, manifest=manifest, folder=folder / manifest.release_name)
        made.save()
    (folder / "broken-2026.1.0").mkdir()
    (folder / "broken-2026.1.0" / "release.json").write_text("{}")
    (folder / "notes").mkdir()
    return folder


def index(dist: Path, output: Path) -> str:
    entries, problems = read_entries(release_folders([dist]), output)
    write_index(entries, problems, output)
    return (output / "index.html").read_text(encoding="utf-8")


def test_the_index_has_each_release_and_what_cannot_be_read(dist: Path) -> None:
    text = index(dist, dist)
    assert re.findall(r'<tr id="([^"]*)" data-release', text) == [
        "starter-2026.11.0", "starter-2026.10.0", "starter-2026.9.0",
    ]  # fmt: skip
    assert '<a href="starter-2026.9.0/report/index.html">2026.9.0</a>' in text
    assert "Blocked by 5" in text
    assert "Ready" in text
    assert "broken-2026.1.0" in text
    assert "broken-2026.1.0/release.json cannot be read" in text
    assert str(dist) not in text
    assert text.count("<script>") == 1
    assert "Tests passed: 100.0 % in starter-2026.9.0" in " ".join(text.split())


def test_links_lead_from_the_output_to_the_releases(dist: Path, tmp_path: Path) -> None:
    text = index(dist, tmp_path / "site" / "all")
    assert 'href="../../dist/starter-2026.11.0/report/index.html"' in text


def test_the_same_releases_give_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        index(dist, tmp_path / name)
    first, second = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in ("one", "two"))
    assert first == second
    assert set(first) == {"index.html", "index.json", "starter.atom", "starter.svg"}


def test_the_feed_is_atom_and_the_data_has_the_same(dist: Path) -> None:
    index(dist, dist)
    feed = ET.parse(dist / "starter.atom").getroot()  # noqa: S314 - our own file
    entries = feed.findall(f"{ATOM}entry")
    assert entries[0].findtext(f"{ATOM}title") == "starter-2026.11.0: Blocked by 5"
    identifiers = [feed.findtext(f"{ATOM}id"), *(entry.findtext(f"{ATOM}id") for entry in entries)]
    assert len(set(identifiers)) == 4
    assert all(text and text.startswith("urn:uuid:") for text in identifiers)
    assert feed.findtext(f"{ATOM}updated") == "2026-11-22T11:40:00+00:00"
    data = json.loads((dist / "index.json").read_text(encoding="utf-8"))
    assert [row["release"] for row in data["distributions"][0]["entries"]] == [
        "starter-2026.11.0", "starter-2026.10.0", "starter-2026.9.0",
    ]  # fmt: skip
    assert data["problems"][0]["folder"] == "broken-2026.1.0"


def test_a_badge_is_an_image_with_its_words(sample: Release, tmp_path: Path) -> None:
    write(sample, tmp_path)
    image = ET.parse(tmp_path / "badge.svg").getroot()  # noqa: S314 - our own file
    assert image.get("aria-label") == "starter-2026.11.0: Blocked by 5"
    from cuvee.report.badges import VERDICTS

    for badge in VERDICTS.values():
        ET.fromstring(badge_svg("<&>", badge.word, badge))  # noqa: S314 - our own text


def test_a_folder_without_a_release_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no release in"):
        release_folders([tmp_path])


def test_the_command_writes_the_index(dist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "--index", "--dist", str(dist), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["releases"] == [
        "starter-2026.10.0",
        "starter-2026.11.0",
        "starter-2026.9.0",
    ]
    assert "broken-2026.1.0 cannot be read" in printed.err
    assert (dist / "index.html").is_file()


def test_the_command_prints_markdown(dist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(dist / "starter-2026.11.0"), "--markdown"]) == 1
    text = capsys.readouterr().out
    assert text.startswith("## ❌ starter-2026.11.0: Blocked by 5\n")
    for part in ("| Flaky | 1 |", "**Causes**", "**Must act**", "- numpy 2.3.5 → 2.4.1 (upgraded)"):
        assert part in text


def test_parquet_needs_what_writes_it_and_says_so(
    dist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    release = str(dist / "starter-2026.9.0")
    assert run(["report", release, "--parquet"]) == 2
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert run(["report", release, "--parquet", "--output", str(tmp_path / "out")]) == 3
    assert "Parquet needs the Python package pandas and pyarrow" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_parquet_has_the_rows_of_the_tables(dist: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="needs the Python package pyarrow")
    import pandas as pd

    assert run(["report", str(dist / "starter-2026.9.0"), "--parquet", "--output", str(tmp_path)]) == 0
    frame = pd.read_parquet(tmp_path / "packages.parquet")
    assert len(frame) == 122 * 3
    assert frame["size"].sum() > 0

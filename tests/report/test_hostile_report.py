"""Package metadata, test names and logs are written by others: none of it may act on the page."""

import csv
import dataclasses
import datetime as dt
import enum
import io
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from changed_release import changed, page_of, write
from cuvee.release.record import Release
from cuvee.report.csv_tables import tables
from cuvee.report.logs import HEAD, LINE, TAIL, clean, excerpt, shorten

ATTACK = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7919*7919 }}</pre></details>&amp;"
    "\u202e\x1b[31m\ud800"
)


def poison(value: Any, attack: str) -> Any:
    """Put an attack behind every text in a value, the same behind the same, so that names still match."""
    if isinstance(value, str):
        return value + attack
    if isinstance(value, enum.Enum | dt.date | Path) or value is None:
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = {
            f.name: poison(getattr(value, f.name), attack) for f in dataclasses.fields(value) if f.init
        }
        return dataclasses.replace(value, **changed)
    if isinstance(value, tuple):
        return tuple(poison(item, attack) for item in value)
    if isinstance(value, Mapping):
        return {poison(key, attack): poison(item, attack) for key, item in value.items()}
    return value


def test_markup_in_every_text_stays_text(sample: Release, read_page: Callable[[Release], Any]) -> None:
    page = read_page(poison(sample, ATTACK))
    tags = [tag for tag, _ in page.elements]
    assert tags.count("script") == 1
    assert "img" not in tags
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.text.count("<script>alert(1)</script>") > 1000
    assert "{{ 7919*7919 }}" in page.text
    assert "62710561" not in page.text.split("Findings")[0]
    assert not {"\u202e", "\x1b", "\ud800"} & set(page.text)


def test_no_text_becomes_an_address_that_runs(sample: Release, read_page: Callable[[Release], Any]) -> None:
    manifest = dataclasses.replace(
        sample.manifest,
        owners=tuple(dataclasses.replace(o, contact="javascript:alert(1)") for o in sample.manifest.owners),
        waivers=tuple(dataclasses.replace(w, link="javascript:alert(1)") for w in sample.manifest.waivers),
    )
    artefacts = tuple(dataclasses.replace(a, path="javascript:alert(1)") for a in sample.artefacts)
    page = read_page(changed(sample, manifest=manifest, artefacts=artefacts))
    assert "javascript:alert(1)" in page.text
    own = (
        "#",
        "../results/",
        "data:,",
        "data.json",
        "packages.csv",
        "findings.csv",
        "suites.csv",
        "outcomes.csv",
        "gone.csv",
        "changes.csv",
        "errata.csv",
        "stages.html",
        "packages/",
        "platforms/",
        "tests/",
    )
    assert [link for link in page.values("href") if not link.startswith(own)] == []


def test_a_poisoned_release_is_written_and_its_twin_is_json(sample: Release, tmp_path: Path) -> None:
    write(poison(sample, ATTACK), tmp_path / "report")
    data = json.loads((tmp_path / "report/data.json").read_text(encoding="utf-8"))
    assert "\u202e" not in json.dumps(data, ensure_ascii=False)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "\x00="])
def test_no_cell_of_a_table_is_a_formula(sample: Release, start: str) -> None:
    hostile = dataclasses.replace(sample.findings[0], cause=f'{start}HYPERLINK("http://example.org","x"),\n"')
    data = changed(sample, findings=(hostile,))
    (row,) = csv.DictReader(io.StringIO(tables(page_of(data), data.lock)["findings.csv"]))
    assert row["cause"].startswith("'")
    assert row["cause"].endswith(',\n"')


def test_a_log_is_read_inside_its_platform_s_results_only(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    inside = tmp_path / "results/linux-64"
    (inside / "logs").mkdir(parents=True)
    (inside / "logs/link.log").symlink_to(secret)
    for log in ("../../secret", str(secret), "logs/link.log", "logs/../../../secret"):
        found = excerpt(tmp_path / "results", "linux-64", log)
        assert (found.path, found.text) == ("", "")
        assert "outside" in found.note
    assert "outside" in excerpt(tmp_path / "results", "..", "secret").note
    assert "outside" in excerpt(tmp_path / "results", ".", "linux-64/logs/link.log").note
    os.mkfifo(inside / "logs/pipe.log")
    for log in ("logs/pipe.log", "logs/none.log", "logs", "a\0b", "x" * 5000):
        assert "cannot be read" in excerpt(tmp_path / "results", "linux-64", log).note
    (inside / "logs/bytes.log").write_bytes(b"\xff\xfe\x00ok\r\n\x1b]0;title\x07end")
    assert excerpt(tmp_path / "results", "linux-64", "logs/bytes.log").text == "\ufffd\ufffdok\nend"


def test_what_is_left_out_of_a_log_is_said() -> None:
    total = HEAD + TAIL
    whole = "\n".join(f"line {number}" for number in range(total))
    assert shorten(whole + "\n") == (whole, "")
    text, note = shorten(f"{whole}\nlast")
    assert text.splitlines()[HEAD] == "… 1 line left out …"
    assert text.endswith("last")
    assert note == f"first {HEAD} and last {TAIL} of {total + 1} lines"
    text, note = shorten("x" * (LINE + 1))
    assert len(text) == LINE + 2
    assert note == f"long lines cut at {LINE} characters"


def test_a_page_has_room_for_so_many_logs_and_says_when_it_is_full(
    sample: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cuvee.report.outcome_rows.LOG_BUDGET", 5000)
    logs = [row.log for row in page_of(sample).results.others if row.log]
    assert [log for log in logs if log.text]
    full = [log for log in logs if not log.text]
    assert full
    assert all(log.path and log.note for log in full)


def test_clean_keeps_ends_of_lines_and_tabs() -> None:
    assert clean("a\tb\r\nc\rd\x1b[1;31me\x1b[0m\x07") == "a\tb\nc\nde"

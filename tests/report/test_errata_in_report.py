"""The report has the errata that are about its release, as the locks of the release say it."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

import tiny_index
from changed_release import changed
from cuvee.cli.main import run
from cuvee.errata.errata_folder import read_errata
from cuvee.errata.errata_in_report import errata_of
from cuvee.release.record import Release
from cuvee.report.csv_tables import tables
from cuvee.report.data_json import page_json
from cuvee.report.html import render
from cuvee.report.markdown_summary import markdown_summary
from cuvee.report.page import Page, build_page
from cuvee.report.summary import summary_lines
from made_errata import PUBLISHER_TEXT

TEXT = """\
number: {number}
distribution: {distribution}
title: Numbers <i>of arrays</i>
severity: high
date: 2026-11-{day}
summary: Some numbers are wrong.
packages:
  numpy: {{affected: "{affected}", fixed: "{fixed}"}}
affected-releases: ["{bad}"]
fixed-releases: ["{good}"]
cves: [CVE-2026-12345]
workaround: Use no arrays.
{more}
"""
OLD, OWN, NEW = "2026.10.2", "2026.11.0", "2026.11.1"
HAS_FIX = {"affected": "<2.4", "fixed": ">=2.4", "bad": OLD, "good": OWN}
HAS_FLAW = {"affected": "<2.5", "fixed": ">=2.5", "bad": OWN, "good": NEW}


def write_errata(folder: Path, *texts: dict[str, str]) -> Path:
    """Write errata that are called e-1, e-2 and so on."""
    errata = folder / "errata"
    errata.mkdir()
    (errata / "publisher.yaml").write_text(PUBLISHER_TEXT, encoding="utf-8")
    for number, values in enumerate(texts, start=1):
        usual = {"number": f"e-{number}", "distribution": "starter", "day": f"{number:02}", "more": ""}
        (errata / f"e-{number}.yaml").write_text(TEXT.format_map(usual | values), encoding="utf-8")
    return errata


def page_with(release: Release, errata: Path) -> Page:
    return build_page(release, errata=errata_of(read_errata(errata), release))


def states(page: Page) -> dict[str, str]:
    return {row.number: row.badge.word for row in page.errata or ()}


def test_what_the_locks_say_decides(sample: Release, tmp_path: Path) -> None:
    errata = write_errata(
        tmp_path,
        HAS_FIX,
        HAS_FLAW,
        {"affected": "<2.5", "fixed": ">=2.5", "bad": OLD, "good": OWN},
        {"affected": "<2.4", "fixed": ">=2.4", "bad": OWN, "good": NEW},
        {"affected": "<2.5", "fixed": ">=2.5", "bad": OLD, "good": NEW},
        {"affected": "<2.4", "fixed": ">=2.4", "bad": OLD, "good": NEW},
        HAS_FLAW | {"distribution": "other"},
    )
    page = page_with(sample, errata)
    assert states(page) == {
        "e-5": "affected",  # which the erratum does not state
        "e-4": "not as stated",
        "e-3": "not as stated",
        "e-2": "affected",
        "e-1": "fixed",
    }
    for row in page.errata or ():
        assert row.platforms == tuple(lock.platform for lock in sample.lock.platforms)
    fixed = (page.errata or ())[-1]
    assert fixed.packages == ("numpy 2.4.1",)
    assert fixed.fixed_in == ("starter-2026.11.0",)
    assert fixed.url == "https://example.org/errata/index.html#e-1"


def test_platforms_that_the_erratum_does_not_mean_are_not_as_it_states(
    sample: Release, tmp_path: Path
) -> None:
    elsewhere = {"more": "platforms: [osx-arm64]"}
    errata = write_errata(tmp_path, HAS_FIX | elsewhere, HAS_FLAW | elsewhere)
    assert states(page_with(sample, errata)) == {"e-2": "affected"}


def test_page_and_twins_agree(sample: Release, tmp_path: Path) -> None:
    page = page_with(sample, write_errata(tmp_path, HAS_FIX, HAS_FLAW))
    html = render(page)
    section = html.partition('<section id="errata"')[2].partition("</section>")[0]
    for text in (
        'id="erratum-e-1"',
        'href="https://example.org/errata/index.html#e-2"',
        "Numbers &lt;i&gt;of arrays&lt;/i&gt;",
        "CVE-2026-12345",
        "Until then: Use no arrays.",
        "starter-2026.11.1",
    ):
        assert text in section
    assert section.count("Until then") == 1, "not for what has the fix"
    assert '<a href="#errata">Errata <span class="count">2</span></a>' in html
    data = json.loads(page_json(page))["errata"]
    rows = list(csv.DictReader(io.StringIO(tables(page, sample.lock)["errata.csv"])))
    assert [(row["number"], row["badge"]) for row in data] == [("e-2", "affected"), ("e-1", "fixed")]
    assert [(row["number"], row["release_is"]) for row in rows] == [("e-2", "affected"), ("e-1", "fixed")]
    assert rows[0]["fixed_in"] == "starter-2026.11.1"
    assert "- e-2 (high, affected): Numbers" in markdown_summary(page)
    assert "erratum e-1: fixed, Numbers <i>of arrays</i>" in summary_lines(page)


def test_none_and_not_known_differ(sample: Release, tmp_path: Path) -> None:
    assert "No erratum is about this release." in render(page_with(sample, write_errata(tmp_path)))
    assert "rratum is about" not in render(build_page(sample))


def test_the_command_finds_them_beside_dist(
    sample: Release, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "dist" / sample.name
    folder.mkdir(parents=True)
    replace(changed(sample, artefacts=()), folder=folder).save()
    errata = write_errata(tmp_path, HAS_FIX)
    run(["report", str(folder), "--output", str(tmp_path / "found")])
    assert "erratum e-1: fixed" in capsys.readouterr().out
    assert 'id="erratum-e-1"' in (tmp_path / "found" / "index.html").read_text(encoding="utf-8")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = write_errata(elsewhere, HAS_FLAW)
    run(["report", str(folder), "--errata", str(other)])
    assert "erratum e-1: affected" in capsys.readouterr().out
    (errata / "e-1.yaml").write_text("number: e-1\n", encoding="utf-8")
    assert run(["report", str(folder)]) == 2
    assert "errata/e-1.yaml:1:1" in capsys.readouterr().err


def test_a_release_is_reported_with_them_and_again_when_they_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_index.write_index(tmp_path / "channel", map(tiny_index.entry, ["app 1: lib", "lib 1"]))
    manifest = tiny_index.write_manifest(tmp_path, tmp_path / "channel", 'app: "*"')
    command = ["release", str(manifest), "--dist", str(tmp_path / "dist"), "--cache", str(tmp_path / "cache")]
    tiny = {"distribution": "tiny", "affected": "<1", "fixed": ">=1", "bad": "2026.10.0", "good": OWN}
    errata = write_errata(tmp_path, tiny)
    path = errata / "e-1.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("numpy", "lib"), encoding="utf-8")
    page = tmp_path / "dist" / "tiny-2026.11.0" / "report" / "index.html"
    run(command)
    assert 'id="erratum-e-1"' in page.read_text(encoding="utf-8")
    before = page.stat().st_mtime_ns
    run(command)
    assert page.stat().st_mtime_ns == before, "nothing has changed"
    path.write_text(
        path.read_text(encoding="utf-8").replace("<i>of arrays</i>", "of lists"), encoding="utf-8"
    )
    run(command)
    assert "Numbers of lists" in page.read_text(encoding="utf-8")
    path.write_text("number: e-1\n", encoding="utf-8")
    capsys.readouterr()
    assert run(command) == 2, "before any work"
    assert "errata/e-1.yaml:1:1" in capsys.readouterr().err

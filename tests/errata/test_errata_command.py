"""``cuvee errata``: exit codes, messages with positions, and nothing written unless all is true."""

import json
from pathlib import Path

import pytest

from cuvee.cli.main import run
from cuvee.errata.errata_folder import read_errata
from made_errata import BOTH, ERRATUM, FIXED, write_repository

ROOT = Path(__file__).parents[2]
TRUE = {"2026.10.0": BOTH, "2026.10.1": FIXED}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_is_true_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_repository(tmp_path, TRUE, ERRATUM)
    assert run(["errata"]) == 0
    assert capsys.readouterr().out == "1 erratum checked against 2 releases: all is true\n"
    assert {path.name for path in tmp_path.iterdir()} == {"dist", "errata"}
    assert run(["errata", "--output", "site", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["written"][0] == "site/index.html"
    assert document["not_checked"] == {}
    assert [row["status"] for row in document["errata"][0]["releases"]] == ["affected"] * 2 + ["fixed"] * 2
    assert (tmp_path / "site" / "csaf" / "tiny-2026-1.json").is_file()


def test_what_is_wrong_has_a_position_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_repository(tmp_path, {"2026.10.0": BOTH, "2026.10.1": BOTH}, ERRATUM)
    assert run(["errata", "--output", "site"]) == 1
    captured = capsys.readouterr()
    assert "errata/tiny-2026-1.yaml:13:18: tiny-2026.10.1 is not fixed on win-64" in captured.out
    assert '    13 | fixed-releases: ["2026.10.1"]\n       |                  ^^^^^^^^^^^' in captured.out
    assert "2 findings, and 0 statements that could not be checked" in captured.out
    assert captured.err == "Nothing was written to site\n"
    assert not (tmp_path / "site").exists()
    assert run(["errata", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["errata"][0]["findings"][0]["position"] == "errata/tiny-2026-1.yaml:13:18"


def test_releases_are_found_in_reports_and_manifests_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_repository(tmp_path, TRUE, ERRATUM)
    (tmp_path / "dist" / "tiny-2026.10.0").rename(tmp_path / "old")
    (tmp_path / "manifests" / "tiny").mkdir(parents=True)
    for version in ("2026.10.0", "2026.11.0"):
        (tmp_path / "manifests" / "tiny" / f"{version}.yaml").touch()
    assert run(["errata"]) == 1
    captured = capsys.readouterr()
    assert "tiny-2026.10.0 is not checked: there is no lock of tiny-2026.10.0 in dist" in captured.out
    assert "0 findings, and 1 statement that could not be checked" in captured.out
    assert "note: whether tiny-2026.11.0 is affected is not known: there is no lock" in captured.err
    (tmp_path / "reports").mkdir()
    (tmp_path / "old").rename(tmp_path / "reports" / "tiny-2026.10.0")
    assert run(["errata"]) == 0


def test_a_lock_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_repository(tmp_path, TRUE, ERRATUM)
    (tmp_path / "dist" / "tiny-2026.10.1" / "lock" / "pixi.lock").write_text("{", encoding="utf-8")
    (tmp_path / "dist" / "tiny-2026.13.1").mkdir()
    (tmp_path / "dist" / "notes.txt").touch()
    assert run(["errata"]) == 1
    assert "tiny-2026.10.1 is not checked: " in capsys.readouterr().out


def test_problems_of_all_files_are_shown_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    second = ERRATUM.replace("tiny-2026-1", "tiny-2026-2").replace("severity: high", "severity: urgent")
    folder = write_repository(tmp_path, TRUE, ERRATUM.replace("date: 2026-11-27", "date: soon"), second)
    (folder / "publisher.yaml").write_text("name: Example Labs\n", encoding="utf-8")
    assert run(["errata"]) == 2
    said = capsys.readouterr().err
    assert 'errata/tiny-2026-1.yaml:5:7: "soon" is not a date' in said
    assert 'errata/tiny-2026-2.yaml:4:11: "urgent" is not a severity' in said
    assert 'errata/publisher.yaml:1:1: the publisher\'s file lacks the key "url"' in said


def test_a_folder_that_is_not_there_or_has_no_publisher(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["errata"]) == 2
    assert "There is no folder of errata at errata" in capsys.readouterr().err
    (tmp_path / "errata").mkdir()
    assert run(["errata"]) == 2
    assert "There is no errata/publisher.yaml" in capsys.readouterr().err


def test_a_folder_without_errata_has_an_empty_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_repository(tmp_path, {})
    assert run(["errata", "--output", "site"]) == 0
    assert "0 errata checked against 0 releases" in capsys.readouterr().out
    assert json.loads((tmp_path / "site" / "errata.json").read_text(encoding="utf-8"))["distributions"] == {}


def test_release_notes_begin_with_what_is_fixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_repository(tmp_path, TRUE, ERRATUM)
    before, after = (f"dist/tiny-{version}" for version in TRUE)
    assert run(["diff", before, after, "--markdown", "--errata", "errata"]) == 0
    notes = capsys.readouterr().out
    assert notes.startswith(
        "## Errata that tiny-2026.10.1 fixes\n\n- **tiny-2026-1** (high, CVE-2026-12345), `zlab`:"
    )
    assert "Entities in zlab \\<b\\>are read twice\\</b\\>" in notes
    assert "\n## Changes from tiny-2026.10.0 to tiny-2026.10.1\n" in notes
    assert run(["diff", after, before, "--markdown", "--errata", "errata"]) == 0
    assert capsys.readouterr().out.startswith("## Changes from tiny-2026.10.1 to tiny-2026.10.0")
    assert run(["diff", before, after, "--errata", "errata"]) == 2
    assert "--errata is for --markdown" in capsys.readouterr().err


def test_our_own_errata_are_valid() -> None:
    """Whether they are true of the starter's locks, tests/starter knows."""
    found = read_errata(ROOT / "errata")
    assert [item.number for item in found.errata] == ["starter-2026-1", "starter-2026-2"]

"""The tables of the reference say what the code says."""

import inspect
import re
from dataclasses import fields
from pathlib import Path

from cuvee import errors
from cuvee.cli.main import cli
from cuvee.errors import CuveeError
from cuvee.graph.checks import ALL_CHECKS, TEST_CHECKS
from cuvee.graph.findings import Verdict
from cuvee.image import model as image
from cuvee.integration.outcomes import OutcomeState
from cuvee.manifest.model import Track
from cuvee.release.artefacts import Artefact
from cuvee.release.pipeline import STAGES
from cuvee.release.record import OUTCOME_VERDICTS, Release, StageResult
from cuvee.release.workspace import Workspace
from cuvee.report import csv_tables
from cuvee.report.badges import CHANGES, STATES
from cuvee.runtime import failure
from docs_text import blocks, code_in, inline_code, table, unmarked


def test_checks_are_those_of_the_code(docs: Path) -> None:
    rows = table(docs / "reference" / "checks.md", "Check")
    shown = [(unmarked(row[0]), row[1], row[2], code_in(row[3]), *row[4:]) for row in rows]
    assert shown == [
        (
            check.identifier,
            check.family,
            check.title,
            set(check.prerequisites),
            *(check.severity.on(track).value for track in Track),
        )
        for check in (*ALL_CHECKS, *TEST_CHECKS)
    ]


def test_each_check_is_explained(docs: Path) -> None:
    text = (docs / "reference" / "checks.md").read_text(encoding="utf-8")
    assert re.findall(r"^### ([a-z-]+)\n\n\w", text, re.MULTILINE) == [
        check.identifier for check in (*ALL_CHECKS, *TEST_CHECKS)
    ]


def test_verdicts_are_those_of_the_code(docs: Path) -> None:
    rows = table(docs / "reference" / "verdicts.md", "Verdict")
    assert [(unmarked(row[0]), row[1], row[2]) for row in rows] == [
        (verdict.value, verdict.must_act, str(verdict.exit_code)) for verdict in Verdict
    ]


def test_states_are_those_of_the_code(docs: Path) -> None:
    rows = table(docs / "reference" / "verdicts.md", "State")
    assert [(unmarked(row[0]), row[1], row[2], unmarked(row[3])) for row in rows] == [
        (state.value, STATES[state].meaning, "yes" if state.blocks else "no", OUTCOME_VERDICTS[state].value)
        for state in OutcomeState
    ]


def test_kinds_of_change_are_those_of_the_code(docs: Path) -> None:
    rows = table(docs / "reference" / "verdicts.md", "Change")
    assert {(unmarked(row[0]), row[1]) for row in rows} == {
        (kind.value, badge.meaning) for kind, badge in CHANGES.items()
    }


def test_exit_codes_are_those_of_the_errors(docs: Path) -> None:
    rows = table(docs / "reference" / "exit-codes.md", "Code")
    shown = {name: int(row[0]) for row in rows for name in code_in(row[2])}
    assert shown == _error_codes()
    assert [int(row[0]) for row in rows] == sorted({0, 130, *shown.values()})


def test_the_readme_lists_the_exit_codes_of_the_help(root: Path) -> None:
    paragraphs = (" ".join(part.split()) for part in inspect.cleandoc(cli.help or "").split("\n\n"))
    listed = next(part for part in paragraphs if part.startswith("Exit codes:"))
    codes = set(_error_codes().values())
    assert {int(code) for code in re.findall(r"\d+", listed)} == codes | {0, 130}
    assert listed in " ".join((root / "README.md").read_text(encoding="utf-8").split())


def test_exit_codes_of_the_installer_are_those_of_its_source(root: Path, docs: Path) -> None:
    text = (docs / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    section = text.partition("## Exit codes of the `.sh` installer")[2]
    shown = {
        int(code)
        for row in re.findall(r"^\| ([\d, ]+) \|", section, re.MULTILINE)
        for code in row.split(", ")
    }
    parts = (root / "src/cuvee/installers/header").iterdir()
    header = "".join(part.read_text(encoding="utf-8") for part in parts)
    in_shell = {int(code) for code in re.findall(r"\b(?:fail|exit) (\d+)", header)}
    in_runtime = {value for name, value in vars(failure).items() if name.isupper() and isinstance(value, int)}
    assert {*failure.EXIT_CODES} == {0} | in_runtime  # the command on Windows knows all of them
    assert shown == in_shell | {*failure.EXIT_CODES}


def test_the_release_folder_is_described(docs: Path, tmp_path: Path) -> None:
    shown = {unmarked(row[0]) for row in table(docs / "reference" / "release-folder.md", "Path")}
    work = Workspace(tmp_path, tmp_path)
    folders = (work.channel, work.installers, work.image("<platform>"))
    expected = {f"{path.relative_to(tmp_path).as_posix()}/" for path in folders}
    expected |= {path.relative_to(tmp_path).as_posix() for path in (work.lock_file, work.findings_file)}
    expected |= {f"report/{name}" for name in re.findall(r'"(\w+\.csv)"', inspect.getsource(csv_tables))}
    expected |= {f"results/<platform>/{name}" for name in ("outcomes.json", "junit.xml")}
    assert shown >= expected


def test_the_record_of_a_release_is_described(docs: Path) -> None:
    page = docs / "reference" / "release-json.md"
    for heading, kind, extra in (
        ("Member", Release, {"release"}),
        ("Member of a stage", StageResult, set()),
        ("Member of an artefact", Artefact, set()),
    ):
        shown = {unmarked(row[0]) for row in table(page, heading)}
        written = {item.name for item in fields(kind) if not item.metadata.get("local")}
        assert shown == written | extra, heading


def test_the_image_is_described(docs: Path) -> None:
    shown = {unmarked(row[0]) for row in table(docs / "reference" / "release-folder.md", "File")}
    assert shown == {"image.json", image.STAGE0, image.MANIFEST, image.PAYLOAD}


def test_our_environment_variables_are_described(root: Path, docs: Path) -> None:
    files = [
        *(root / "src").rglob("*.py"),
        *(root / "script").iterdir(),
        root / "tests" / "starter_release.py",
        root / "tests" / "picture_folder.py",
        root / "tests" / "installers" / "windows" / "test_large.py",
    ]
    ours = re.compile(r'(?:environ(?:\.get\(|\[)"|envvar="|\$\{)(CUVEE_\w+)')
    in_code = {name for path in files for name in ours.findall(path.read_text(encoding="utf-8"))}
    shown = {
        name
        for name in inline_code(docs / "reference" / "environment-variables.md")
        if name.startswith("CUVEE_")
    }
    assert shown == in_code


def _error_codes() -> dict[str, int]:
    return {
        name: kind.exit_code
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, CuveeError) and kind is not CuveeError
    }


def test_the_flow_has_the_stages_of_the_pipeline(docs: Path) -> None:
    page = docs / "explanation" / "flow.md"
    assert tuple(unmarked(row[0]) for row in table(page, "Stage")) == STAGES
    drawn = next(block.text for block in blocks(page))
    assert drawn.split(" ─▶ ") == ["manifest", *STAGES[:-1], f"{STAGES[-1]}\n"]

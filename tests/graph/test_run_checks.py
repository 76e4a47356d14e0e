"""Checks that break, are chosen, or are graded otherwise."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from checked_sets import asked, lock_of, manifest_of, only, package, results
from cuvee.cli.main import run
from cuvee.errors import IntegrityError, UsageError
from cuvee.graph.checks import ALL_CHECKS, TEST_CHECKS, Check, Severity, Status, left_out, run_checks
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph, build_graph
from cuvee.manifest.known_checks import CHECKS
from cuvee.manifest.model import Policy, Support, Track
from cuvee.manifest.schema import SEVERITIES


class Breaking(Check):
    """Breaks at a record whose size is not what it expects, as a check that trusts too much would."""

    identifier = "breaking"
    family = "test"
    severity = Severity(edge=Verdict.INFO, stable=Verdict.INFO, lts=Verdict.INFO)

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        if self.error is not None:
            raise self.error
        for graph in release.platforms:
            for item in graph.lock.packages:
                assert item.size == 0, f"size {item.size}"
        return ()


def broken(check: Check) -> Finding:
    graph = build_graph(
        manifest_of(asked("b")), lock_of(package("a"), package("b", size=7), package("c", size=-1))
    )
    first, *others = run_checks(graph, [check, *ALL_CHECKS])
    assert first.status is Status.FAIL
    assert {result.identifier for result in others} == {check.identifier for check in ALL_CHECKS}
    return only(first)


def test_a_check_that_breaks_names_the_records_and_stops_no_other() -> None:
    finding = broken(Breaking())
    assert finding.cause == "The check breaking could not be finished at b-1.0-0, c-1.0-0"
    assert finding.victims == ("b-1.0-0@linux-64", "c-1.0-0@linux-64")
    assert finding.owners == ("core",)
    assert finding.evidence[0].startswith("AssertionError: size 7")
    assert finding.verdict is Verdict.BLOCKED


def test_an_error_of_ours_keeps_its_words_and_its_next_step() -> None:
    finding = broken(Breaking(IntegrityError("a-1.0-0.conda is no archive", hint="Fetch it again.")))
    assert finding.evidence == ("a-1.0-0.conda is no archive",)
    assert finding.action == "Fetch it again."


def test_a_manifest_may_grade_a_check_otherwise() -> None:
    lock = lock_of(package("a"), package("a", "2.0", platform="win-64"))
    for severity in SEVERITIES:
        manifest = manifest_of(policy=Policy(checks={"parity": severity}))
        result = results(lock, manifest)["parity"]
        assert only(result).verdict is Verdict(severity)
        assert result.status is (Status.FAIL if Verdict(severity).exit_code else Status.PASS)


def test_what_is_only_told_stays_told() -> None:
    lock = lock_of(package("a"), package("b"), package("b", platform="win-64"))
    manifest = manifest_of(policy=Policy(checks={"parity": "blocked"}), support=Support(track=Track.LTS))
    assert only(results(lock, manifest)["parity"]).verdict is Verdict.INFO


def test_every_check_has_a_severity_that_lasts_or_grows_with_support() -> None:
    for check in ALL_CHECKS:
        grades = [check.severity.on(track) for track in Track]
        assert grades == sorted(grades), check.identifier
        assert check.severity.on(None) is check.severity.stable


def test_only_takes_what_a_check_needs_and_skip_leaves_one_out() -> None:
    names = {check.identifier for check in ALL_CHECKS}
    assert names - left_out(ALL_CHECKS, only=["closure"], skip=[]) == {"duplicates", "metadata", "closure"}
    assert left_out(ALL_CHECKS, only=[], skip=["parity"]) == {"parity"}
    assert left_out(ALL_CHECKS, only=[], skip=[]) == frozenset()
    graph = build_graph(manifest_of(), lock_of(package("a", depends=("gone",)), package("a")))
    found = {item.identifier: item for item in run_checks(graph, ALL_CHECKS, left_out={"duplicates"})}
    assert found["duplicates"].reason == "excluded by the selection of checks"
    assert found["closure"].status is Status.FAIL


def test_a_check_that_does_not_exist_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError) as caught:
        left_out(ALL_CHECKS, only=["licences"], skip=[])
    assert caught.value.hint == "Did you mean licenses?"


def test_a_manifest_can_name_every_check_and_no_other() -> None:
    assert [check.identifier for check in (*ALL_CHECKS, *TEST_CHECKS)] == list(CHECKS)


def test_the_list_needs_no_manifest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--list"]) == 0
    text = capsys.readouterr().out
    checks = (*ALL_CHECKS, *TEST_CHECKS)
    assert all(f"  {check.identifier}: {check.title}\n" in text for check in checks)
    assert run(["check", "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [item["identifier"] for item in listed] == [check.identifier for check in checks]
    assert listed[0] == {
        "identifier": "duplicates",
        "family": "graph",
        "title": "Each name is in the set once per platform.",
        "prerequisites": [],
        "severity": {"edge": "blocked", "stable": "blocked", "lts": "blocked"},
        "documentation": "docs/reference/checks.md#duplicates",
    }
    assert run(["check"]) == 2
    assert "cuvee check --list" in capsys.readouterr().err


def test_where_a_check_is_documented_is_there() -> None:
    root = Path(__file__).parents[2]
    from cuvee.graph.checks import documentation

    for check in ALL_CHECKS:
        page, _, anchor = documentation(check).partition("#")
        assert f"\n### {anchor}\n" in (root / page).read_text(encoding="utf-8")

"""What each check of archives says, word for word, and what it does not mind.

After a change that is meant, write the answers anew and read the difference:

    CUVEE_REGENERATE=1 pytest tests/graph/test_archive_checks.py
"""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

import archive_scenarios_binaries as binaries
import archive_scenarios_files as files
from archive_contents import PYTHON, A, B, C, Known, archive, checked, elf, file, graph_of, told
from checked_sets import asked, lock_of, manifest_of, waiver
from cuvee.channel.inspection.model import UnreadableArchive
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.graph.checks import ARCHIVE_CHECKS, Check, Status, run_checks
from cuvee.graph.checks.archive_integrity import TimestampsCheck
from cuvee.graph.checks.file_clashes import FileClashesCheck
from cuvee.graph.checks.file_names import TYPICAL_PREFIX, LinkScriptsCheck
from cuvee.graph.checks.shared_libraries import LibrariesCheck
from cuvee.graph.checks.system_floor import SystemFloorCheck
from cuvee.graph.findings import Verdict
from cuvee.graph.release_graph import ReleaseGraph, build_graph
from cuvee.lock.model import Lock
from golden import same_as

ANSWERS = Path(__file__).parent / "archive_findings"
MANIFEST = manifest_of(
    asked("a"), asked("b", owner=None), exclude_newer=dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
)

SCENARIOS = files.SCENARIOS | binaries.SCENARIOS


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_it_says(name: str) -> None:
    check, known = SCENARIOS[name]
    today = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    result = checked(check, known, MANIFEST, today=today)
    same_as(ANSWERS / f"{name}.txt", told(result.findings))
    for finding in result.findings:
        assert finding.action
        assert finding.owners == (("core",) if "a" in finding.packages else ())


def test_every_check_has_a_scenario() -> None:
    shown = {check.identifier for check, _ in SCENARIOS.values()}
    assert shown == {check.identifier for check in (*ARCHIVE_CHECKS, TimestampsCheck())}


@pytest.mark.parametrize("check", ARCHIVE_CHECKS, ids=lambda check: check.identifier)
def test_a_good_package_passes(check: Check) -> None:
    good = archive(
        PYTHON, "bin/python3.11", binaries=[elf("lib/libp.so", "libc.so.6", search_paths=("$ORIGIN",))]
    )
    assert checked(check, {PYTHON: good}).findings == ()


@pytest.mark.parametrize("check", ARCHIVE_CHECKS, ids=lambda check: check.identifier)
def test_without_archives_a_check_says_why_it_says_nothing(check: Check) -> None:
    closed = build_graph(MANIFEST, _lock_of(A))
    (result,) = run_checks(closed, [check])
    assert result.status is Status.SKIPPED
    assert result.reason == "the archives were not opened"
    finding = result.findings[-1]
    assert (finding.kind, finding.cause) == ("not-run", "Not checked: the archives were not opened")
    assert "--archives" in finding.action
    assert finding.platforms == ("linux-64",)
    assert finding.verdict is min(Verdict.NEEDS_APPROVAL, check.severity.on(None))


def test_an_unreadable_archive_stops_what_needs_all_of_them_and_nothing_else() -> None:
    known: Known = {A: UnreadableArchive(reason="cut short"), B: archive(B, "bin/x"), C: archive(C, "bin/x")}
    found = {result.identifier: result for result in run_checks(_graph(known), ARCHIVE_CHECKS)}
    assert found["archives"].status is Status.FAIL
    assert [item.packages for item in found["file-clashes"].findings] == [("b", "c")]
    assert found["libraries"].status is found["symbol-versions"].status is Status.SKIPPED


def test_a_waiver_covers_its_own_package_alone() -> None:
    asks = {item: archive(item, binaries=[elf(f"lib/{item.name}.so", "libgone.so")]) for item in (A, B)}
    manifest = replace(MANIFEST, waivers=(waiver("libraries", package="b"),))
    findings = checked(LibrariesCheck(), asks, manifest).findings
    assert [(item.packages, item.verdict) for item in findings] == [
        (("a",), Verdict.BLOCKED),
        (("b",), Verdict.WAIVED),
    ]
    (together,) = checked(LibrariesCheck(), asks, MANIFEST).findings
    assert together.packages == ("a", "b")


def test_a_driver_is_not_worth_a_word_where_the_floor_promises_it() -> None:
    asks = archive(A, binaries=[elf("lib/a.so", "libcuda.so.1")])
    assert [item.kind for item in checked(LibrariesCheck(), {A: asks}).findings] == ["driver"]
    with_cuda = _graph({A: asks}, cuda=True)
    (result,) = run_checks(with_cuda, [LibrariesCheck()])
    assert result.findings == ()


def test_the_floor_is_told_from_metadata_alone() -> None:
    lock = _lock_of(replace(A, depends=("__glibc >=2.17",)))
    (result,) = run_checks(build_graph(MANIFEST, lock), [SystemFloorCheck()])
    finding, not_run = result.findings
    assert (finding.verdict, not_run.verdict) == (Verdict.INFO, Verdict.NEEDS_APPROVAL)
    assert finding.evidence[-1] == "from metadata only: the archives were not opened"


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("__glibc >=2.17", "glibc 2.17"),
        ("__glibc >=2.17,<3.0.a0", "glibc 2.17"),
        ("__glibc 2.17.*", "glibc 2.17"),
        ("__glibc ==2.5", "glibc 2.5"),
        ("__glibc[version='>=2.34']", "glibc 2.34"),
        ("__archspec 1 x86_64_v3", "an x86-64 processor of level 3"),
        ("__cuda", "CUDA any"),
    ],
)
def test_how_a_dependency_states_the_least(spec: str, text: str) -> None:
    (result,) = run_checks(build_graph(MANIFEST, _lock_of(replace(A, depends=(spec,)))), [SystemFloorCheck()])
    assert result.findings[0].cause.split("; ")[0] == f"linux-64 needs {text}"


def test_the_page_says_what_prefix_is_assumed() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "checks.md"
    assert f"prefix has {TYPICAL_PREFIX} characters" in page.read_text(encoding="utf-8")


def _lock_of(item: LockedPackage) -> Lock:
    return _graph({item: archive(item)}).lock


def _graph(known: Known, *, cuda: bool = False) -> ReleaseGraph:
    graph = graph_of(known, MANIFEST)
    if not cuda:
        return graph
    offered = (*graph.platforms[0].lock.virtual_packages, VirtualPackage(name="__cuda", version="12"))
    platform = replace(graph.platforms[0], lock=replace(graph.platforms[0].lock, virtual_packages=offered))
    return replace(graph, platforms=(platform,))


def test_a_waiver_of_one_packages_time_or_floor_covers_no_other() -> None:
    old = replace(A, timestamp=315532800000), replace(B, timestamp=315532800000)
    manifest = replace(
        MANIFEST, waivers=(waiver("timestamps", package="b"), waiver("system-floor", package="b"))
    )
    lock = lock_of(*old)
    (result,) = run_checks(build_graph(manifest, lock), [TimestampsCheck()])
    assert [item.packages for item in result.findings] == [("a",), ("b",)]
    needs = {
        item: archive(item, binaries=[elf(f"lib/{item.name}.so", wants=("libc.so.6 GLIBC_2.38",))])
        for item in (A, B)
    }
    findings = checked(SystemFloorCheck(), needs, manifest).findings
    assert [(item.packages, item.verdict) for item in findings] == [
        (("a",), Verdict.BLOCKED),
        (("b",), Verdict.WAIVED),
    ]


def test_the_winner_of_a_path_is_the_one_that_depends_on_the_other() -> None:
    def winner(*records: LockedPackage) -> str:
        known = {item: archive(item, file("x", item.name)) for item in records}
        (finding,) = checked(FileClashesCheck(), known).findings
        return finding.evidence[0]

    assert winner(replace(A, depends=("b",)), B) == "x on linux-64: that of a wins"
    assert winner(A, replace(B, depends=("a",))) == "x on linux-64: that of b wins"
    # A record that can not be read has no place in the order; the check still runs.
    assert winner(A, replace(B, version="!")) == "x on linux-64: that of a wins"


@pytest.mark.parametrize(("engine", "said"), [("cuvee", "never run"), ("constructor", "installers run")])
def test_who_runs_link_scripts_depends_on_what_makes_the_installers(engine: str, said: str) -> None:
    manifest = replace(MANIFEST, installers=replace(MANIFEST.installers, engine=engine))
    known: Known = {A: archive(A, "bin/.a-post-link.sh")}
    (found,) = checked(LinkScriptsCheck(), known, manifest).findings
    assert said in found.cause
    assert found.verdict is Verdict.WARNING


def test_a_waiver_accepts_a_link_script_that_somebody_has_read() -> None:
    manifest = replace(MANIFEST, waivers=(waiver("link-scripts", package="a"),))
    known: Known = {A: archive(A, "bin/.a-post-link.sh"), B: archive(B, "bin/.b-post-link.sh")}
    found = checked(LinkScriptsCheck(), known, manifest).findings
    assert {item.packages: item.verdict for item in found} == {
        ("a",): Verdict.WAIVED,
        ("b",): Verdict.WARNING,
    }

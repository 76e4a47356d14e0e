"""What findings block is not built, and everything says so; with ``keep_going`` it is built all the same."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from changed_release import page_of
from checked_sets import lock_of, manifest_of, package
from cuvee.cli.render import print_artefacts, print_runs
from cuvee.errors import IntegrityError, StorageError
from cuvee.graph.checks import CheckOutcome, Status
from cuvee.graph.findings import Finding, Verdict
from cuvee.integration.outcomes import OutcomeState
from cuvee.lock.model import PlatformLock
from cuvee.manifest.model import Installers
from cuvee.progress import SILENT
from cuvee.release import platform_stages
from cuvee.release.platform_stages import make_platforms, why_blocked
from cuvee.release.record import (
    ChannelResult,
    CheckResult,
    InstallerResult,
    LockResult,
    Release,
    judge,
)
from cuvee.release.session import Options, Session
from cuvee.report.html import render
from cuvee.report.page_pictures import pictures
from cuvee.report.summary import summary_lines
from tiny_distribution import Distribution

WHY = "findings must be fixed or waived first: licenses (2), parity"
MANIFEST = manifest_of(installers=Installers(formats={"linux": ("sh",), "win": ()}), suites=("smoke",))
LOCK = lock_of(package("python", "3.12.1"), package("python", "3.12.1", platform="win-64"))
NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def checked(*findings: tuple[str, Verdict], folder: Path) -> Release:
    outcomes = tuple(
        CheckOutcome(
            identifier=name,
            title=name,
            status=Status.FAIL,
            findings=(Finding(check=name, verdict=verdict, cause=f"cause {number}"),),
        )
        for number, (name, verdict) in enumerate(findings)
    )
    release = Release(
        manifest=MANIFEST,
        channel=ChannelResult(),
        locked=LockResult(lock=LOCK),
        checked=CheckResult(outcomes=outcomes),
        made_at=NOW,
        folder=folder,
    )
    return replace(release, verdict=judge(release))


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    def no_archives(*_: object) -> None:
        raise IntegrityError("python-3.12.1 is damaged")

    monkeypatch.setattr(Session, "archives", no_archives)
    return Session(MANIFEST, Options(dist=tmp_path / "dist", cache=tmp_path / "cache", now=NOW), SILENT)


BLOCKING = (("licenses", Verdict.BLOCKED), ("licenses", Verdict.BLOCKED), ("parity", Verdict.NEEDS_APPROVAL))


def test_the_reason_names_the_checks(tmp_path: Path) -> None:
    assert why_blocked(checked(*BLOCKING, ("age", Verdict.WARNING), folder=tmp_path)) == WHY
    assert why_blocked(checked(("age", Verdict.WARNING), folder=tmp_path)) == ""
    approval = checked(("parity", Verdict.NEEDS_APPROVAL), folder=tmp_path)
    assert why_blocked(approval) == "findings must be approved or waived first: parity"


def test_what_was_not_run_says_because_of_what(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    release = make_platforms(session, checked(*BLOCKING, folder=session.workspace.folder))
    assert [run.not_run for run in release.runs] == [WHY, WHY]
    assert {outcome.state for outcome in release.outcomes} == {OutcomeState.NOT_RUN}
    assert {item.name: item.not_made and item.not_made.reason for item in release.handed_out} == {
        "Tiny-2026.11.0-Linux-x86_64.sh": WHY,
        "win-64/payload.bin": WHY,
    }
    lines = summary_lines(page_of(release))
    assert f"note: linux-64, win-64 were not tested: {WHY}" in lines
    assert any("2 of 2 artefacts were not made, since findings block the release" in line for line in lines)
    page = render(page_of(release), pictures(release, release.graph))
    assert page.count(WHY) >= 5
    print_runs(release.runs)
    print_artefacts(release.handed_out, release.folder)
    shown = capsys.readouterr().out
    assert f"linux-64: 0 run, 0 passed, 5 not run: {WHY}" in shown
    assert f"not made: Tiny-2026.11.0-Linux-x86_64.sh: {WHY}. Or build and test it all the same" in shown


def test_the_record_says_it_too(session: Session) -> None:
    release = make_platforms(session, checked(*BLOCKING, folder=session.workspace.folder))
    release.save()
    assert Release.open(session.workspace.folder).runs == release.runs
    assert WHY in (session.workspace.folder / "release.json").read_text(encoding="utf-8")


def keep_going(session: Session, monkeypatch: pytest.MonkeyPatch, error: Exception) -> Release:
    """Go on with a release whose win-64 cannot be built."""

    def built(session: Session, release: Release, lock: PlatformLock) -> Release:
        if lock.platform == "win-64":
            raise error
        return replace(release, installers=(InstallerResult(platform=lock.platform),))

    monkeypatch.setattr(platform_stages, "_built", built)
    monkeypatch.setattr(platform_stages, "_tested", lambda _session, release, _locks: release)
    session.options = replace(session.options, keep_going=True)
    return make_platforms(session, checked(*BLOCKING, folder=session.workspace.folder))


def test_a_platform_that_cannot_be_built_costs_only_itself(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = keep_going(session, monkeypatch, IntegrityError("numpy is damaged", hint="Fetch it again."))
    assert release.failed == ("win-64",)
    assert judge(replace(release, checked=None)) is Verdict.BLOCKED
    (run,) = release.runs
    assert run.not_run == "it could not be built: numpy is damaged"
    lines = summary_lines(page_of(replace(release, checked=None, verdict=judge(release))))
    assert "Blocked by 1. 1 platform must be fixed" in lines[0]
    assert "  Find out why win-64 could not be built." in lines


def test_a_full_disk_ends_the_run(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageError):
        keep_going(session, monkeypatch, StorageError("no space"))


@pytest.mark.real
def test_findings_block_the_build_and_keep_going_does_not(
    copied: Callable[[], Distribution], tiny_text: str, host_platform: str
) -> None:
    distribution = copied()
    policy = f"policy: {{licenses: {{deny: [MPL-2.0]}}, platforms: {{{host_platform}: [smoke]}}}}\n"
    path = distribution.write(tiny_text + policy)
    blocked = distribution.cut(path)
    assert blocked.verdict is Verdict.BLOCKED
    assert (blocked.images, blocked.tested) == ((), ())
    assert {run.not_run for run in blocked.runs} == {"findings must be fixed or waived first: licenses"}
    assert any(outcome.test == "import:tqdm" for outcome in blocked.outcomes)
    assert Release.open(blocked.folder).runs == blocked.runs
    built = distribution.cut(path, keep_going=True)
    assert built.verdict is Verdict.BLOCKED
    runs = {run.platform: run for run in built.runs}
    states = {outcome.test: outcome.state for outcome in runs[host_platform].outcomes}
    assert states["import:tqdm"] is OutcomeState.PASS
    assert all(item.not_made is None for item in built.handed_out)

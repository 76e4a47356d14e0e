"""``cuvee governance``: who decides, and what was decided in each release."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from approving import NOON, approval, approver, policy
from checked_sets import asked, lock_of, manifest_of, package, waiver
from cuvee.approvals.approval_files import approved_subjects
from cuvee.cli.main import run
from cuvee.codec import encode_object
from cuvee.graph.findings import Verdict
from cuvee.history.history_file import HistoryFile
from cuvee.history.model import HistoryRun
from cuvee.inclusion.decisions import Handover, LeavingPackage, decisions
from cuvee.inclusion.governance_formats import quorum_lines
from cuvee.manifest.model import Deprecation, Policy, ReleaseVersion
from cuvee.release.record import ChannelResult, CheckResult, LockResult, Release, judge

FIRST = """\
manifest: 1
distribution: tiny
version: "2026.11.0"
title: Tiny
platforms: {linux-64: {}}
packages:
  python: {version: "*", owner: core}
  numpy: {version: "*", owner: core}
  left: "*"
owners:
  core: {contact: core@example.org, organisation: Example, people: [Ada, Eve], accepts: {python: 2026-11-01}}
  art: {contact: "#art"}
waivers:
  - {check: licenses, package: left, reason: "agreed | <b>", author: Ada, expires: 2026-11-02}
"""
SECOND = """\
manifest: 1
distribution: tiny
version: "2026.12.0"
based-on: "2026.11.0"
packages:
  numpy: {owner: art}
  left: {deprecated: {reason: no releases, instead: right, removed-in: "2027.1.0"}}
  new: "*"
waivers: []
policy: {patch: {allow: [upgrade]}}
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    folder = tmp_path / "manifests" / "tiny"
    folder.mkdir(parents=True)
    (folder / "2026.11.0.yaml").write_text(FIRST)
    (folder / "2026.12.0.yaml").write_text(SECOND)
    (folder / "2027.1.0.yaml").write_text(SECOND.replace("2026.12.0", "2027.1.0"))
    return folder / "2026.12.0.yaml"


def data(manifest: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    capsys.readouterr()
    assert (
        run(["governance", str(manifest), "--dist", str(manifest.parents[2] / "dist"), "--json", *more]) == 0
    )
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_who_decides_and_what_was_decided(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = data(manifest, capsys)
    assert found["organisations"] == ["Example"]
    assert {owner["name"]: owner["packages"] for owner in found["owners"]} == {
        "art": ["numpy"],
        "core": ["python"],
    }
    assert found["unowned"] == ["left", "new"]
    assert [item["release"] for item in found["releases"]] == ["tiny-2026.12.0", "tiny-2026.11.0"], (
        "not later ones"
    )
    second, first = found["releases"]
    assert second["compared_with"] == "tiny-2026.11.0"
    assert second["added"] == ["new"]
    assert second["handovers"] == [{"package": "numpy", "before": "core", "after": "art"}]
    assert second["deprecated"][0]["removed_in"] == "2027.1.0"
    assert second["policy"] == ["patch"]
    assert first["added"] == ["left", "numpy", "python"]
    assert [item["reason"] for item in first["waivers"]] == ["agreed | <b>"], "it had not expired then"
    assert first["problem"] == "There is no record of it"


def test_a_page_and_markdown(manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["governance", str(manifest)]) == 0
    text = capsys.readouterr().out
    assert "| core | Example | Ada, Eve | core\\@example.org | `python` | 1 of 1 |" in text
    assert "- **Deprecated:** left, leaves in 2027.1.0: no releases; use right" in text
    assert "- **Waived:** licenses for left, by Ada, until 2026-11-02: agreed | \\<b\\>" in text
    assert run(["governance", str(manifest), "--html", "-o", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text()
    assert "How Tiny is decided" in page
    assert "<b>" not in page
    assert "The manifest states no quorum" in page


def test_verdicts_are_of_the_history_where_there_is_no_record(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with HistoryFile.open(tmp_path / "history.sqlite") as history:
        for day, verdict in ((1, Verdict.BLOCKED), (2, Verdict.WARNING)):
            history.add(
                HistoryRun(
                    distribution="tiny", version=ReleaseVersion(2026, 11, 0), base="", verdict=verdict,
                    made_at=dt.datetime(2026, 11, day, tzinfo=dt.UTC), inputs=str(day), released=True,
                )
            )  # fmt: skip
    _, first = data(manifest, capsys, "--history", str(tmp_path / "history.sqlite"))["releases"]
    assert (first["verdict"], first["made_at"][:10]) == ("warning", "2026-11-02")


def test_a_manifest_with_problems_is_told_and_hides_no_other(
    manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (manifest.parent / "2026.10.0.yaml").write_text("manifest: 1\n")
    releases = data(manifest, capsys)["releases"]
    assert [item["release"] for item in releases][-1] == "tiny-2026.10.0"
    assert "problems in" in releases[-1]["problem"]


def test_approvals_beside_a_release_are_as_on_the_day_of_the_last_one(
    manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    until = NOON.date()  # today her key has expired
    people = (approver("ada", until=until), approver("eve", "labs"), approver("kim"))
    terms = replace(manifest_of().policy, approvals=policy(*people, organisations=2))
    recorded = replace(manifest_of(distribution="tiny"), policy=terms)
    folder = manifest.parents[2] / "dist" / "tiny-2026.11.0"
    release = Release(
        manifest=recorded,
        channel=ChannelResult(),
        locked=LockResult(lock=lock_of(package("a"))),
        checked=CheckResult(),
        made_at=NOON,
        folder=folder,
    )
    folder.mkdir(parents=True)
    replace(release, verdict=judge(release)).save()
    (folder / "SHA256SUMS").write_text(f"{'a' * 64}  lock/pixi.lock\n")
    subjects = approved_subjects(folder, encode_object(recorded))
    approvals = folder / "approvals"
    approvals.mkdir()

    def told() -> list[str]:
        first = data(manifest, capsys)["releases"][-1]
        assert not first["problem"], first["problem"]
        return list(first["approvals"])

    assert "missing: 2 more people, 2 more organisations" in told()
    for handle in ("ada", "eve"):
        name, content = approval(handle, release="tiny-2026.11.0", subjects=subjects)
        (approvals / name).write_bytes(content)
    assert told() == ["approved by Ada (acme), Eve (labs)"]
    (approvals / "other.json").write_bytes(
        approval("kim", release="tiny-2026.11.0", subjects={**subjects, "x": "b" * 64})[1]
    )
    assert "other.json does not count: it approves other bytes: x was approved and is gone" in told()
    assert run(["governance", str(manifest), "--dist", str(folder.parent)]) == 0
    assert "- **Approval:** approved by Ada (acme), Eve (labs)" in capsys.readouterr().out


def test_what_a_release_decides_by_itself() -> None:
    gone = Deprecation(reason="slow", removed_in=ReleaseVersion(2027, 1, 0))
    before = manifest_of(asked("a"), asked("b"), waivers=(waiver("parity"),))
    after = manifest_of(
        asked("a", owner=None, deprecated=gone), asked("c"), version="2026.12.0",
        waivers=(waiver("parity"), waiver("age")), policy=Policy(patch=()),
    )  # fmt: skip
    found = decisions(after, before)
    assert (found.added, found.removed) == (("c",), ("b",))
    assert found.deprecated == (LeavingPackage(package="a", reason="slow", removed_in="2027.1.0"),)
    assert found.handovers == (Handover(package="a", before="core", after=None),)
    assert [item.check for item in found.waivers] == ["age"], "that of the base was decided there"
    assert found.policy == ("patch",)
    again = decisions(replace(after, version=ReleaseVersion(2027, 1, 0)), after)
    assert not any(
        (again.added, again.removed, again.deprecated, again.handovers, again.waivers, again.policy)
    )


def test_a_quorum_of_any_form_is_shown() -> None:
    value = {"release": {"count": 2, "roles": ["qa", "security"]}, "people": [{"name": "Ada"}], "none": None}
    assert list(quorum_lines(value)) == [
        "release.count: 2", "release.roles: qa, security", "people.1.name: Ada",
    ]  # fmt: skip

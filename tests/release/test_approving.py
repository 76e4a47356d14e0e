"""A release goes out only if enough people have approved exactly its files."""

import datetime as dt
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from approved_release import LATER, NOW, TODAY, approvals, cut
from approving import approver, private_key
from cuvee.approvals.decision_log import LOG, head_of, log_bytes, read_log, revoked_keys, with_entries
from cuvee.cli.main import run
from cuvee.errors import BlockedError, IntegrityError
from cuvee.files import sha256_file, write_bytes, write_text
from cuvee.graph.findings import Verdict
from cuvee.progress import SILENT
from cuvee.release.approving import quorum_lines, require_approvals
from cuvee.release.published_site import publish_site
from cuvee.release.record import Release, judge, release_level
from cuvee.release.site_log import continued_log, next_log
from cuvee.release.sums import SUMS, sums_text
from cuvee.report.page import build_page
from cuvee.report.summary import summary_lines
from cuvee.trust.key_files import PUBLIC_FORM

PASSPHRASE = "four random words here"

WAIVER = f"""
waivers:
  - {{check: unknown-licenses, package: app, reason: ours, author: ada, expires: {LATER}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return cut(tmp_path, approvals(ada_until=LATER))


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with private keys."""
    monkeypatch.setenv("CUVEE_KEY_PASSPHRASE", PASSPHRASE)
    for handle in ("ada", "bo", "cy", "mallory"):
        path = tmp_path / f"{handle}.pem"
        path.touch(0o600)
        encryption = BestAvailableEncryption(PASSPHRASE.encode())
        path.write_bytes(private_key(handle).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return tmp_path


def sign(folder: Path, keys: Path, handle: str) -> int:
    return run(["approve", str(folder), "--key", str(keys / f"{handle}.pem"), "--yes"])


def test_a_release_waits_until_enough_have_approved(
    folder: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release = Release.open(folder)
    assert (release.verdict, release.exit_code) == (Verdict.NEEDS_APPROVAL, 1)
    with pytest.raises(BlockedError, match="missing: 2 more people, 2 more organisations"):
        require_approvals(folder)
    page = build_page(release, folder / "results")
    assert page.readiness.headline == "Waiting for 2 approvals"
    assert [actor.name for actor in page.readiness.actors] == ["Ada (acme)", "Bo (other)", "Cy (other)"]
    assert sign(folder, keys, "ada") == 1
    out = capsys.readouterr().out
    assert "approved by Ada (acme)" in out
    assert "missing: 1 more person, 1 more organisation" in out
    assert build_page(Release.open(folder), folder / "results").readiness.headline == "Waiting for 1 approval"
    # Approvals are made on machines that never meet: this one was made in a copy.
    elsewhere = keys / "elsewhere" / folder.name
    shutil.copytree(folder, elsewhere, ignore=shutil.ignore_patterns("approvals", ".stages"))
    assert sign(elsewhere, keys, "bo") == 1
    shutil.copy(elsewhere / "approvals" / "bo.json", folder / "approvals")
    assert run(["approve", str(folder), "--json"]) == 0
    capsys.readouterr()
    approved = require_approvals(folder)
    assert approved.exit_code == 0
    assert quorum_lines(approved) == ["approved by Ada (acme), Bo (other)"]
    assert run(["report", str(folder)]) == 0
    assert "approved by Ada (acme), Bo (other)" in capsys.readouterr().out
    assert "PRIVATE" not in (folder / "approvals" / "ada.json").read_text()
    assert sign(folder, keys, "ada") == 0  # a second time


@pytest.mark.parametrize(
    ("name", "exit_code"),
    [("lock/pixi.lock", 5), ("checks/findings.json", 5), ("checks/certificate.json", 5)],
)
def test_a_file_that_changes_afterwards_invalidates_approvals(
    folder: Path, keys: Path, name: str, exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [sign(folder, keys, handle) for handle in ("ada", "bo")] == [1, 0]
    path = folder / name
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(IntegrityError, match=name):
        require_approvals(folder)
    assert sign(folder, keys, "cy") == exit_code
    # With sums that agree, it is the approvals that do not.
    sums = dict(line.split("  ")[::-1] for line in (folder / SUMS).read_text().splitlines())
    write_text(folder / SUMS, sums_text(sums | {name: sha256_file(path)}))
    release = Release.open(folder)
    assert release.verdict is Verdict.NEEDS_APPROVAL
    assert f"ada.json does not count: it approves other bytes: {name} has the SHA-256" in "\n".join(
        quorum_lines(release)
    )
    capsys.readouterr()


def test_the_policy_is_approved_too(folder: Path, keys: Path) -> None:
    assert [sign(folder, keys, handle) for handle in ("ada", "bo")] == [1, 0]
    release = Release.open(folder)
    rules = release.manifest.policy.approvals
    assert rules is not None
    weaker = replace(release.manifest.policy, approvals=replace(rules, count=1, organisations=1))
    changed = replace(release, manifest=replace(release.manifest, policy=weaker), quorums=())
    replace(changed, verdict=judge(changed)).save()
    again = Release.open(folder)
    assert again.verdict is Verdict.NEEDS_APPROVAL
    assert "release.json#manifest.policy has the SHA-256" in "\n".join(quorum_lines(again))


def test_a_verdict_that_was_edited_is_noticed(folder: Path) -> None:
    path = folder / "release.json"
    path.write_text(path.read_text().replace('"verdict": "needs-approval"', '"verdict": "warning"'))
    with pytest.raises(IntegrityError, match="says warning, and what it records is needs-approval"):
        Release.open(folder)


def test_who_is_not_listed_or_has_no_valid_key_cannot_approve(
    tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = cut(tmp_path, approvals(ada_until=TODAY - dt.timedelta(days=1)))
    assert sign(folder, keys, "mallory") == 2
    assert "is of no person in the lists" in capsys.readouterr().err
    assert sign(folder, keys, "ada") == 2
    assert "The key of Ada counts from 2026-01-01 to" in capsys.readouterr().err
    release = Release.open(folder)
    assert (
        "cannot be reached: 1 more organisation would be needed, and the key of Ada expired on"
        in "\n".join(quorum_lines(release))
    )
    page = build_page(release, folder / "results")
    assert page.readiness.headline == "Cannot be approved"
    assert "the key of Ada expired" in "\n".join(summary_lines(page))
    assert not (folder / "approvals").exists()


def test_without_a_terminal_nothing_is_signed_unasked(
    folder: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["approve", str(folder), "--key", str(keys / "ada.pem")]) == 2
    out, err = capsys.readouterr()
    assert "Nothing was signed" in err
    assert "needs-approval" not in out
    assert not (folder / "approvals").exists()


def test_waivers_need_their_role(tmp_path: Path, keys: Path) -> None:
    folder = cut(tmp_path, approvals(ada_until=LATER) + WAIVER)
    release = Release.open(folder)
    if not any(item.verdict is Verdict.WAIVED for item in release.findings):
        pytest.fail("the waiver accepts nothing, so this test shows nothing")
    assert [sign(folder, keys, handle) for handle in ("ada", "bo")] == [1, 1]
    assert "a person with the role security" in "\n".join(quorum_lines(Release.open(folder)))
    assert sign(folder, keys, "cy") == 0


def test_who_may_approve_is_changed_by_the_old_list(tmp_path: Path, keys: Path) -> None:
    cut(tmp_path, approvals(ada_until=LATER))
    fewer = "policy: {approvals: {count: 1, organisations: 1, people: {bo: null, ada: null}}}\n"
    folder = cut(tmp_path, fewer, "2026.11.1")
    release = Release.open(folder)
    assert release_level(release) == "patch"
    assert len(release.quorums) == 2
    assert sign(folder, keys, "cy") == 1, "the new list is content, the old one is not"
    assert "missing of the list of the base, which was changed: 1 more person" in "\n".join(
        quorum_lines(Release.open(folder))
    )
    assert sign(folder, keys, "ada") == 0


def test_no_longer_asking_for_approvals_needs_approval(tmp_path: Path, keys: Path) -> None:
    cut(tmp_path, approvals(ada_until=LATER))
    folder = cut(tmp_path, "policy: {approvals: null}\n", "2026.11.1")
    assert Release.open(folder).verdict is Verdict.NEEDS_APPROVAL
    assert [sign(folder, keys, handle) for handle in ("ada", "bo")] == [1, 0]


def test_a_release_without_a_policy_is_as_before(
    tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = cut(tmp_path, "")
    assert not Release.open(folder).exit_code
    assert require_approvals(folder).quorums == ()
    assert sign(folder, keys, "ada") == 2
    assert "asks for no approvals" in capsys.readouterr().err


def test_a_hostile_folder_of_approvals(folder: Path, keys: Path) -> None:
    assert [sign(folder, keys, handle) for handle in ("ada", "bo")] == [1, 0]
    name = folder / "approvals" / "junk.json"
    name.write_bytes(b"\x00" * 1000)
    assert Release.open(folder).exit_code == 0
    assert "junk.json does not count: it is not JSON" in "\n".join(quorum_lines(Release.open(folder)))
    data = json.loads((folder / "approvals" / "ada.json").read_text())
    data["payloadType"] = "text/plain"
    (folder / "approvals" / "ada.json").write_text(json.dumps(data))
    assert Release.open(folder).exit_code == 1


def logged(data: bytes | None, folder: Path) -> bytes:
    """Return a log with what the publication of a release adds to it."""
    entries = read_log(data, source="log") if data is not None else ()
    release = require_approvals(folder, NOW.date(), revoked=revoked_keys(entries))
    return next_log(entries, [release], NOW)


def test_the_log_of_a_site_keeps_what_was_decided(
    tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = cut(tmp_path, approvals(ada_until=LATER) + WAIVER)
    with pytest.raises(BlockedError, match="is not approved"):
        logged(None, folder)
    for handle in ("ada", "bo", "cy"):
        sign(folder, keys, handle)
    data = logged(None, folder)
    assert logged(data, folder) == data
    entries = read_log(data, source="log")
    assert [item.event.value for item in entries] == [*["approval"] * 3, "waiver", "publication"]
    assert entries[0].digest == sha256_file(folder / "approvals" / "ada.json")
    assert entries[3].note == "unknown-licenses: ours"
    assert entries[4].digest == sha256_file(folder / SUMS)
    site = tmp_path / "site"
    write_bytes(site / LOG, data)
    capsys.readouterr()
    assert run(["log", "verify", str(site)]) == 0
    assert f"head: {head_of(entries)}" in capsys.readouterr().out
    assert run(["log", "show", str(site)]) == 0
    assert "approval  tiny-2026.11.0  Ada (acme)" in capsys.readouterr().out
    PUBLIC_FORM.write(tmp_path / "ada.pub.json", approver("ada").person)
    revoke = ["log", "revoke", str(site), str(tmp_path / "ada.pub.json"), "--reason", "stolen"]
    assert [run(revoke), run(revoke)] == [0, 0]
    assert len(read_log((site / LOG).read_bytes(), source="log", kept=head_of(entries))) == 6
    with pytest.raises(BlockedError, match=r"ada\.json does not count: the key of Ada was revoked"):
        logged((site / LOG).read_bytes(), folder)
    write_bytes(site / LOG, data.replace(b"ours", b"mine"))
    assert run(["log", "verify", str(site)]) == 5
    assert "does not follow the line before it" in capsys.readouterr().err
    assert run(["log", "verify", str(tmp_path)]) == 4


def test_a_log_is_continued_only_by_revocations(tmp_path: Path, keys: Path) -> None:
    folder = cut(tmp_path, approvals(ada_until=LATER))
    for handle in ("ada", "bo"):
        sign(folder, keys, handle)
    signed = logged(None, folder)
    site = tmp_path / "site"
    assert continued_log(None, None) is None
    before = read_log(signed, source="log")
    assert (
        continued_log(signed, None) == continued_log(signed, signed) == continued_log(None, signed) == before
    )
    write_bytes(site / LOG, signed)
    PUBLIC_FORM.write(tmp_path / "ada.pub.json", approver("ada").person)
    run(["log", "revoke", str(site), str(tmp_path / "ada.pub.json"), "--reason", "stolen"])
    after = (site / LOG).read_bytes()
    assert continued_log(signed, after) == read_log(after, source="log") != before
    forged = log_bytes(with_entries(before, [replace(before[-1], digest="e" * 64, policy="f" * 64)]))
    with pytest.raises(IntegrityError, match="entries that were not signed"):
        continued_log(signed, forged)
    with pytest.raises(IntegrityError, match="was rewritten"):
        continued_log(signed, log_bytes(before[:1]))


def test_a_list_that_was_changed_beside_the_published_one_is_found(tmp_path: Path, keys: Path) -> None:
    folder = cut(tmp_path, approvals(ada_until=LATER))
    for handle in ("ada", "bo"):
        sign(folder, keys, handle)
    data = logged(None, folder)
    # Whoever has the files rewrites the base's list, too: then its quorum is that of the new list.
    cut(tmp_path, approvals(ada_until=LATER, count=1))
    later = cut(tmp_path, "title: Later\n", "2026.11.1")
    assert sign(later, keys, "bo") == 0
    with pytest.raises(BlockedError, match=r"its list is not that of tiny-2026\.11\.0, which was published"):
        logged(data, later)


def test_publishing_refuses_what_too_few_have_approved(tmp_path: Path, keys: Path) -> None:
    folder, site = cut(tmp_path, approvals(ada_until=LATER)), tmp_path / "site"

    def published() -> dict[str, bytes]:
        publish_site([folder], site, SILENT, now=NOW)
        found = (path for path in site.rglob("*") if path.is_file())
        return {path.relative_to(site).as_posix(): path.read_bytes() for path in found}

    with pytest.raises(BlockedError, match="is not approved"):
        published()
    assert not (site / "releases").exists()
    for handle in ("ada", "bo"):
        sign(folder, keys, handle)
    files = published()
    events = [item.event.value for item in read_log(files[LOG], source="log")]
    assert events == [*["approval"] * 2, "publication"]
    assert any(name.endswith("/tiny-2026.11.0/approvals/ada.json") for name in files)
    assert Release.open(next(site.glob("releases/*/tiny-2026.11.0"))).exit_code == 0
    assert published() == files
    PUBLIC_FORM.write(tmp_path / "ada.pub.json", approver("ada").person)
    assert run(["log", "revoke", str(site), str(tmp_path / "ada.pub.json"), "--reason", "stolen"]) == 0
    with pytest.raises(BlockedError, match="the key of Ada was revoked"):
        published()

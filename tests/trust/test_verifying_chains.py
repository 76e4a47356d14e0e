"""The chain from a root to a bundle, a site, a release and an installer: each link broken once."""

import datetime as dt
import io
import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tuf.api.metadata import Metadata, MetaFile, TargetFile

from approved_release import INSTALLER, NOW, ApprovedSite, approvals, approve, approved_site, cut
from approving import approver
from cuvee.approvals.decision_log import LOG, LogEntry, LogEvent, log_bytes, read_log, with_entries
from cuvee.approvals.sums_file import SUMS, parse_sums, sums_text
from cuvee.cli.main import run
from cuvee.errors import IntegrityError
from cuvee.files import sha256_bytes
from cuvee.trust.bundle_zip import bundle_bytes, read_bundle
from cuvee.trust.chain_links import ChainBrokenError, ChainLink, ChainVerdict, ChainWalk, LinkState
from cuvee.trust.chain_subjects import Evidence, TrustAnchor, walk_bundle
from cuvee.trust.site_metadata import serialized
from cuvee.trust.subject_reader import verify_subject
from cuvee.trust.trust_folder import renewed
from signed_sites import KEYS, SIGNERS, new_trust, signed_by_all

BASE = "releases/stable/tiny-2026.11.0/"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> ApprovedSite:
    """A site with a release that Ada and Bo have approved; treat it as read-only."""
    return approved_site(tmp_path_factory.mktemp("approved"))


@pytest.fixture
def copied(site: ApprovedSite, tmp_path: Path) -> ApprovedSite:
    """A copy that a test may change."""
    for name, folder in (("site", site.folder), ("dist/tiny-2026.11.0", site.release)):
        shutil.copytree(folder, tmp_path / name)
    return replace(site, folder=tmp_path / "site", release=tmp_path / "dist" / "tiny-2026.11.0")


def verdict_on(
    path: Path, site: ApprovedSite, *, given: Path | None = None, root: bytes = b"", now: dt.datetime = NOW
) -> ChainVerdict:
    return verify_subject(path, TrustAnchor(root=root or site.root, now=now), given)


def first(verdict: ChainVerdict) -> ChainLink:
    assert verdict.first is not None, "the chain holds"
    return verdict.first


def walked(members: Mapping[str, bytes], site: ApprovedSite, now: dt.datetime = NOW) -> ChainVerdict:
    """Verify a bundle with these members."""
    walk = ChainWalk()
    try:
        bundle = Evidence.of_bundle(bundle_bytes(members), "bundle.zip")
        walk_bundle(walk, bundle, TrustAnchor(root=site.root, now=now))
    except ChainBrokenError:
        pass
    return ChainVerdict(kind="bundle", subject="bundle.zip", links=tuple(walk.links))


@dataclass
class Thief:
    """Changes the members of a bundle, and signs lists again with keys that were stolen."""

    members: dict[str, bytes]

    def name(self, role: str) -> str:
        return next(name for name in self.members if name.endswith(f".{role}.json"))

    def change(self, role: str, edit: Callable[[Any], object], *signers: str) -> None:
        """Edit a role and sign it, without raising its version, and all that has its hash."""
        name = "metadata/timestamp.json" if role == "timestamp" else self.name(role)
        found: Metadata[Any] = Metadata.from_bytes(self.members[name])
        edit(found.signed)
        found.signatures.clear()
        for signer in signers:
            found.sign(SIGNERS[signer], append=True)
        data = self.members[name] = serialized(found)
        meta = MetaFile.from_data(found.signed.version, data, ["sha256"])
        if role == "snapshot":
            self.change("timestamp", lambda signed: setattr(signed, "snapshot_meta", meta), "timestamp")
        elif role != "timestamp":
            self.change("snapshot", lambda signed: signed.meta.update({f"{role}.json": meta}), "snapshot")

    def put(self, path: str, data: bytes, *, role: str = "tiny-2026.11.0", key: str = "stable") -> None:
        """Put other bytes into the place of a file, and sign the list that has it."""
        self.members[path] = data
        self.change(
            role,
            lambda signed: signed.targets.update({path: TargetFile.from_data(path, data, ["sha256"])}),
            key,
        )

    def put_into_sums(self, name: str, data: bytes) -> None:
        sums = parse_sums(self.members[f"{BASE}{SUMS}"].decode())
        self.put(f"{BASE}{name}", data)
        self.put(f"{BASE}{SUMS}", sums_text({**sums, name: sha256_bytes(data)}).encode())


@pytest.fixture
def thief(site: ApprovedSite) -> Thief:
    return Thief(read_bundle(site.bundle.read_bytes(), source="bundle.zip"))


# --- what holds ------------------------------------------------------------------------------------------


def test_all_kinds_hold_and_say_who_has_signed(site: ApprovedSite, tmp_path: Path) -> None:
    bundle = tmp_path / "b.zip"
    shutil.copy(site.bundle, bundle)
    installer = tmp_path / "Tiny.sh"  # under another name, since its hash counts
    shutil.copy(site.release / INSTALLER, installer)
    for kind, path, by in (
        ("bundle", bundle, None),
        ("site", site.folder, None),
        ("release", site.release, bundle),
        ("release", site.release, site.folder),
        ("release", site.published, None),
        ("installer", installer, bundle),
        ("installer", installer, site.folder),
        ("installer", site.published / INSTALLER, None),
    ):
        verdict = verdict_on(path, site, given=by)
        assert (verdict.kind, verdict.state, verdict.problems) == (kind, LinkState.HOLDS, ())
        signers = {link.name: link.signers for link in verdict.links}
        assert signers["approvals"] == ("Ada (acme)", "Bo (other)")
        assert [name.partition(" ")[0] for name in signers["root"]] == ["alice", "bob"]
        assert signers["track stable"][0].startswith("stable")
        assert signers[SUMS][0].startswith("key ")


def test_the_bundle_is_reproducible_and_follows_what_is_signed(site: ApprovedSite, tmp_path: Path) -> None:
    again = ApprovedSite(folder=tmp_path / "site", release=site.release, trust=site.trust)
    assert again.publish(site.release) == (f"{BASE}trust/bundle.zip",)
    assert again.bundle.read_bytes() == site.bundle.read_bytes()
    assert again.publish(site.release) == ()
    assert again.publish(now=NOW + dt.timedelta(days=8)) == (f"{BASE}trust/bundle.zip",)
    with zipfile.ZipFile(again.bundle) as archive:  # any zip program reads it
        assert archive.testzip() is None
        assert archive.read(f"{BASE}{SUMS}") == (site.release / SUMS).read_bytes()


def test_the_bundle_has_vex_and_what_is_in_the_trust_folder(site: ApprovedSite, tmp_path: Path) -> None:
    release = tmp_path / site.release.name
    shutil.copytree(site.release, release)
    (release / "trust").mkdir()
    (release / "trust" / "provenance.json").write_text("{}")
    shutil.copy(site.bundle, release / "trust" / "bundle.zip")  # not a file of the release
    other = ApprovedSite(folder=tmp_path / "site", release=release, trust=site.trust)
    other.publish(release, others={"errata/openvex.json": b"{}", "errata/index.html": b""})
    members = read_bundle(other.bundle.read_bytes(), source="bundle.zip")
    assert {"errata/openvex.json", f"{BASE}trust/provenance.json"} <= members.keys()
    assert not {"errata/index.html", f"{BASE}trust/bundle.zip"} & members.keys()
    for path in (other.bundle, other.folder, other.published):
        assert not verdict_on(path, other).problems
    members["errata/openvex.json"] = b"[]"
    assert first(walked(members, other)).text.startswith("errata/openvex.json is not the file that was")


def test_a_newer_root_in_the_bundle_follows_from_that_of_the_reader(
    site: ApprovedSite, tmp_path: Path
) -> None:
    later = ApprovedSite(folder=tmp_path / "site", release=site.release, trust=dict(site.trust))
    later.publish(site.release)
    trust = renewed(later.trust, NOW, old=KEYS["timestamp"], new=KEYS["next"])
    later.trust.update(signed_by_all({**later.trust, **trust}))
    later.publish(signers=("stable", "site", "snapshot", "next"))
    verdict = verdict_on(later.bundle, site)
    assert not verdict.problems
    assert "version 1 is yours, and 2 follows from it" in verdict.links[1].text
    assert not verdict_on(later.bundle, site, root=later.trust["2.root.json"]).problems
    found = first(verdict_on(site.bundle, site, root=later.trust["2.root.json"]))
    assert found.text == "Your root is version 2, and this has only version 1"


# --- each link broken once -------------------------------------------------------------------------------


def test_the_root_of_another_distribution(site: ApprovedSite) -> None:
    other = new_trust(root=(2, ("carol", "next", "thief")))
    root = first(verdict_on(site.bundle, site, root=other["1.root.json"]))
    assert (root.name, root.text) == ("root", "Version 1 of its root is not the root that you gave")
    assert "another distribution" in root.hint


@pytest.mark.parametrize(
    ("role", "name"),
    [
        ("targets", "targets"),
        ("stable", "track stable"),
        ("tiny-2026.11.0", "tiny-2026.11.0"),
        ("site", "site"),
        ("snapshot", "snapshot"),
        ("timestamp", "timestamp"),
    ],
)
def test_a_role_that_somebody_else_has_signed(site: ApprovedSite, thief: Thief, role: str, name: str) -> None:
    thief.change(role, lambda _: None, "thief")
    found = first(walked(thief.members, site))
    assert (found.name, found.state) == (name, LinkState.BROKEN)
    assert "lacks signatures" in found.text


@pytest.mark.parametrize("name", ["lock/pixi.lock", "sbom/linux-64.cdx.json", "checks/certificate.json"])
def test_a_file_that_was_changed(site: ApprovedSite, thief: Thief, name: str) -> None:
    path = f"{BASE}{name}"
    data = thief.members[path] + b"\n"
    thief.members[path] = data
    found = first(walked(thief.members, site))
    assert found.name == "files"
    assert found.text.startswith(f"{name} is not the file that was signed")
    assert sha256_bytes(data) in found.text
    # With the key of the track, it is the sums that do not agree.
    thief.put(path, data)
    found = first(walked(thief.members, site))
    assert found.name == SUMS
    assert found.text.startswith(f"{name} has the SHA-256")
    # The sums have a signature of their own.
    thief.put_into_sums(name, data)
    found = first(walked(thief.members, site))
    assert found.text == "SHA256SUMS.sig is not a signature of SHA256SUMS by signing-key.pem"


def without_signature(thief: Thief) -> None:
    gone = [f"{BASE}SHA256SUMS.sig", f"{BASE}signing-key.pem"]
    for path in gone:
        del thief.members[path]
    thief.change("tiny-2026.11.0", lambda signed: [signed.targets.pop(path) for path in gone], "stable")


def test_what_a_thief_of_all_online_keys_changes_has_not_been_approved(
    site: ApprovedSite, thief: Thief
) -> None:
    without_signature(thief)
    thief.put_into_sums("checks/findings.json", b"{}\n")
    found = first(walked(thief.members, site))
    assert found.name == "log"
    assert "log/log.jsonl says that SHA256SUMS has the SHA-256" in found.text
    entries = read_log(thief.members[LOG], source=LOG)
    mine = tuple(
        replace(item, digest=sha256_bytes(thief.members[f"{BASE}{SUMS}"]))
        if item.event is LogEvent.PUBLICATION
        else item
        for item in entries
    )
    thief.put(LOG, log_bytes(with_entries((), mine)), role="site", key="site")
    found = first(walked(thief.members, site))
    assert found.name == "approvals"
    assert (
        "ada.json does not count: it approves other bytes: checks/findings.json has the SHA-256" in found.text
    )


def test_an_approval_that_is_missing(site: ApprovedSite, thief: Thief) -> None:
    path = f"{BASE}approvals/bo.json"
    del thief.members[path]
    assert first(walked(thief.members, site)).text == "approvals/bo.json is missing, which the list names"
    thief.change("tiny-2026.11.0", lambda signed: signed.targets.pop(path), "stable")
    found = first(walked(thief.members, site))
    assert (found.name, found.text) == ("approvals", "missing: 1 more person, 1 more organisation")


def test_a_key_that_was_revoked(copied: ApprovedSite) -> None:
    entries = read_log((copied.folder / LOG).read_bytes(), source=LOG)
    revoked = LogEntry(
        time=NOW, event=LogEvent.REVOCATION, digest=approver("ada").person.public.fingerprint, note="stolen"
    )
    (copied.folder / LOG).unlink()
    (copied.folder / LOG).write_bytes(log_bytes(with_entries(entries, [revoked])))
    copied.publish()
    for path in (copied.bundle, copied.folder, copied.published / INSTALLER):
        found = first(verdict_on(path, copied))
        assert found.name == "approvals"
        assert "ada.json does not count: the key of Ada was revoked" in found.text


def test_a_key_that_has_expired_since_counts_as_on_the_day_of_publication(tmp_path: Path) -> None:
    until = NOW.date() + dt.timedelta(days=10)
    site = approved_site(tmp_path, more=approvals(ada_until=until))
    assert not verdict_on(site.bundle, site, now=NOW + dt.timedelta(days=20)).problems


def test_a_list_of_approvers_that_was_changed_against_the_log(site: ApprovedSite, thief: Thief) -> None:
    """The published release before had another list, which has not agreed."""
    entries = read_log(thief.members[LOG], source=LOG)
    before = LogEntry(
        time=NOW, event=LogEvent.PUBLICATION, release="tiny-2026.10.0", digest="0" * 64, policy="1" * 64
    )
    thief.put(LOG, log_bytes(with_entries((), [before, *entries])), role="site", key="site")
    found = first(walked(thief.members, site))
    assert (
        found.text == "Those who could approve tiny-2026.10.0 have not agreed to the list of tiny-2026.11.0"
    )


def test_a_release_that_nobody_had_to_approve_holds_and_says_so(tmp_path: Path) -> None:
    site = approved_site(tmp_path, more=" ")
    verdict = verdict_on(site.bundle, site)
    assert verdict.state is LinkState.HOLDS
    assert [(link.name, link.text) for link in verdict.uncovered] == [
        ("approvals", "the manifest asks for none")
    ]


def test_one_byte_in_an_installer(copied: ApprovedSite, tmp_path: Path) -> None:
    path = tmp_path / "Tiny-Linux-x86_64.sh"
    data = bytearray((copied.release / INSTALLER).read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)
    for by in (copied.bundle, copied.folder):
        found = first(verdict_on(path, copied, given=by))
        assert found.name == "installer"
        assert found.text.startswith("Tiny-Linux-x86_64.sh is not the file that was signed")
    path = path.rename(tmp_path / "renamed.sh")
    assert "which tiny-2026.11.0 does not name" in first(verdict_on(path, copied, given=copied.bundle)).text
    found = first(verdict_on(path, copied, given=copied.folder))
    assert "has no such release that is signed" in found.text


def test_an_installer_without_a_chain_does_not_pass(site: ApprovedSite, tmp_path: Path) -> None:
    path = tmp_path / "Tiny.sh"
    shutil.copy(site.release / INSTALLER, path)
    verdict = verdict_on(path, site)
    assert verdict.state is LinkState.OPEN
    assert "neither a bundle nor a site" in first(verdict).text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "lock" / "pixi.lock").write_text("x"), "lock/pixi.lock is not the file"),
        (lambda folder: (folder / INSTALLER).unlink(), f"{INSTALLER} is missing"),
        (lambda folder: (folder / "installers" / "Evil.sh").touch(), "Evil.sh is there, and is in no list"),
        (
            lambda folder: next(folder.glob("metapackages/*/*.conda")).write_bytes(b""),
            "is not the file that SHA256SUMS names",
        ),
    ],
)
def test_a_release_folder_that_was_changed(
    copied: ApprovedSite, change: Callable[[Path], object], message: str
) -> None:
    change(copied.release)
    assert message in first(verdict_on(copied.release, copied, given=copied.bundle)).text


def test_a_release_folder_without_a_chain_does_not_pass(site: ApprovedSite) -> None:
    assert verdict_on(site.release, site).state is LinkState.OPEN


def test_the_bundle_of_another_release(tmp_path: Path) -> None:
    site = approved_site(tmp_path)
    later = cut(tmp_path, "title: Later\n", "2026.11.1", image=b"another list")
    approve(later, "ada", "bo")
    site.publish(later)
    found = first(verdict_on(later, site, given=site.bundle))
    assert found.text.endswith("bundle.zip is the bundle of tiny-2026.11.0")
    for path in (later, later / INSTALLER):
        assert not verdict_on(path, site, given=site.folder).problems


# --- the site --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (f"{BASE}{INSTALLER}", "files of tiny-2026.11.0"),
        ("index.html", "files of the site"),
        ("channel/noarch/repodata.json", "files of the site"),
        ("releases/stable/index.json", "list of stable"),
    ],
)
def test_a_file_of_a_site_that_was_changed(copied: ApprovedSite, path: str, name: str) -> None:
    target = copied.folder / path
    data = target.read_bytes()
    target.unlink()
    target.write_bytes(data + b" ")
    found = first(verdict_on(copied.folder, copied))
    assert found.name == name
    assert found.text.startswith(f"{path} is not the file that was signed")
    target.unlink()
    assert first(verdict_on(copied.folder, copied)).text == f"{path} is missing, which a list names"


def test_a_copy_below_targets_that_was_changed(copied: ApprovedSite) -> None:
    target = next((copied.folder / "targets" / BASE / "installers").iterdir())
    size = target.stat().st_size
    target.unlink()
    target.write_bytes(b"x" * size)
    found = first(verdict_on(copied.folder, copied))
    assert "is missing, or not what its name says" in found.text


def test_a_site_that_has_expired_and_a_clock_that_is_wrong(site: ApprovedSite) -> None:
    late = NOW + dt.timedelta(days=15)
    assert first(verdict_on(site.folder, site, now=late)).text.startswith("What timestamp has signed expired")
    assert not verdict_on(site.bundle, site, now=late).problems
    years = NOW + dt.timedelta(days=3 * 365)
    found = first(verdict_on(site.bundle, site, now=years))
    assert found.name == "root"
    assert found.text.startswith("What root has signed expired on 20")
    found = first(verdict_on(site.bundle, site, now=NOW - dt.timedelta(days=3 * 365)))
    assert found.name == "timestamp"
    assert "this machine's clock says 20" in found.text


def test_files_of_a_site_that_nobody_has_signed_are_named(copied: ApprovedSite) -> None:
    (copied.folder / "robots.txt").touch()
    verdict = verdict_on(copied.folder, copied)
    assert not verdict.problems
    assert [link.text for link in verdict.uncovered] == ["1 file in no list, such as robots.txt"]


# --- bundles ---------------------------------------------------------------------------------------------


@given(data=st.data())
def test_each_byte_of_a_bundle_is_verified(site: ApprovedSite, data: st.DataObject) -> None:
    """Whatever byte of whatever member is changed, and however."""
    members = read_bundle(site.bundle.read_bytes(), source="bundle.zip")
    name = data.draw(st.sampled_from(sorted(members)))
    position = data.draw(st.integers(0, len(members[name]) - 1))
    flipped = data.draw(st.integers(1, 255))
    changed = bytearray(members[name])
    changed[position] ^= flipped
    verdict = walked({**members, name: bytes(changed)}, site)
    assert first(verdict).state is LinkState.BROKEN


def test_each_byte_of_a_signature_beyond_the_quorum_is_verified(tmp_path: Path) -> None:
    site = approved_site(tmp_path)
    trust = signed_by_all(site.trust, "carol")
    spare = replace(site, folder=tmp_path / "other", trust=trust)
    spare.publish(site.release)
    members = read_bundle(spare.bundle.read_bytes(), source="bundle.zip")
    for name in ("metadata/1.root.json", "metadata/1.targets.json"):
        text = members[name].decode()
        signatures = json.loads(text)["signatures"]
        assert len(signatures) == 3
        for item in signatures:
            for old, new in ((item["sig"], "0" + item["sig"][1:]), (item["sig"], item["sig"].upper())):
                other = {**members, name: text.replace(old, new).encode()}
                if other[name] != members[name]:
                    assert first(walked(other, spare)).state is LinkState.BROKEN


@given(data=st.data())
def test_each_byte_of_the_zip_has_a_meaning(site: ApprovedSite, data: st.DataObject) -> None:
    whole = bytearray(site.bundle.read_bytes())
    position = data.draw(st.integers(0, len(whole) - 1))
    whole[position] ^= data.draw(st.integers(1, 255))
    try:
        members = read_bundle(bytes(whole), source="bundle.zip")
    except IntegrityError:
        return
    assert walked(members, site).problems


def test_a_member_that_is_missing_or_more(site: ApprovedSite, thief: Thief) -> None:
    for name in thief.members:
        rest = {other: data for other, data in thief.members.items() if other != name}
        assert first(walked(rest, site)).state is LinkState.BROKEN
    for name in (
        "readme",
        "metadata/0.root.json",
        "metadata/9.stable.json",
        f"{BASE}x",
        f"{BASE}{INSTALLER}",
    ):
        assert first(walked({**thief.members, name: b"{}"}, site)).state is LinkState.BROKEN


def hostile(kind: str, members: Mapping[str, bytes]) -> bytes:
    """Return a zip that an attacker made."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(members.items()):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o100644 << 16
            if kind == "link":
                info.external_attr = 0o120777 << 16
            archive.writestr(info, data)
            if kind == "twice":
                with pytest.warns(UserWarning, match="Duplicate name"):
                    archive.writestr(info, data)
        if kind == "outside":
            info = zipfile.ZipInfo("../outside", (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o100644 << 16
            archive.writestr(info, b"")
        if kind == "bomb":
            info = zipfile.ZipInfo("zeros", (1980, 1, 1, 0, 0, 0))
            info.external_attr, info.compress_type = 0o100644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(info, b"\0" * (1 << 24))
        if kind == "comment":
            archive.comment = b"signed by nobody"
    return stream.getvalue() + (b"more" if kind == "trailing" else b"")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("link", "is not an ordinary file"),
        ("twice", "is there twice"),
        ("outside", "is not a path that a site may have"),
        ("bomb", "is compressed"),
        ("comment", "bytes that belong to no member"),
        ("trailing", "bytes that belong to no member|cannot be read"),
    ],
)
def test_a_hostile_zip(site: ApprovedSite, thief: Thief, kind: str, message: str) -> None:
    with pytest.raises(IntegrityError, match=message):
        read_bundle(hostile(kind, thief.members), source="bundle.zip")


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"PK\x03\x04" + b"\0" * 100, b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_zip(site: ApprovedSite, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(data)
    assert verdict_on(path, site, given=path).problems


# --- the command -----------------------------------------------------------------------------------------


@pytest.fixture
def machine(copied: ApprovedSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ApprovedSite:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "root.json").write_bytes(copied.root)
    return copied


def test_the_command_shows_the_chain(machine: ApprovedSite, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = str(machine.bundle)
    assert run(["verify", bundle, "--root", "root.json"]) == 0
    out = capsys.readouterr().out
    assert "approvals holds: 2 people of 2 organisations were needed" in out
    assert "signed by Ada (acme), Bo (other)" in out
    assert out.endswith("holds\n")
    assert run(["verify", bundle, "--root", "root.json", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert (value["kind"], value["state"], value["first_problem"]) == ("bundle", "holds", None)
    (machine.published / "lock" / "pixi.lock").unlink()
    (machine.published / "lock" / "pixi.lock").write_text("other")
    assert run(["verify", "site", "--root", "root.json"]) == 5
    assert "The first link that does not hold: files of tiny-2026.11.0" in capsys.readouterr().err
    assert run(["verify", "site", "--root", "root.json", "--json"]) == 5
    assert json.loads(capsys.readouterr().out)["first_problem"]["name"] == "files of tiny-2026.11.0"
    assert run(["verify", "dist/tiny-2026.11.0", "--root", "root.json"]) == 5
    assert "could not be checked: root" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["nothing"], "is neither a bundle, a signed site"),
        (["https://example.org/site"], "is not on this machine"),
        (["site", "--at", "tomorrow"], "is not a day"),
        (["root.json", "--site", "dist"], "is neither a bundle nor a signed site"),
        (["root.json", "--site", "dist", "--bundle", "root.json"], "either a bundle or a site"),
    ],
)
def test_what_cannot_be_verified(
    machine: ApprovedSite, capsys: pytest.CaptureFixture[str], argv: list[str], message: str
) -> None:
    assert run(["verify", *argv, "--root", "root.json"]) == 2
    assert message in capsys.readouterr().err


def test_a_day_can_be_named(machine: ApprovedSite, capsys: pytest.CaptureFixture[str]) -> None:
    years = NOW + dt.timedelta(days=800)
    assert run(["verify", str(machine.bundle), "--root", "root.json", "--at", f"{years:%Y-%m-%d}"]) == 5
    assert "get the newest one, or name with --at" in capsys.readouterr().err
    assert run(["verify", str(machine.bundle), "--root", "root.json", "--at", f"{NOW:%Y-%m-%d}"]) == 0

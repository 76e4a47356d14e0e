"""What an adversary who controls a server can do: in each case no byte gets through, and why is said."""

import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import SSlibKey
from tuf.api.metadata import DelegatedRole, Metadata, TargetFile

from cuvee.errors import CuveeError, IntegrityError, SourceUnreachableError
from cuvee.trust.site_metadata import serialized
from cuvee.trust.site_roles import check_path
from cuvee.trust.trust_folder import renewed
from scripted_server import ScriptedServer, endless, serving, stall
from signed_sites import (
    KEYS,
    NEW,
    NOW,
    OLD,
    SIGNERS,
    Site,
    new_trust,
    serve_folder,
    sha256_of,
    signed_by_all,
    wanted,
)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with two releases, which were published one after the other."""
    made = Site(folder=tmp_path / "site")
    made.publish(OLD)
    made.publish(NEW, now=NOW + dt.timedelta(hours=1))
    return made


@pytest.fixture
def server(site: Site) -> Iterator[ScriptedServer]:
    with serving() as found:
        serve_folder(found, site.folder)
        yield found


def refused(
    site: Site,
    tmp_path: Path,
    message: str,
    *,
    release: str = NEW,
    track: str = "stable",
    now: dt.datetime = NOW + dt.timedelta(hours=2),
    url: str = "",
    kind: type[CuveeError] = IntegrityError,
    root: bytes | None = None,
    state: str = "reader",
) -> None:
    """Try to fetch, and expect that nothing arrives, and that the message says why."""
    target = tmp_path / "out" / "installer.sh"
    with pytest.raises(kind, match=message):
        site.client(tmp_path / state, now=now, url=url, root=root).download(
            wanted(release, track), target, now
        )
    assert not target.parent.exists(), "what fails leaves no new folder"


def accepted(
    site: Site, tmp_path: Path, *, url: str = "", now: dt.datetime = NOW + dt.timedelta(hours=2)
) -> None:
    target = tmp_path / "good" / "installer.sh"
    site.client(tmp_path / "reader", url=url, now=now).download(wanted(), target, now)
    assert target.read_text() == f"installer of {NEW}\n" * 40


def installer_of(site: Site, release: str = NEW) -> Path:
    return next((site.folder / "targets" / "releases" / "stable" / release / "installers").iterdir())


@pytest.mark.real
def test_without_an_attack_the_file_arrives(site: Site, server: ScriptedServer, tmp_path: Path) -> None:
    accepted(site, tmp_path)
    accepted(site, tmp_path, url=server.url)


@pytest.mark.real
def test_arbitrary_bytes(site: Site, server: ScriptedServer, tmp_path: Path) -> None:
    path = installer_of(site)
    path.write_bytes(b"x" * path.stat().st_size)
    name = path.relative_to(site.folder).as_posix()
    refused(site, tmp_path, f"{name} is not the one that was signed", url=server.url)
    refused(site, tmp_path, f"{name} is not the one that was signed")


@pytest.mark.real
def test_wrong_bytes_are_not_kept_for_the_next_run(
    site: Site, server: ScriptedServer, tmp_path: Path
) -> None:
    path = installer_of(site)
    good = path.read_bytes()
    path.write_bytes(b"x" * len(good))
    refused(site, tmp_path, r"targets/.*\.sh is not the one that was signed", url=server.url)
    path.write_bytes(good)
    accepted(site, tmp_path, url=server.url)


def test_a_signed_file_of_another_release(site: Site, tmp_path: Path) -> None:
    shutil.copyfile(installer_of(site, OLD), installer_of(site))
    refused(site, tmp_path, r"targets/.*\.sh is not the one that was signed")


def test_an_old_timestamp_that_has_expired(site: Site, tmp_path: Path) -> None:
    late = NOW + dt.timedelta(days=15)
    refused(site, tmp_path, "has expired .*clock of this machine says 2026-12-14.*timestamp", now=late)


def test_an_old_state_as_the_newest(site: Site, tmp_path: Path) -> None:
    # The old timestamp has not expired, and its signatures hold: but this reader has seen a newer one.
    other = Site(folder=tmp_path / "old")
    other.publish(OLD)
    accepted(site, tmp_path)
    refused(other, tmp_path, "older than what this machine has seen", release=OLD)


def test_mixed_metadata(site: Site, tmp_path: Path) -> None:
    # The snapshot of one state with the timestamp of another.
    other = Site(folder=tmp_path / "other")
    other.publish(NEW, OLD, now=NOW + dt.timedelta(minutes=5))
    shutil.copyfile(other.newest("snapshot"), site.newest("snapshot"))
    refused(site, tmp_path, r"metadata/\d+\.snapshot\.json is not the one that was signed: .*(hash|length)")


@pytest.mark.real
@pytest.mark.parametrize("name", ["metadata/timestamp.json", "targets"])
def test_endless_data(site: Site, server: ScriptedServer, tmp_path: Path, name: str) -> None:
    if name == "targets":
        name = installer_of(site).relative_to(site.folder).as_posix()
    server.answers[f"/{name}"] = endless
    refused(site, tmp_path, "has more than [0-9,]+ bytes", url=server.url)


@pytest.mark.real
def test_a_list_may_be_as_long_as_the_snapshot_says(
    site: Site, server: ScriptedServer, tmp_path: Path
) -> None:
    # 5 MB is what TUF clients read of a list of unknown length: some 30,000 packages.
    def many(signed: Any) -> None:
        signed.version += 1
        for number in range(40_000):
            signed.targets[f"channel/noarch/p{number}.conda"] = TargetFile(1, {"sha256": "0" * 64}, "p")

    site.change("site", many, "site")
    site.announce("site")
    assert site.newest("site").stat().st_size > 5_000_000
    now = NOW + dt.timedelta(hours=2)
    client = site.client(tmp_path / "reader", now=now, url=server.url)
    assert client.read("index.html", now) == b"<title>releases</title>"
    path = site.newest("site")
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(IntegrityError, match=r"site\.json.*has more than [0-9,]+ bytes"):
        site.client(tmp_path / "other", now=now, url=server.url).read("index.html", now)


@pytest.mark.real
@pytest.mark.parametrize("name", ["metadata/timestamp.json", "targets"])
def test_slow_data(
    site: Site, server: ScriptedServer, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A server that promises bytes and sends none is left.
    if name == "targets":
        name = installer_of(site).relative_to(site.folder).as_posix()
    server.answers[f"/{name}"] = stall(server, b"{")
    monkeypatch.setattr("cuvee.channel.file_transfer.STALL", 0.5)
    monkeypatch.setattr("cuvee.channel.file_transfer.FileTransfer._wait", lambda *_: None)
    refused(
        site,
        tmp_path,
        "could not be downloaded: .* sends nothing",
        url=server.url,
        kind=SourceUnreachableError,
    )


def test_fewer_signatures_than_the_threshold(site: Site, tmp_path: Path) -> None:
    site.change("targets", lambda _: None, "alice")
    site.announce("targets")
    refused(site, tmp_path, "too few of the keys that may sign have signed: .*1/2")


def test_one_signature_twice(site: Site, tmp_path: Path) -> None:
    site.change("targets", lambda _: None, "alice")
    path = site.newest("targets")
    value = json.loads(path.read_bytes())
    value["signatures"] *= 2
    path.write_text(json.dumps(value))
    site.announce("targets", version=1)
    refused(site, tmp_path, "metadata cannot be read: Multiple signatures found for keyid")


def test_one_key_under_two_ids(tmp_path: Path) -> None:
    """TUF counts it as two: https://github.com/theupdateframework/python-tuf verifies each id by itself."""
    trust = new_trust()
    root: Metadata[Any] = Metadata.from_bytes(trust["1.root.json"])
    twin = SSlibKey("f" * 64, "ed25519", "ed25519", dict(KEYS["alice"].keyval))
    root.signed.add_key(twin, "root")
    root.signed.revoke_key(KEYS["bob"].keyid, "root")
    root.signed.add_key(KEYS["bob"], "targets")
    root.signatures.clear()
    signature = root.sign(SIGNERS["alice"], append=True)
    root.signatures["f" * 64] = type(signature)("f" * 64, signature.signature)
    site = Site(folder=tmp_path / "site")
    site.publish(NEW)
    (site.folder / "metadata" / "1.root.json").write_bytes(serialized(root))
    root.verify_delegate("root", root)
    refused(site, tmp_path, "root has one key under two ids", root=serialized(root))


def test_a_revoked_key(site: Site, tmp_path: Path) -> None:
    # The timestamp's key was replaced in version 2 of the root; the thief signs on with the old one.
    site.trust |= signed_by_all(renewed(site.trust, NOW, old=KEYS["timestamp"], new=KEYS["next"]) | {
        "1.root.json": site.trust["1.root.json"]})  # fmt: skip
    site.publish(now=NOW + dt.timedelta(minutes=90))
    accepted(site, tmp_path)
    site.announce(stolen=("snapshot", "timestamp"))
    refused(site, tmp_path, "too few of the keys that may sign have signed: timestamp")


def test_an_expired_role(site: Site, tmp_path: Path) -> None:
    def expire(signed: Any) -> None:
        signed.expires = NOW

    site.change("stable", expire, "stable")
    site.announce("stable")
    refused(site, tmp_path, "has expired .*stable")


def test_a_stolen_online_key_signs_no_files(site: Site, tmp_path: Path) -> None:
    """With the keys of snapshot and timestamp, but not with that of the track."""

    def swap(signed: Any) -> None:
        signed.version += 1
        signed.targets[wanted()] = TargetFile.from_data(wanted(), b"malware", ["sha256"])

    site.change(NEW, swap, "snapshot", "timestamp")
    site.announce(NEW)
    refused(site, tmp_path, f"too few of the keys that may sign have signed: {NEW} was signed by 0/1")


def test_a_fast_forward_is_recovered_from_by_new_online_keys(site: Site, tmp_path: Path) -> None:
    """Versions that a thief has raised cannot be reached, but those of a new key count from the beginning."""
    good = {path: path.read_bytes() for path in site.folder.rglob("*.json")}

    def forward(signed: Any) -> None:
        signed.version += 1_000_000

    site.change("timestamp", forward, "timestamp")
    now = NOW + dt.timedelta(hours=2)
    site.client(tmp_path / "reader", now=now)
    for path, data in good.items():
        path.write_bytes(data)
    refused(site, tmp_path, "older than what this machine has seen")
    for old, new in (("timestamp", "next"), ("snapshot", "carol")):
        site.trust |= signed_by_all({**site.trust, **renewed(site.trust, NOW, old=KEYS[old], new=KEYS[new])})
    site.publish(now=now)
    accepted(site, tmp_path)


@pytest.mark.parametrize(
    ("signers", "message"),
    [
        (("alice", "bob"), ""),
        (("alice",), "too few of the keys that may sign have signed: root was signed by 1/2"),
        (("thief", "next"), "too few of the keys that may sign have signed: root was signed by 0/2"),
    ],
)
def test_a_new_root_needs_the_old_quorum(
    site: Site, tmp_path: Path, signers: tuple[str, ...], message: str
) -> None:
    accepted(site, tmp_path)
    draft = renewed(site.trust, NOW + dt.timedelta(hours=1))
    root: Metadata[Any] = Metadata.from_bytes(draft["2.root.json"])
    if "thief" in signers:
        for name in ("alice", "bob", "carol"):
            root.signed.revoke_key(KEYS[name].keyid, "root")
        for name in signers:
            root.signed.add_key(KEYS[name], "root")
    for name in signers:
        root.sign(SIGNERS[name], append=True)
    (site.folder / "metadata" / "2.root.json").write_bytes(serialized(root))
    if message:
        refused(site, tmp_path, message)
    else:
        accepted(site, tmp_path)


def test_a_root_version_cannot_be_skipped(site: Site, tmp_path: Path) -> None:
    draft = renewed(site.trust, NOW)
    root: Metadata[Any] = Metadata.from_bytes(draft["2.root.json"])
    root.signed.version = 3
    for name in ("alice", "bob"):
        root.sign(SIGNERS[name], append=True)
    (site.folder / "metadata" / "2.root.json").write_bytes(serialized(root))
    refused(site, tmp_path, "root")


def test_a_delegation_that_signs_outside_its_paths(site: Site, tmp_path: Path) -> None:
    # The key of edge signs a file of stable: it is not looked for there.
    path = "releases/stable/tiny-2026.11.2/installers/Tiny-Linux-x86_64.sh"
    site.publish("tiny-2026.12.0", track="edge", now=NOW + dt.timedelta(hours=1))

    def add(signed: Any) -> None:
        signed.version += 1
        signed.targets[path] = TargetFile.from_data(path, b"malware", ["sha256"])
        signed.delegations.roles["tiny-2026.11.2"] = DelegatedRole(
            "tiny-2026.11.2", [KEYS["edge"].keyid], 1, terminating=True, paths=[path]
        )

    site.change("edge", add, "edge")
    site.announce("edge")
    hashed = hashlib.sha256(b"malware").hexdigest()
    target = site.folder / "targets" / path
    target.parent.mkdir(parents=True)
    (target.parent / f"{hashed}.{target.name}").write_bytes(b"malware")
    refused(site, tmp_path, "no .* that is signed by those who may sign it", release="tiny-2026.11.2")


def test_metadata_of_another_distribution(site: Site, tmp_path: Path) -> None:
    mine = new_trust(root=(2, ("carol", "next", "thief")), timestamp=(1, ("next",)))
    refused(site, tmp_path, "root|too few of the keys", root=mine.get("1.root.json"))


@pytest.mark.parametrize("years", [-3, 3])
def test_a_clock_that_is_years_off(site: Site, tmp_path: Path, years: int) -> None:
    """Old metadata could not be told from new by it, so it is said in both directions."""
    now = NOW + dt.timedelta(days=365 * years)
    refused(site, tmp_path, "clock (of this machine )?says 20(23|29)-11-", now=now)


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../../x", "/etc/passwd", "a//b", "./a", "a\\..\\b", "C:/x", "a\nb", "", "a/", "nul ", "a."],
)
def test_a_path_that_leaves_its_folder(path: str) -> None:
    with pytest.raises(IntegrityError, match="is not a path that a site may have"):
        check_path(path)


def test_a_target_name_with_dots_in_signed_metadata(site: Site, tmp_path: Path) -> None:
    from cuvee.trust.site_client import files_of_release

    bad = f"releases/stable/{NEW}/../../../../outside"

    def add(signed: Any) -> None:
        signed.version += 1
        signed.targets[bad] = TargetFile.from_data(bad, b"malware", ["sha256"])

    site.change(NEW, add, "stable")
    site.announce(NEW)
    now = NOW + dt.timedelta(hours=2)
    with pytest.raises(IntegrityError, match="is not a path that a site may have"):
        files_of_release(site.client(tmp_path / "reader", now=now), "stable", NEW, now)


def test_a_symbolic_link_of_a_folder(site: Site, tmp_path: Path) -> None:
    # A disk that somebody prepared: the file is a link to one of this machine.
    secret = tmp_path / "secret"
    secret.write_bytes(installer_of(site).read_bytes())
    installer_of(site).unlink()
    (site.folder / "targets" / "releases" / "stable" / NEW / "installers" / "x").touch()
    path = site.folder / "targets" / wanted()
    (path.parent / f"{sha256_of(secret)}.{path.name}").symlink_to(secret)
    refused(site, tmp_path, "is a link that leads out of the site")


def test_a_link_where_the_file_is_to_be_written_is_not_followed(site: Site, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    target = tmp_path / "out.sh"
    target.symlink_to(other)
    site.client(tmp_path / "reader", now=NOW + dt.timedelta(hours=2)).download(
        wanted(), target, NOW + dt.timedelta(hours=2)
    )
    assert other.read_text() == "mine"
    assert not target.is_symlink()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'{"signed": 1}', b"[" * 100_000])
def test_metadata_that_is_damaged(site: Site, tmp_path: Path, data: bytes) -> None:
    (site.folder / "metadata" / "timestamp.json").write_bytes(data)
    refused(site, tmp_path, "metadata cannot be read|site: ")


def test_no_signatures_at_all(site: Site, tmp_path: Path) -> None:
    site.change("timestamp", lambda _: None)
    refused(site, tmp_path, "too few of the keys that may sign have signed: timestamp was signed by 0/1")

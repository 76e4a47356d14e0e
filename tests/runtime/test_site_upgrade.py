"""The desktop's own verifier of sites: what it takes, and what an adversary does not get through it."""

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, TargetFile

from cuvee.runtime import site_upgrade
from cuvee.runtime.failure import InstallError
from cuvee.runtime.signed_metadata import check_quorum, parse, role_of
from cuvee.trust.site_metadata import serialized
from cuvee.trust.track_index import TRACK_INDEX, ListedDelta, ListedInstaller, ListedRelease, TrackIndex
from cuvee.trust.trust_folder import renewed
from signed_sites import FILE, KEYS, NEW, OLD, SIGNERS, Site, new_trust, signed_by_all, wanted

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=3)
OPTIONS = frozenset({"--new-key"})


DELTA = "installers/Tiny-2026.11.0-to-2026.11.1-Linux-x86_64.sh"


def listing(*names: str, deltas: tuple[ListedDelta, ...] = ()) -> dict[str, bytes]:
    installer = ListedInstaller(path=FILE, platform="linux-64", format="sh", size=1, sha256="0" * 64)
    releases = tuple(
        ListedRelease(
            name=name,
            distribution="tiny",
            version=name.partition("-")[2],
            installers=(installer,),
            deltas=deltas if name == NEW else (),
        )
        for name in names
    )
    return {"releases/stable/index.json": TRACK_INDEX.to_bytes(TrackIndex(track="stable", releases=releases))}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(folder=tmp_path / "site", trust=new_trust())
    made.publish(OLD, now=NOW, made=listing(OLD))
    made.publish(NEW, now=NOW + dt.timedelta(hours=1), made=listing(OLD, NEW))
    (tmp_path / "root.json").write_bytes(made.root)
    return made


@pytest.fixture
def upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Upgrade the old release, as far as the handover to the installer; return its text."""
    manifest = SimpleNamespace(distribution="tiny", version="2026.11.0", platform="linux-64", key=None)
    monkeypatch.setattr(site_upgrade, "load", lambda _: SimpleNamespace(manifest=manifest))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    taken: list[str] = []

    def hand_over(prefix: str, installer: str, options: frozenset[str], *, is_verified: bool) -> int:
        assert (prefix, options, is_verified) == ("/opt/tiny", OPTIONS, True)
        taken.append(Path(installer).read_text())
        return 0

    monkeypatch.setattr("cuvee.runtime.installer_handover.upgrade", hand_over)

    def run(folder: Path, *, root: bool = True) -> str:
        taken.clear()
        options = OPTIONS | ({f"--root={tmp_path / 'root.json'}"} if root else set())
        assert site_upgrade.upgrade("/opt/tiny", str(folder), options) == 0
        return "".join(taken)

    return run


def refused(upgraded: Callable[..., str], site: Site, message: str) -> None:
    with pytest.raises(InstallError, match=message):
        upgraded(site.folder)


def test_the_newest_release_is_handed_over_and_the_root_is_remembered(
    site: Site, upgraded: Callable[..., str]
) -> None:
    with pytest.raises(InstallError, match="not known whose signatures count"):
        upgraded(site.folder, root=False)
    assert upgraded(site.folder).startswith(f"installer of {NEW}\n")
    assert upgraded(site.folder, root=False).startswith(f"installer of {NEW}\n")


def test_nothing_is_done_if_there_is_no_newer_one(
    tmp_path: Path, upgraded: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site(folder=tmp_path / "site")
    site.publish(OLD, now=NOW, made=listing(OLD))
    (tmp_path / "root.json").write_bytes(site.root)
    assert upgraded(site.folder) == ""
    assert "no newer release of tiny than 2026.11.0" in capsys.readouterr().out


def delta(**changes: str) -> ListedDelta:
    known = {"path": DELTA, "platform": "linux-64", "format": "sh", "base": "2026.11.0"}
    return ListedDelta(**{**known, **changes}, size=1, sha256="0" * 64)


@pytest.fixture
def with_delta(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that publishes the newer release with deltas, and returns the site."""

    def publish(*deltas: ListedDelta) -> Path:
        made = Site(folder=tmp_path / "site", trust=new_trust())
        made.publish(OLD, NEW, now=NOW, made=listing(OLD, NEW, deltas=deltas), more={DELTA: "the delta\n"})
        (tmp_path / "root.json").write_bytes(made.root)
        return made.folder

    return publish


def test_a_delta_that_fits_is_taken(
    with_delta: Callable[..., Path],
    upgraded: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[tuple[str, str]] = []

    def look(prefix: str, installer: str) -> None:
        asked.append((prefix, Path(installer).name))

    monkeypatch.setattr("cuvee.runtime.installer_handover.refuse_delta", look)
    folder = with_delta(delta(platform="win-64", format="exe"), delta(base="2026.10.0"), delta())
    assert upgraded(folder) == "the delta\n"
    assert asked == [("/opt/tiny", DELTA.rpartition("/")[2])]
    assert capsys.readouterr().out == ""


def test_a_delta_that_does_not_fit_is_not_taken(
    with_delta: Callable[..., Path],
    upgraded: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(*_: str) -> None:
        raise InstallError("1 files that this delta builds on were changed.")

    monkeypatch.setattr("cuvee.runtime.installer_handover.refuse_delta", refuse)
    folder = with_delta(delta())
    assert upgraded(folder).startswith(f"installer of {NEW}\n")
    name = DELTA.rpartition("/")[2]
    said = f"{name} is not used. 1 files that this delta builds on were changed.\n"
    assert capsys.readouterr().out == f"{said}The whole installer is fetched instead.\n"
    path = next((folder / "targets" / "releases" / "stable" / NEW).rglob("*-to-*"))
    path.unlink()  # a mirror may have no deltas
    assert upgraded(folder).startswith(f"installer of {NEW}\n")
    assert f"{name} is not used. {folder} does not have it." in capsys.readouterr().out


def test_other_deltas_are_not_looked_at(
    with_delta: Callable[..., Path], upgraded: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = with_delta(delta(base="2026.10.0"), delta(platform="osx-64"), delta(format="exe"))
    assert upgraded(folder).startswith(f"installer of {NEW}\n")
    assert capsys.readouterr().out == ""


def test_a_delta_that_was_not_signed(with_delta: Callable[..., Path], upgraded: Callable[..., str]) -> None:
    folder = with_delta(delta())
    path = next((folder / "targets" / "releases" / "stable" / NEW).rglob("*-to-*"))
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(InstallError, match="is not the file that was signed"):
        upgraded(folder)


def test_arbitrary_bytes(site: Site, upgraded: Callable[..., str], tmp_path: Path) -> None:
    path = next((site.folder / "targets" / "releases" / "stable" / NEW / "installers").iterdir())
    path.write_bytes(b"x" * path.stat().st_size)
    refused(upgraded, site, "is not the file that was signed")
    path.write_bytes(b"x" * (path.stat().st_size + 1))
    refused(upgraded, site, "has more than")
    folder = tmp_path / "state" / "cuvee" / "sites" / "tiny" / "installers"
    assert not [path for path in folder.iterdir() if path.suffix != ".part"]


def test_an_old_state_as_the_newest(site: Site, upgraded: Callable[..., str], tmp_path: Path) -> None:
    other = Site(folder=tmp_path / "old")
    other.publish(OLD, now=NOW, made=listing(OLD))
    upgraded(site.folder)
    refused(upgraded, other, "older than what this release has seen")


def test_a_stolen_online_key(site: Site, upgraded: Callable[..., str]) -> None:
    def swap(signed: Any) -> None:
        signed.version += 1
        signed.targets[wanted()] = TargetFile.from_data(wanted(), b"malware", ["sha256"])

    site.change(NEW, swap, "snapshot", "timestamp")
    site.announce(NEW)
    refused(upgraded, site, f"{NEW} is signed by 0 of its keys, and 1 must sign")


def test_mixed_metadata(site: Site, upgraded: Callable[..., str], tmp_path: Path) -> None:
    other = Site(folder=tmp_path / "other")
    other.publish(NEW, OLD, now=NOW + dt.timedelta(minutes=5), made=listing(OLD, NEW))
    shutil.copyfile(other.newest("snapshot"), site.newest("snapshot"))
    refused(upgraded, site, "is not the file that was signed|has more than")


def test_an_expired_timestamp(tmp_path: Path, upgraded: Callable[..., str]) -> None:
    site = Site(folder=tmp_path / "site")
    site.publish(OLD, now=NOW - dt.timedelta(days=20), made=listing(OLD))
    (tmp_path / "root.json").write_bytes(site.root)
    refused(upgraded, site, "timestamp of the site has expired on .*, and the clock says")


def test_a_revoked_key_and_a_root_without_the_old_quorum(site: Site, upgraded: Callable[..., str]) -> None:
    upgraded(site.folder)
    draft = renewed(site.trust, NOW + dt.timedelta(hours=2), old=KEYS["timestamp"], new=KEYS["next"])
    root: Metadata[Any] = Metadata.from_bytes(draft["2.root.json"])
    root.sign(SIGNERS["alice"], append=True)
    path = site.folder / "metadata" / "2.root.json"
    path.write_bytes(serialized(root))
    refused(upgraded, site, "root is signed by 1 of its keys, and 2 must sign")
    path.unlink()
    site.trust |= signed_by_all(site.trust | draft)
    site.publish(now=NOW + dt.timedelta(hours=2), made=listing(OLD, NEW))
    assert upgraded(site.folder).startswith(f"installer of {NEW}\n")
    site.announce()
    refused(upgraded, site, "timestamp is signed by 0 of its keys")


def test_a_link_that_leads_out_of_the_site(site: Site, upgraded: Callable[..., str], tmp_path: Path) -> None:
    path = next((site.folder / "targets" / "releases" / "stable" / NEW / "installers").iterdir())
    shutil.move(path, tmp_path / "secret")
    path.symlink_to(tmp_path / "secret")
    refused(upgraded, site, "is a link that leads out of the site")


def test_the_releases_own_cryptography_verifies_ecdsa() -> None:
    from tuf.api.metadata import Root

    signer = CryptoSigner(ec.generate_private_key(ec.SECP256R1()))
    root = Root(expires=NOW)
    root.add_key(signer.public_key, "root")
    metadata: Metadata[Any] = Metadata(root)
    metadata.sign(signer)
    good = parse(serialized(metadata), "root")
    check_quorum(good, role_of(good, "root"))
    with pytest.raises(InstallError, match="signed by 0 of its keys"):
        check_quorum(good._replace(payload=good.payload + b" "), role_of(good, "root"))


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b'{"signed": 1}', b"[" * 100_000, b'{"signed": {}, "signatures": [{"keyid": []}]}'],
)
def test_what_is_not_metadata(data: bytes) -> None:
    with pytest.raises(InstallError, match="cannot be read"):
        parse(data, "root")

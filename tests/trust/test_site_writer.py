"""Writing and mirroring sites: reproducible, whole for every reader, and whatever stops it."""

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cuvee.errors import IntegrityError, StorageError, UsageError
from cuvee.trust.release_bundle import write_bundles
from cuvee.trust.site_fetch import chosen_installer, chosen_release, fetch_installer, releases_of
from cuvee.trust.site_mirror import mirror_site
from cuvee.trust.track_index import TRACK_INDEX, ListedInstaller, ListedRelease, TrackIndex
from cuvee.trust.trust_folder import renewed
from scripted_server import ScriptedServer, cut, serving
from signed_sites import (
    FILE,
    KEYS,
    NEW,
    NOW,
    OLD,
    SIGNERS,
    Site,
    new_trust,
    serve_folder,
    signed_by_all,
    wanted,
)

LATER = NOW + dt.timedelta(hours=1)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def installer(site: Site, tmp_path: Path, release: str, *, state: str, now: dt.datetime = LATER) -> str:
    target = tmp_path / "got" / state
    site.client(tmp_path / state, now=now).download(wanted(release), target, now)
    return target.read_text().partition("\n")[0]


def test_the_same_releases_at_the_same_times_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        site = Site(folder=tmp_path / name)
        site.publish(OLD)
        site.publish(NEW, now=LATER)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_nothing_is_signed_again_before_half_of_its_time_is_over(tmp_path: Path) -> None:
    site = Site(folder=tmp_path / "site")
    site.publish(OLD)
    before = contents(site.folder)
    site.publish(now=NOW + dt.timedelta(days=6))
    assert contents(site.folder) == before
    metadata = site.publish(now=NOW + dt.timedelta(days=8))
    assert [name for name in metadata if not name.endswith("root.json")] == [
        "1.targets.json",
        "2.snapshot.json",
        "timestamp.json",
    ]
    metadata = site.publish(now=NOW + dt.timedelta(days=100))
    assert {"2.site.json", f"2.{OLD}.json", "2.stable.json"} <= metadata.keys()


def test_a_site_that_has_expired_can_be_renewed(tmp_path: Path) -> None:
    site = Site(folder=tmp_path / "site")
    site.publish(OLD)
    late = NOW + dt.timedelta(days=300)
    site.publish(now=late)
    assert installer(site, tmp_path, OLD, state="reader", now=late) == f"installer of {OLD}"


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Let the n-th file that is put into its place fail, as on a full disk or by SIGKILL."""
    replace = Path.replace

    def at(number: int, error: BaseException) -> list[str]:
        done: list[str] = []

        def counting(self: Path, target: Any) -> Path:
            if len(done) == number:
                raise error
            done.append(str(target))
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", counting)
        return done

    yield at
    monkeypatch.undo()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_whatever_stops_a_run_a_reader_gets_the_old_state_and_the_next_run_ends_it(
    tmp_path: Path, failing: Any, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    good = Site(folder=tmp_path / "good")
    good.publish(OLD)
    shutil.copytree(good.folder, tmp_path / "base")
    good.publish(NEW, now=LATER)
    total = 0
    while True:
        site = Site(folder=tmp_path / f"site{total}")
        shutil.copytree(tmp_path / "base", site.folder)
        failing(total, error)
        try:
            site.publish(NEW, now=LATER)
        except (StorageError, KeyboardInterrupt):
            monkeypatch.undo()
            assert installer(site, tmp_path, OLD, state=f"reader{total}") == f"installer of {OLD}"
            with pytest.raises(IntegrityError, match=f"has no .*{NEW}.* that is signed"):
                installer(site, tmp_path, NEW, state=f"reader{total}")
            site.publish(NEW, now=LATER)
        else:
            monkeypatch.undo()
            break
        assert contents(site.folder) == contents(good.folder)
        total += 1
        assert total < 100
    assert total >= 10


def test_a_key_that_is_missing_publishes_nothing(tmp_path: Path) -> None:
    site = Site(folder=tmp_path / "site")
    site.publish(OLD)
    before = (site.folder / "metadata" / "timestamp.json").read_bytes()
    with pytest.raises(UsageError, match=r"tiny-2026\.11\.1 needs 1 of 1 signatures, and has 0") as caught:
        site.publish(NEW, now=LATER, signers=("site", "snapshot", "timestamp"))
    assert caught.value.hint is not None
    assert "stable (" in caught.value.hint
    assert (site.folder / "metadata" / "timestamp.json").read_bytes() == before


def test_a_clock_that_is_behind_publishes_nothing(tmp_path: Path) -> None:
    site = Site(folder=tmp_path / "site")
    site.publish(OLD)
    with pytest.raises(UsageError, match=r"clock says 2023-11-30 .* published at 2026-11-29"):
        site.publish(NEW, now=NOW - dt.timedelta(days=3 * 365))


def test_a_trust_folder_that_has_expired_or_a_clock_that_is_ahead_publishes_nothing(tmp_path: Path) -> None:
    site = Site(folder=tmp_path / "site")
    site.publish(OLD)
    with pytest.raises(UsageError, match=r"root has signed .* expired on 2027-11-29, and .* says 2029-11-28"):
        site.publish(NEW, now=NOW + dt.timedelta(days=3 * 365))


def test_a_track_without_keys_is_named(tmp_path: Path) -> None:
    site = Site(folder=tmp_path / "site")
    with pytest.raises(UsageError, match="says nothing of the track lts"):
        site.publish(OLD, track="lts")


def test_a_site_that_was_changed_is_not_signed_again(tmp_path: Path) -> None:
    # Somebody who can write to the server changes a list; the next publication does not sign it.
    site = Site(folder=tmp_path / "site")
    site.publish(OLD)
    site.change("stable", lambda signed: signed.targets.clear(), "thief")
    with pytest.raises(IntegrityError, match=r"metadata/1\.stable\.json is not what was signed"):
        site.publish(NEW, now=LATER)
    site.announce("stable")
    with pytest.raises(IntegrityError, match=r"stable\.json lacks signatures"):
        site.publish(NEW, now=LATER)


def test_the_trust_folder_of_another_distribution_publishes_nothing(tmp_path: Path) -> None:
    site = Site(folder=tmp_path / "site")
    site.publish(OLD)
    site.trust = new_trust(timestamp=(1, ("next",)))
    with pytest.raises(IntegrityError, match=r"metadata/1\.root\.json of the site is not that of the trust"):
        site.publish(NEW, now=LATER)


def test_a_new_root_reaches_the_site_and_its_readers(tmp_path: Path) -> None:
    site = Site(folder=tmp_path / "site")
    site.publish(OLD)
    assert installer(site, tmp_path, OLD, state="reader") == f"installer of {OLD}"
    site.trust |= signed_by_all(site.trust | renewed(site.trust, LATER, old=KEYS["stable"], new=KEYS["next"]))
    site.publish(NEW, now=LATER, signers=("next", "site", "snapshot", "timestamp"))
    assert installer(site, tmp_path, OLD, state="reader") == f"installer of {OLD}"
    assert installer(site, tmp_path, NEW, state="reader") == f"installer of {NEW}"
    assert (site.folder / "metadata" / "2.root.json").is_file()
    assert SIGNERS["next"].public_key.keyid in (site.folder / "metadata" / f"2.{OLD}.json").read_text()


# --- mirrors ---------------------------------------------------------------------------------------------


@pytest.fixture
def listed(tmp_path: Path) -> Site:
    """A site whose list of releases names installers."""
    site = Site(folder=tmp_path / "site")
    index = TrackIndex(
        track="stable",
        releases=tuple(
            ListedRelease(
                name=name,
                distribution="tiny",
                version=name.partition("-")[2],
                installers=(
                    ListedInstaller(path=FILE, platform="linux-64", format="sh", size=1, sha256="0" * 64),
                ),
            )
            for name in (OLD, NEW)
        ),
    )
    listing = {"releases/stable/index.json": TRACK_INDEX.to_bytes(index)}
    site.publish(OLD, NEW, made={**listing, "channel/noarch/repodata.json": b"{}"})
    return site


def test_a_mirror_of_all_has_all_and_is_verified_again(listed: Site, tmp_path: Path) -> None:
    mirror = tmp_path / "disk"
    done = mirror_site(listed.client(tmp_path / "reader"), mirror, NOW)
    assert write_bundles(listed.folder) == tuple(
        f"releases/stable/{name}/trust/bundle.zip" for name in (OLD, NEW)
    )
    assert contents(mirror) == contents(listed.folder)
    assert done.releases == (NEW, OLD)
    again = mirror_site(listed.client(tmp_path / "reader"), mirror, NOW)
    assert (again.fetched, again.kept) == (0, done.fetched)
    other = Site(folder=mirror, trust=listed.trust)
    client = other.client(tmp_path / "behind the gap")
    release = chosen_release(releases_of(client, NOW), "tiny", "disk")
    assert release.listed.name == NEW
    found = fetch_installer(
        client, release, chosen_installer(release, "linux-64", None), tmp_path / "out", NOW
    )
    assert found.path.read_text().startswith(f"installer of {NEW}\n")
    assert not found.was_there
    path = next((mirror / "targets" / "releases" / "stable" / OLD / "installers").iterdir())
    path.write_bytes(b"x" * path.stat().st_size)
    release = chosen_release(releases_of(client, NOW), OLD, "disk")
    with pytest.raises(IntegrityError, match=r"targets/.*\.sh is not the one that was signed"):
        fetch_installer(client, release, release.listed.installers[0], tmp_path / "out2", NOW)
    assert mirror_site(listed.client(tmp_path / "reader"), mirror, NOW).fetched == 1


def test_a_mirror_of_one_release_has_neither_the_others_nor_the_channel(listed: Site, tmp_path: Path) -> None:
    mirror = tmp_path / "disk"
    mirror_site(listed.client(tmp_path / "reader"), mirror, NOW, releases=[OLD])
    names = contents(mirror)
    assert f"releases/stable/{OLD}/{FILE}" in names
    assert not [name for name in names if NEW in name and not name.startswith("metadata/")]
    assert not [name for name in names if name.startswith(("channel/", "targets/channel/"))]
    other = Site(folder=mirror, trust=listed.trust)
    assert installer(other, tmp_path, OLD, state="gap", now=NOW) == f"installer of {OLD}"


def test_a_release_that_the_site_lacks(listed: Site, tmp_path: Path) -> None:
    client = listed.client(tmp_path / "reader")
    with pytest.raises(UsageError, match=r"has no release tiny-2030\.1\.0"):
        mirror_site(client, tmp_path / "disk", NOW, releases=["tiny-2030.1.0"])
    with pytest.raises(UsageError, match="x has no release other"):
        chosen_release(releases_of(client, NOW), "other", "x")
    with pytest.raises(UsageError, match="has no track lts"):
        releases_of(client, NOW, "lts")
    release = chosen_release(releases_of(client, NOW), OLD, "x")
    with pytest.raises(UsageError, match=f"{OLD} has no msi for win-64"):
        chosen_installer(release, "win-64", "msi")


# --- interrupted downloads -------------------------------------------------------------------------------


@pytest.fixture
def server(listed: Site) -> Iterator[ScriptedServer]:
    with serving() as found:
        serve_folder(found, listed.folder)
        yield found


@pytest.mark.real
def test_a_download_goes_on_in_another_run(listed: Site, server: ScriptedServer, tmp_path: Path) -> None:
    path = next((listed.folder / "targets" / "releases" / "stable" / OLD / "installers").iterdir())
    name = f"/{path.relative_to(listed.folder).as_posix()}"
    data = path.read_bytes()
    server.answers[name] = cut(data, 100)
    client = listed.client(tmp_path / "reader", url=server.url)
    client.source.transfer._wait = lambda *_: None  # type: ignore[method-assign]
    with pytest.raises(Exception, match="could not be downloaded"):
        client.download(wanted(OLD), tmp_path / "out", NOW)
    assert not (tmp_path / "out").exists()
    del server.answers[name]
    server.seen.clear()
    listed.client(tmp_path / "reader", url=server.url).download(wanted(OLD), tmp_path / "out", NOW)
    assert (tmp_path / "out").read_bytes() == data
    assert f"{name} Range=bytes=100-" in server.seen
    assert not list((tmp_path / "reader" / "parts").iterdir())

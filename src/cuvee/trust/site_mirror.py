"""Mirroring a site to a folder, such as a disk that crosses an air gap; the reader verifies it again."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cuvee.approvals.sums_file import SUMS, parse_sums
from cuvee.errors import IntegrityError, UsageError
from cuvee.files import locked_file, sha256_file
from cuvee.progress import SILENT, Reporter
from cuvee.trust.release_bundle import shared_paths, write_bundles
from cuvee.trust.site_client import SiteClient, files_of_release
from cuvee.trust.site_fetch import SiteRelease, releases_of
from cuvee.trust.site_roles import INDEX, RELEASES, SITE, TOP_ROLES, check_path
from cuvee.trust.site_writer import (
    TARGETS_FOLDER,
    hashed_path,
    link_signed,
    remove_parts,
    write_metadata,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MirroredSite:
    """What a mirror has.

    Attributes
    ----------
    fetched
        How many files were fetched now.
    kept
        How many were there already, with the same bytes.
    size
        Bytes of all of them.
    """

    folder: Path
    releases: tuple[str, ...]
    fetched: int
    kept: int
    size: int


def mirror_site(
    client: SiteClient,
    folder: Path,
    now: dt.datetime,
    *,
    releases: Sequence[str] = (),
    reporter: Reporter = SILENT,
) -> MirroredSite:
    """Copy what a site has signed; metadata comes last, so that a reader finds all that it names.

    Parameters
    ----------
    releases
        Only these, and no packages of the channel; all of the site if empty.

    Raises
    ------
    UsageError
        If the site has no such release.
    IntegrityError
        If a file is not what was signed.
    """
    with locked_file(folder / ".lock", folder=folder):
        remove_parts(folder)
        there = releases_of(client, now)
        unknown = sorted(set(releases) - {item.listed.name for item in there})
        if unknown:
            names = ", ".join(item.listed.name for item in there) or "none"
            raise UsageError(
                f"{client.source.shown} has no release {', '.join(unknown)}", hint=f"It has {names}."
            )
        chosen = [item for item in there if not releases or item.listed.name in releases]
        shared = {*_shared(client, now, channel=not releases)}
        paths = [*shared, *{f"{RELEASES}/{item.track}/{INDEX}" for item in there}]
        for item in chosen:
            paths += files_of_release(client, item.track, item.listed.name, now)
            paths += [path for path in _attestations(client, item, now) if path not in shared]
        for item in there:  # their lists, which the snapshot names
            client.signed(f"{RELEASES}/{item.track}/{item.listed.name}/{SUMS}", now)
        fetched, size = _copy(client, sorted(paths), folder, now, reporter)
        write_metadata(folder, _metadata(client))
        write_bundles(folder, {item.listed.name for item in chosen}.__contains__)
    return MirroredSite(
        folder=folder,
        releases=tuple(item.listed.name for item in chosen),
        fetched=fetched,
        kept=len(paths) - fetched,
        size=size,
    )


def _shared(client: SiteClient, now: dt.datetime, *, channel: bool) -> list[str]:
    client.signed("index.html", now)  # makes the list of `site` known
    paths = [
        path for path in client.metadata(SITE).signed.targets if channel or not path.startswith("channel/")
    ]
    for path in paths:
        check_path(path)
    return paths


def _attestations(client: SiteClient, item: SiteRelease, now: dt.datetime) -> frozenset[str]:
    """Return what the bundle of a release needs of the channel."""
    path = f"{RELEASES}/{item.track}/{item.listed.name}/{SUMS}"
    sums = parse_sums((client.read(path, now) or b"").decode(errors="replace"), source=path)
    return shared_paths(client.metadata(SITE).signed.targets, sums)


def _copy(
    client: SiteClient, paths: Sequence[str], folder: Path, now: dt.datetime, reporter: Reporter
) -> tuple[int, int]:
    task = "Mirroring files"
    reporter.start(task, total=len(paths))
    fetched = size = 0
    for path in paths:
        signed = client.signed(path, now)
        if signed is None:  # a list names what is outside of its paths
            continue
        sha256 = signed.hashes.get("sha256", "")
        if not sha256:
            raise IntegrityError(f"{path} is signed without its SHA-256", hint="Nothing more was mirrored.")
        kept = folder / TARGETS_FOLDER / hashed_path(path, sha256)
        if not kept.is_file() or kept.is_symlink() or sha256_file(kept) != sha256:
            client.download(path, kept, now)
            fetched += 1
        link_signed(kept, folder / path, sha256)
        size += signed.length
        reporter.advance(task, note=path)
    reporter.finish(task, note=f"{fetched} fetched, {len(paths) - fetched} there already")
    return fetched, size


def _metadata(client: SiteClient) -> dict[str, bytes]:
    """Return the verified metadata by its names in a site, the timestamp last."""
    roots = sorted((client.state / "root_history").glob("*.root.json"))
    newest = client.metadata("root").signed.version
    found = {path.name: path.read_bytes() for path in roots if int(path.name.split(".")[0]) <= newest}
    snapshot = client.metadata("snapshot").signed
    for name, meta in sorted(snapshot.meta.items()):
        path = client.state / name
        if path.is_file():
            found[f"{meta.version}.{name}"] = path.read_bytes()
    version = client.metadata(TOP_ROLES[3]).signed.snapshot_meta.version
    found[f"{version}.snapshot.json"] = (client.state / "snapshot.json").read_bytes()
    found["timestamp.json"] = (client.state / "timestamp.json").read_bytes()
    return found

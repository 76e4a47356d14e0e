"""Publishing releases as a site: the channel, release folders, pages, feeds, and metadata that signs them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.approvals.decision_log import LOG, LogEntry, revoked_keys
from cuvee.errors import BlockedError, IntegrityError, UsageError
from cuvee.files import locked_file, sha256_bytes
from cuvee.progress import Reporter
from cuvee.release.approving import require_approvals
from cuvee.release.published_attestations import Attester, attest
from cuvee.release.published_channel import CHANNEL, ChannelPlan, add_release, published_records
from cuvee.release.published_files import PublishedRelease, published_release
from cuvee.release.record import Release
from cuvee.release.site_log import continued_log, next_log
from cuvee.temporary_folders import temporary_folder
from cuvee.trust.publish_attestations import is_sidecar
from cuvee.trust.site_roles import INDEX, RELEASES, TRACKS
from cuvee.trust.site_writer import (
    METADATA_FOLDER,
    SiteFile,
    check_files,
    copy_fixed,
    read_signed,
    remove_parts,
    write_made,
)
from cuvee.trust.track_index import TRACK_INDEX, ListedRelease, TrackIndex

if TYPE_CHECKING:
    from tuf.api.metadata import Metadata, Targets

    from cuvee.trust.site_metadata import Files, Published, Signers
    from cuvee.trust.trusted_roots import Roots


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSigning:
    """Who signs a site."""

    roots: "Roots"
    targets: "Metadata[Targets]"
    signers: "Signers"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSite:
    """What publishing has done.

    Attributes
    ----------
    releases
        Those that were published now.
    added
        The archives that the channel did not have, ``<subdir>/<file>``, sorted.
    kept
        How many archives of the releases it had already.
    signed
        The versions of the metadata that are new, such as ``4.snapshot.json``.
    bundles
        The bundles that are new, since something of what they have is.
    """

    folder: Path
    releases: tuple[str, ...]
    added: tuple[str, ...]
    kept: int
    signed: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()


@dataclass(slots=True)
class _Work:
    """One run, from what a site has to what it is to have."""

    site: Path
    signing: SiteSigning | None
    before: "Published | None"
    channel: ChannelPlan
    releases: list[PublishedRelease] = field(default_factory=list)

    def signed_before(self, role: str) -> "Files":
        return self.before.files(role) if self.before is not None else {}

    def tracks(self) -> dict[str, list[str]]:
        """Return the releases of each track, those of this run among them."""
        found: dict[str, set[str]] = {}
        for track in TRACKS:
            folder = self.site / RELEASES / track
            if self.before is not None:
                found[track] = set(self.before.releases.get(track, ()))
            elif self.signing is None and folder.is_dir():
                found[track] = {path.name for path in folder.iterdir() if (path / "release.json").is_file()}
        for item in self.releases:
            found.setdefault(item.track, set()).add(item.name)
        return {track: sorted(names) for track, names in found.items() if names}


def publish_site(
    folders: Sequence[Path],
    site: Path,
    reporter: Reporter,
    *,
    now: dt.datetime,
    signing: SiteSigning | None = None,
    others: Mapping[str, bytes] | None = None,
) -> PublishedSite:
    """Add releases to a site; without any, renew what is signed.

    Parameters
    ----------
    signing
        Who signs it; without, the site has no metadata.
    others
        More files, such as errata, by path. Those that an earlier run has published stay.

    Raises
    ------
    BlockedError
        If a release is not ready, or something was published with other bytes.
    IntegrityError
        If a file of a release is not what was cut, or one of the site not what was signed.
    UsageError
        If the site is signed and no signer is given, or signatures are missing.
    """
    with locked_file(site / ".lock", folder=site):
        remove_parts(site)
        work = _begin(site, signing)
        entries = _log(work)
        attested: dict[str, bytes] = {}
        for folder in folders:
            release = _ready(folder, now, entries or ())
            paths = add_release(work.channel, release)
            work.releases.append(published_release(release))
            attested |= _attest(work, work.releases[-1], paths)
        _check_unchanged(work)
        releases = [item.release for item in work.releases]
        log = {LOG: next_log(entries or (), releases, now)} if releases or entries is not None else {}
        fixed = _copy(work, reporter)
        made = {**_kept(work), **(others or {}), **attested, **_channel_files(work), **_pages(work), **log}
        indexes = _indexes(work)
        metadata = _metadata(work, fixed, made, indexes, now) if signing is not None else {}
        write_made(site, {**made, **indexes}, metadata)
        bundles = _bundles(site) if signing is not None else ()
    return PublishedSite(
        folder=site,
        releases=tuple(item.name for item in work.releases),
        added=tuple(sorted(work.channel.sources)),
        kept=work.channel.kept,
        signed=tuple(metadata),
        bundles=bundles,
    )


def _bundles(site: Path) -> tuple[str, ...]:
    from cuvee.trust.release_bundle import write_bundles

    return write_bundles(site)


def _begin(site: Path, signing: SiteSigning | None) -> _Work:
    channel = site / CHANNEL
    if signing is None:
        if (site / METADATA_FOLDER / "timestamp.json").exists():
            raise UsageError(
                f"{site} is signed, and what you publish would not be",
                hint="Name the trust folder with --trust and the keys with --key.",
            )
        plan = ChannelPlan(channel=channel, records=published_records(channel))
        return _Work(site=site, signing=None, before=None, channel=plan)
    from cuvee.trust.site_metadata import read_published

    def read(name: str) -> bytes | None:
        path = site / METADATA_FOLDER / name
        return path.read_bytes() if path.is_file() else None

    before = read_published(read, signing.roots)
    files = before.files("site") if before is not None else {}

    def index(path: Path) -> bytes | None:
        return read_signed(site, files, path.relative_to(site).as_posix())

    records = published_records(channel, index if before is not None else Path.read_bytes)
    plan = ChannelPlan(channel=channel, records=records)
    return _Work(site=site, signing=signing, before=before, channel=plan)


def _log(work: _Work) -> tuple[LogEntry, ...] | None:
    """Return the log that the site has; `None` without any."""
    path = work.site / LOG
    there = path.read_bytes() if path.is_file() else None
    return continued_log(read_signed(work.site, work.signed_before("site"), LOG), there, source=str(path))


def _ready(folder: Path, now: dt.datetime, entries: tuple[LogEntry, ...]) -> Release:
    """Return a release that may be published: ready, and approved with keys that the log does not revoke."""
    release = require_approvals(folder, now.date(), revoked=revoked_keys(entries))
    if release.exit_code:
        raise BlockedError(
            f"{release.name} is {release.verdict.value}: it cannot be published",
            hint=f"`cuvee report {folder}` says what must be done first.",
        )
    return release


def _attest(work: _Work, item: PublishedRelease, paths: Sequence[str]) -> dict[str, bytes]:
    """Return the attestations of a release's packages, by path in the site; none if it is not signed."""
    if work.signing is None:
        return {}
    from cuvee.trust.site_metadata import role_signers

    attester = Attester(
        signers=role_signers(work.signing.targets, item.track, work.signing.signers),
        read=lambda path: read_signed(work.site, work.signed_before("site"), f"{CHANNEL}/{path}"),
    )
    made = attest(work.channel, paths, attester, channel=item.release.manifest.channel_url or "")
    return {f"{CHANNEL}/{path}": data for path, data in made.items()}


def _check_unchanged(work: _Work) -> None:
    """Raise if a release was published in another track, or with other bytes."""
    tracks = work.tracks()
    for item in work.releases:
        elsewhere = [track for track, names in tracks.items() if item.name in names and track != item.track]
        if elsewhere:
            raise BlockedError(
                f"{item.name} is published in the track {elsewhere[0]}, and its manifest says {item.track}",
                hint="A published release never changes. Give the new one another number.",
            )
        before = work.signed_before(item.name)
        for path, source in item.files.items():
            signed = before.get(path)
            if signed is not None and signed.sha256 != source.sha256:
                raise BlockedError(
                    f"{path} is not the one that is published: {source.sha256}, not {signed.sha256}",
                    hint="A published release never changes. Give the new one another number.",
                )


def _copy(work: _Work, reporter: Reporter) -> "Files":
    """Copy what never changes; return what was not there before."""
    fixed = {
        f"{CHANNEL}/{path}": SiteFile(path=archive, sha256=sha256)
        for path, (archive, sha256) in work.channel.sources.items()
    }
    if work.signing is not None:
        known = work.signed_before("site")
        for subdir, records in work.channel.records.items():
            for name, record in records.items():  # also those of a site that was not signed until now
                path = f"{CHANNEL}/{subdir}/{name}"
                if path not in known:
                    here = SiteFile(path=work.site / path, sha256=record["sha256"])
                    fixed.setdefault(path, here)
    for item in work.releases:
        fixed |= item.files
    return copy_fixed(work.site, fixed, hashed=work.signing is not None, reporter=reporter)


def _kept(work: _Work) -> dict[str, bytes]:
    """Return the files that earlier runs were given, such as errata, as they were signed."""
    return {
        path: data
        for path in work.signed_before("site")
        if path.startswith("errata/")
        and (data := read_signed(work.site, work.signed_before("site"), path)) is not None
    }


def _channel_files(work: _Work) -> dict[str, bytes]:
    return {f"{CHANNEL}/{path}": data for path, data in work.channel.indexes().items()}


def _pages(work: _Work) -> dict[str, bytes]:
    """Return the page of all releases, with feeds and badges; each release's own page is in its folder."""
    from cuvee.report.index_writer import read_entries, write_index

    folders = []
    new = {item.name for item in work.releases}
    for track, names in work.tracks().items():
        for name in names:
            files = work.signed_before(name)
            if name not in new:
                check_files(work.site, files, (path for path in files if not path.endswith(_INSTALLERS)))
            folders.append(work.site / RELEASES / track / name)
    if not folders:
        return {}
    entries, problems = read_entries(sorted(folders, key=lambda path: path.name), work.site)
    with temporary_folder("site") as folder:
        written = write_index(entries, problems, folder)
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in written}


_INSTALLERS = (".sh", ".exe", ".msi", ".pkg", ".conda")
"""What no page is made of, and would take long to read."""


def _indexes(work: _Work) -> dict[str, bytes]:
    """Return the list of each track's releases, with their installers, which its own keys sign."""
    found = {}
    for track, names in work.tracks().items():
        path = f"{RELEASES}/{track}/{INDEX}"
        known = {item.name: item for item in _listed(work, path, track)}
        known |= {item.name: item.listed() for item in work.releases if item.track == track}
        missing = [name for name in names if name not in known]
        if missing:
            raise IntegrityError(
                f"{path} does not name {', '.join(missing)}", hint="Publish these releases again."
            )
        index = TrackIndex(track=track, releases=tuple(known[name] for name in names))
        found[path] = TRACK_INDEX.to_bytes(index)
    return found


def _listed(work: _Work, path: str, track: str) -> tuple[ListedRelease, ...]:
    if work.signing is not None:
        data = read_signed(work.site, work.signed_before(track), path)
    else:
        data = (work.site / path).read_bytes() if (work.site / path).is_file() else None
    return TRACK_INDEX.from_bytes(data, source=str(work.site / path)).releases if data is not None else ()


def _metadata(
    work: _Work, fixed: "Files", made: Mapping[str, bytes], indexes: Mapping[str, bytes], now: dt.datetime
) -> dict[str, bytes]:
    from cuvee.trust.site_metadata import NewFiles, next_metadata, signed_files

    signing = work.signing
    if signing is None:
        raise ValueError("there is no signer")
    archives = {
        path: item
        for path, item in work.signed_before("site").items()
        if path.endswith(".conda") or is_sidecar(path)
    }
    shared = {path: item for path, item in fixed.items() if path.startswith(f"{CHANNEL}/")}
    releases: dict[str, dict[str, Files]] = {}
    for item in work.releases:
        mine = {path: fixed[path] for path in item.files}
        releases.setdefault(item.track, {})[item.name] = {**work.signed_before(item.name), **mine}
    listed = signed_files(indexes.items())
    metadata = next_metadata(
        work.before,
        NewFiles(
            site={**archives, **shared, **signed_files(made.items())},
            indexes={path.split("/")[1]: {path: item} for path, item in listed.items()},
            releases=releases,
        ),
        signing.roots,
        signing.targets,
        signers=signing.signers,
        now=now,
    )

    def is_new(name: str, data: bytes) -> bool:
        path = work.site / METADATA_FOLDER / name
        return not path.is_file() or sha256_bytes(path.read_bytes()) != sha256_bytes(data)

    return {name: data for name, data in metadata.items() if is_new(name, data)}

"""Fetching an installer of a release from a site or its mirror: a verified file, and nothing is installed."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from cuvee.errors import UsageError
from cuvee.files import sha256_file
from cuvee.manifest.model import ReleaseVersion
from cuvee.trust.site_client import SiteClient
from cuvee.trust.site_roles import INDEX, RELEASES, check_path
from cuvee.trust.track_index import TRACK_INDEX, ListedInstaller, ListedRelease

_LEAST = "edge"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedFile:
    """A file that was handed over.

    Attributes
    ----------
    was_there
        Whether an earlier run had written the same bytes.
    """

    release: str
    track: str
    path: Path
    size: int
    sha256: str
    was_there: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRelease:
    """A release of a site, and the track whose keys have signed it."""

    track: str
    listed: ListedRelease


def releases_of(client: SiteClient, now: dt.datetime, track: str | None = None) -> tuple[SiteRelease, ...]:
    """Return the releases of a site, those of the tracks that promise most first, the newest first.

    Raises
    ------
    UsageError
        If the site has no such track.
    """
    tracks = client.tracks()
    if track is not None and track not in tracks:
        raise UsageError(
            f"{client.source.shown} has no track {track}", hint=f"It has {', '.join(tracks) or 'none'}."
        )
    found = []
    for name in tracks if track is None else (track,):
        path = f"{RELEASES}/{name}/{INDEX}"
        data = client.read(path, now)
        if data is None:
            continue
        signed = set(client.releases(name, now))
        listed = TRACK_INDEX.from_bytes(data, source=path).releases
        named = [item for item in listed if item.name in signed]
        found += [
            SiteRelease(track=name, listed=item)
            for item in sorted(named, key=lambda item: _order(item.version), reverse=True)
        ]
    return tuple(found)


def _order(version: str) -> tuple[int, ...]:
    found = ReleaseVersion.parse(version)
    return found.year, found.month, found.patch


def chosen_release(releases: tuple[SiteRelease, ...], name: str, site: str) -> SiteRelease:
    """Return the release of a name, or the newest one of a distribution.

    The newest one is not of the track ``edge``, if another track has any.

    Raises
    ------
    UsageError
        If there is none.
    """
    exact = [item for item in releases if item.listed.name == name]
    if exact:
        return exact[0]
    mine = [item for item in releases if item.listed.distribution == name]
    mine = [item for item in mine if item.track != _LEAST] or mine
    if mine:
        return max(mine, key=lambda item: _order(item.listed.version))
    names = ", ".join(item.listed.name for item in releases[:8])
    raise UsageError(
        f"{site} has no release {name}", hint=f"It has {names}." if names else "It has no release at all."
    )


def chosen_installer(release: SiteRelease, platform: str | None, format_: str | None) -> ListedInstaller:
    """Return the installer for a platform, in a format.

    Raises
    ------
    UsageError
        If there is none, or several formats fit.
    """
    all_ = release.listed.installers
    fitting = [
        item
        for item in all_
        if (platform is None or item.platform == platform) and format_ in {None, item.format}
    ]
    there = ", ".join(f"{item.format} for {item.platform}" for item in all_) or "no installer"
    if not fitting:
        raise UsageError(
            f"{release.listed.name} has no {format_ or 'installer'} for {platform or 'any platform'}",
            hint=f"It has {there}: name one with --platform and --format.",
        )
    if len(fitting) > 1:
        raise UsageError(
            f"{release.listed.name} has several installers: {there}",
            hint="Name one with --platform and --format.",
        )
    return fitting[0]


def fetch_installer(
    client: SiteClient, release: SiteRelease, installer: ListedInstaller, folder: Path, now: dt.datetime
) -> FetchedFile:
    """Write an installer into a folder, verified.

    Raises
    ------
    IntegrityError
        If the track's keys have not signed it, or the site has other bytes.
    """
    path = f"{RELEASES}/{release.track}/{release.listed.name}/{installer.path}"
    check_path(path)
    target = folder / path.rpartition("/")[2]
    was_there = client.has(path, target, now)
    if not was_there:
        client.download(path, target, now)
    size, sha256 = target.stat().st_size, sha256_file(target)
    return FetchedFile(
        release=release.listed.name,
        track=release.track,
        path=target,
        size=size,
        sha256=sha256,
        was_there=was_there,
    )

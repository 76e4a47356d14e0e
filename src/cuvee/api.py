"""What `import cuvee` gives: the few names that a notebook or another program needs.

Everything else in this package may change without notice.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path

from cuvee.data_frames import Rows
from cuvee.graph import reasons
from cuvee.graph.channel_check.model import PlatformResult
from cuvee.graph.diff.compare import compare
from cuvee.graph.diff.model import Comparison
from cuvee.graph.reasons import Why
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.graph.release_graph import build_graph as graph_of_lock
from cuvee.lock.model import Lock
from cuvee.lock.pixi_lock import read_lock as read_pixi_lock
from cuvee.manifest.model import Manifest
from cuvee.progress import SILENT, Reporter
from cuvee.release.named_manifest import named_manifest
from cuvee.release.record import Release
from cuvee.release.release_snapshot import snapshot_of

__all__ = [
    "Release",
    "build_graph",
    "check_channel",
    "cut_release",
    "diff",
    "load_manifest",
    "read_lock",
    "why",
]

StrPath = str | Path
"""A path, as text or as a `pathlib.Path`."""


def load_manifest(path: StrPath, *, today: dt.date | None = None) -> Manifest:
    """Return the evaluated manifest at ``path``, with everything that it inherits.

    Parameters
    ----------
    today
        The day by which waivers may have expired; by default the current one.

    Raises
    ------
    ManifestError
        If the manifest has problems; the message shows all of them, each with its line.
    UsageError
        If it is a folder, or a file of another kind.
    """
    return named_manifest(Path(path), today=today or _now().date())


def read_lock(path: StrPath) -> Lock:
    """Return the lock at ``path``: a ``pixi.lock``, or the folder of a release that has one.

    Raises
    ------
    UsageError
        If there is no lock.
    SourceUnreachableError
        If it cannot be read.
    """
    path = Path(path)
    return read_pixi_lock(path / "lock" / "pixi.lock" if path.is_dir() else path)


def build_graph(release: Release | Manifest, lock: Lock | None = None) -> ReleaseGraph:
    """Return the graph of a release: per platform, which package depends on which, and whether it is met.

    Parameters
    ----------
    release
        A release, or a manifest together with its lock.
    lock
        The lock to look at; left out, it is that of the release.

    Raises
    ------
    TypeError
        If there is a manifest without a lock.
    """
    if isinstance(release, Release):
        return release.graph if lock is None else graph_of_lock(release.manifest, lock, release.absent)
    if lock is None:
        raise TypeError("a manifest has no lock of its own; pass one: build_graph(manifest, lock)")
    return graph_of_lock(release, lock)


def why(release: Release | ReleaseGraph, name: str) -> Rows[Why]:
    """Return why a package is in a release, per platform: the shortest chains from what is requested to it.

    Raises
    ------
    UsageError
        If the release has no such package; near names are offered.
    """
    graph = release.graph if isinstance(release, Release) else release
    return Rows(reasons.why(graph, name))


def diff(before: Release | StrPath, after: Release | StrPath, *, platform: str | None = None) -> Comparison:
    """Return what changed from one release, lock, manifest or environment to another, and what forced it.

    Parameters
    ----------
    before, after
        A release, or the path of whatever ``cuvee diff`` reads.
    platform
        Only this platform.

    Raises
    ------
    SourceUnreachableError
        If a path cannot be read.
    UsageError
        If a path does not exist, or neither has the platform.
    """
    old, new = (
        snapshot_of(side if isinstance(side, Release) else Path(side), today=_now().date())
        for side in (before, after)
    )
    return compare(old, new, platform=platform)


def check_channel(
    channel: StrPath,
    *,
    platforms: Iterable[str] = (),
    floor: Mapping[str, str] | None = None,
    cache: StrPath | None = None,
    reporter: Reporter = SILENT,
) -> Rows[PlatformResult]:
    """Return, per platform, which records of a channel cannot be installed, and why not.

    Parameters
    ----------
    channel
        A folder with ``<subdir>/repodata.json``, or a channel's name or URL; then name the platforms, too.
    floor
        The oldest system, such as ``{"glibc": "2.28"}``.
    cache
        Where downloads and finished parts are kept; by default the user's cache folder.

    Raises
    ------
    SourceUnreachableError
        If the channel cannot be reached or read.
    """
    from cuvee.graph.channel_check import whole_channel

    checked = whole_channel.check_channel(
        str(channel),
        cache=_cache(cache),
        platforms=tuple(platforms),
        floor=floor or {},
        reporter=reporter,
    )
    return Rows(answer.result for answer in checked)


def cut_release(
    manifest: Manifest | StrPath,
    *,
    dist: StrPath = "dist",
    platforms: Iterable[str] = (),
    refresh: bool = False,
    cache: StrPath | None = None,
    base: StrPath | None = None,
    now: dt.datetime | None = None,
    reporter: Reporter = SILENT,
) -> Release:
    """Cut a release, from the manifest to the report; return its record.

    What is already made from the same inputs is not made again, so an interrupted call goes on where it was.
    The record is returned whatever its verdict is: look at ``release.verdict`` and ``release.findings``.

    Parameters
    ----------
    dist
        The folder of release folders.
    platforms
        Only these platforms; none means all that the manifest wants.
    refresh
        Look at channels and the index again.
    cache
        Where downloads and whatever can be used again are kept; by default the user's cache folder.
    base
        The release folder or the lock of the manifest's base; by default it is looked for in ``dist``, and in
        a folder ``reports`` above the manifest.
    now
        The time of the release, aware; by default the current one.

    Raises
    ------
    BlockedError
        If no set of packages fulfils the manifest, or if nothing can be made on this host.
    """
    from cuvee.errata.errata_in_report import errata_beside
    from cuvee.release.cutting import cut
    from cuvee.release.session import Options, Session

    when = now or _now()
    loaded = manifest if isinstance(manifest, Manifest) else load_manifest(manifest, today=when.date())
    options = Options(
        dist=Path(dist),
        cache=_cache(cache),
        now=when,
        platforms=tuple(platforms),
        refresh=refresh,
        base=Path(base) if base is not None else None,
    )
    session = Session(loaded, options, reporter)
    session.errata_of = errata_beside(loaded.path.parent)
    with session.workspace.locked():
        return cut(session)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _cache(folder: StrPath | None) -> Path:
    from cuvee.cache_folder import default_cache, own_cache

    return own_cache(Path(folder).resolve() if folder is not None else default_cache())

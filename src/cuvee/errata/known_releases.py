"""The releases that errata are checked against: those of ``manifests/``, with their locks where they are."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from cuvee.errata.model import KnownRelease
from cuvee.errors import CuveeError
from cuvee.lock.model import Lock
from cuvee.lock.pixi_lock import published_channel
from cuvee.manifest.documents.named_files import names_in
from cuvee.manifest.folder_lookup import find_upwards, manifests_in
from cuvee.manifest.model import ReleaseVersion
from cuvee.release.base_lock import REPORTS, lock_in

_NAME = re.compile(r"(?P<distribution>[a-z0-9][a-z0-9-]*)-(?P<version>\d{4}\.\d{1,2}\.\d{1,4})")


def known_releases(folder: Path, dist: Path, distributions: Collection[str]) -> tuple[KnownRelease, ...]:
    """Return all releases of distributions that are known, the oldest first.

    Those are the release folders in ``dist`` and in the ``reports`` of the repository that the ``folder`` of
    errata belongs to, and what its ``manifests`` name.
    """
    found: dict[tuple[str, ReleaseVersion], KnownRelease] = {}
    reports = find_upwards(folder, REPORTS)
    for place in filter(None, (dist, reports)):
        for name, version, path in _folders(place):
            known = found.get((name, version))
            if name in distributions and (known is None or known.lock is None):
                found[name, version] = _read(name, version, path)
    manifests = find_upwards(folder, "manifests")
    for name in sorted(distributions) if manifests is not None else ():
        for manifest in manifests_in(manifests / name) if manifests is not None else ():
            version = ReleaseVersion.parse(Path(manifest).stem)
            missing = KnownRelease(
                distribution=name,
                version=version,
                problem=f"there is no lock of {name}-{version} in {dist}{' or reports' if reports else ''}",
            )
            found.setdefault((name, version), missing)
    return tuple(found[key] for key in sorted(found))


def _folders(place: Path) -> Iterator[tuple[str, ReleaseVersion, Path]]:
    for name in names_in(place, Path.is_dir):
        match = _NAME.fullmatch(name)
        try:
            version = ReleaseVersion.parse(match["version"]) if match else None
        except ValueError:
            continue
        if match and version is not None:
            yield match["distribution"], version, place / name


def _read(distribution: str, version: ReleaseVersion, path: Path) -> KnownRelease:
    lock: Lock | None = None
    problem = f"{path} has no lock"
    try:
        lock = lock_in(path)
        published = published_channel(path / "lock" / "pixi.lock")
        if lock is not None and published:  # as the bills of materials name packages
            lock = lock.published(published)
    except CuveeError as error:
        problem = error.message.splitlines()[0]
    return KnownRelease(
        distribution=distribution, version=version, lock=lock, problem="" if lock is not None else problem
    )

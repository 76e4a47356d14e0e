"""A release as one side of a comparison."""

from cuvee.graph.diff.model import METADATA
from cuvee.graph.diff.snapshot import Snapshot
from cuvee.release.record import Release


def snapshot_of(release: Release) -> Snapshot:
    """Return a release as one side of a comparison: its lock, and what its manifest requests."""
    packages = release.manifest.packages
    return Snapshot(
        title=release.name,
        kind="pixi.lock",
        lock=release.lock,
        requirements=packages,
        requested=frozenset(item.name for item in packages),
        knows=METADATA,
    )

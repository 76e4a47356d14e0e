"""One side of a comparison: a release, or what a path holds."""

import datetime as dt
from pathlib import Path

from cuvee.errors import UsageError
from cuvee.graph.diff.model import METADATA
from cuvee.graph.diff.readers import read_snapshot
from cuvee.graph.diff.snapshot import Snapshot
from cuvee.release.record import Release
from cuvee.release.record_parts import RECORD


def snapshot_of(side: Release | Path, *, today: dt.date, environment: str | None = None) -> Snapshot:
    """Return a release as its lock and what its manifest requests; for other paths see `read_snapshot`.

    The files of an installed environment are compared with its records.
    """
    if not isinstance(side, Release):
        if not (side / RECORD).is_file():
            return read_snapshot(side, today=today, environment=environment, with_files=True)
        side = Release.open(side)
    if side.failure is not None and not side.lock.platforms:
        raise UsageError(
            f"{side.name} has no lock: its last run failed: {side.failure.message.splitlines()[0]}",
            hint="Run `cuvee release` again, or compare what it has in set-aside/.",
        )
    packages = side.manifest.packages
    return Snapshot(
        title=side.name,
        kind="pixi.lock",
        lock=side.lock,
        requirements=packages,
        requested=frozenset(item.name for item in packages),
        knows=METADATA,
        patched={item.name: item.sentence for item in side.manifest.patched},
    )

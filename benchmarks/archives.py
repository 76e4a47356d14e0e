"""Measure reading the contents of a release's archives, cold and warm, and checking them.

    python benchmarks/archives.py dist/starter-2026.11.0 [--platform linux-64]

The release must have been locked here: its packages are read from its own channel. Cold is with an empty
cache, warm with a full one. The files are read once before, so that the disk does not count. On a busy
machine, use the processor time.
"""

import argparse
import tempfile
import time
from pathlib import Path

from cuvee.channel.inspection import ArchiveContents, inspect_archives
from cuvee.channel.inspection.inspect_release import Inspection
from cuvee.files import sha256_file
from cuvee.graph.checks import ARCHIVE_CHECKS, run_checks
from cuvee.graph.release_graph import build_graph
from cuvee.lock.model import Lock
from cuvee.lock.pixi_lock import read_lock
from cuvee.manifest.model import Installers, Manifest, ReleaseVersion
from cuvee.progress import SILENT


def main(release: Path, platforms: list[str]) -> None:
    """Time three steps, and print them."""
    locks = [
        lock for lock in read_lock(release / "lock" / "pixi.lock").platforms if lock.platform in platforms
    ]
    packages = [item for lock in locks for item in lock.packages if item.is_local]
    paths = {item.identifier: release / item.url for item in packages}
    size = sum(path.stat().st_size for path in set(paths.values()))
    for path in set(paths.values()):
        sha256_file(path)

    times = []
    facts: Inspection = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in ("cold", "warm"):
            start = clocks()
            facts = inspect_archives(packages, lambda _: paths, cache=Path(folder), reporter=SILENT)
            times.append(clocks(start))
        kept = sum(path.stat().st_size for path in Path(folder).rglob("*.inspection"))
    start = clocks()
    run_checks(build_graph(bare(), Lock(platforms=tuple(locks)), facts=facts), ARCHIVE_CHECKS)
    times.append(clocks(start))
    known = [item for item in facts.values() if isinstance(item, ArchiveContents)]
    files, binaries = (sum(len(getattr(item, part)) for item in known) for part in ("files", "binaries"))
    count = len(set(paths.values()))
    print(f"{len(paths)} packages on {len(locks)} platforms, {count} archives, {size / 1e6:.0f} MB")
    print(f"{files:,} files, {binaries:,} programs and libraries; {kept / 1e6:.1f} MB in the cache")
    for name, (wall, processor) in zip(("cold", "warm", "checks"), times, strict=True):
        print(f"  {name:6}  {wall:6.2f} s, {processor:6.2f} s of processor time")


def clocks(since: tuple[float, float] = (0.0, 0.0)) -> tuple[float, float]:
    """Return the seconds since then, on the wall and of all threads."""
    return time.perf_counter() - since[0], time.process_time() - since[1]


def bare() -> Manifest:
    """Make a manifest that asks for nothing."""
    return Manifest(
        path=Path("bench/2026.11.0.yaml"),
        distribution="bench",
        version=ReleaseVersion(2026, 11, 0),
        title="Bench",
        platforms=(),
        packages=(),
        installers=Installers(formats={}),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("release", type=Path)
    parser.add_argument("--platform", action="append", dest="platforms")
    given = parser.parse_args()
    main(given.release, given.platforms or ["linux-64", "linux-aarch64", "win-64", "osx-64", "osx-arm64"])

"""Measure `cuvee build` when nothing has changed: the whole command, and its stages in a process that runs.

    python benchmarks/warm_builds.py manifests/starter/2026.11.0.yaml --platform linux-64 --dist dist

Build the manifest before. The reference is `sha256sum` of the release's channel, which says how long it takes
to see that no package was changed.
"""

import argparse
import datetime as dt
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from measuring import processor_seconds, program

from cuvee.cache_folder import default_cache
from cuvee.manifest import load_manifest
from cuvee.progress import SILENT
from cuvee.release.build_stage import make_builds
from cuvee.release.channel_stage import make_channel
from cuvee.release.session import Options, Session


def measure(title: str, work: Callable[[], object]) -> None:
    """Run something, and print how long it took."""
    wall, cpu = time.monotonic(), processor_seconds()
    work()
    print(f"{title:24} {time.monotonic() - wall:6.2f} s  cpu {processor_seconds() - cpu:6.2f} s")


def main() -> int:
    """Run the benchmark, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--platform", action="append", default=[])
    parser.add_argument("--dist", type=Path, default=Path("dist"))
    options = parser.parse_args()
    now = dt.datetime.now(dt.UTC)
    manifest = load_manifest(options.manifest, today=now.date())
    settings = Options(dist=options.dist, cache=default_cache(), now=now, platforms=tuple(options.platform))
    session = Session(manifest, settings, SILENT)

    def stages() -> None:
        if (built := make_builds(session, make_channel(session))) is None or not built.reused:
            raise SystemExit("this has built something; run it again")

    platforms = [part for name in options.platform for part in ("--platform", name)]
    command = [
        sys.executable,
        "-m",
        "cuvee",
        "build",
        str(options.manifest),
        *platforms,
        "--dist",
        str(options.dist),
    ]
    archives = sorted(str(path) for path in session.workspace.channel.glob("*/*.conda"))
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {len(archives)} packages")
    stages()  # imports, and the disk's cache
    measure("sha256sum of the channel", lambda: _run([program("sha256sum"), *archives]))
    measure("the stages", stages)
    measure("cuvee build", lambda: _run(command))
    measure("cuvee --version", lambda: _run([sys.executable, "-m", "cuvee", "--version"]))
    return 0


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    raise SystemExit(main())

"""Measure a delta next to the whole installer of the same release: its size, and how long an upgrade takes.

    python benchmarks/delta.py dist/starter-2026.11.0/installers/Starter-2026.11.0-Linux-x86_64.sh \\
        dist/starter-2026.11.1/installers/Starter-2026.11.1-Linux-x86_64.sh

The delta is made first. Then, in each round, the newer release is installed where nothing is, and the older
one is upgraded twice: by the whole installer and, after a rollback, by the delta. The median of each counts.
The load of the machine is printed too: on a busy one, only the ratios are meaningful.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from measuring import processor_seconds, program


def main() -> int:
    """Run the benchmark, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path, help="the installer of a release for Linux")
    parser.add_argument("new", type=Path, help="that of the release after it")
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()), help="where to install; decides the disk"
    )
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    old, new = options.old.resolve(), options.new.resolve()
    took: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="cuvee-benchmark-", dir=options.folder) as name:
        folder = Path(name)
        took["cuvee delta"] = [timed([program("cuvee"), "delta", str(old), str(new), "-q", "-o", name])]
        (delta,) = folder.glob("*-to-*.sh")
        share = 100 * delta.stat().st_size / new.stat().st_size
        print(f"{delta.name}: {delta.stat().st_size / 1e6:.1f} MB, {share:.2f} % of {new.name}")
        for _ in range(options.rounds):
            for label, figure in one_round(folder, old, new, delta).items():
                took.setdefault(label, []).append(figure)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    middle = {
        label: [statistics.median(part) for part in zip(*each, strict=True)] for label, each in took.items()
    }
    for label, (wall, cpu) in middle.items():
        print(f"{label:24} {wall:6.2f} s  cpu {cpu:6.2f} s")
    for label in ("install the whole", "upgrade by the whole"):
        ratios = [
            part / whole for part, whole in zip(middle["upgrade by the delta"], middle[label], strict=True)
        ]
        print(f"the delta / {label}: {ratios[0]:.2f} of the time, {ratios[1]:.2f} of the processor time")
    return 0


def one_round(folder: Path, old: Path, new: Path, delta: Path) -> dict[str, tuple[float, float]]:
    """Install and upgrade once; give wall and processor seconds of each."""
    prefix, other = folder / "prefix", folder / "other"
    admin = [str(prefix / "bin" / f"{old.name.partition('-')[0].lower()}-admin")]
    found = {"install the whole": timed([program("sh"), str(new), "-b", "-p", str(other)])}
    run([program("rm"), "-rf", str(other)])
    run([program("sh"), str(old), "-b", "-p", str(prefix)])
    found["upgrade by the whole"] = timed([program("sh"), str(new), "-b", "-u", "-p", str(prefix)])
    run([*admin, "rollback"])
    run([*admin, "clean"])
    found["upgrade by the delta"] = timed([program("sh"), str(delta), "-b", "-p", str(prefix)])
    run([*admin, "uninstall"])
    return found


def timed(argv: list[str]) -> tuple[float, float]:
    """Run a program; give its wall and processor seconds."""
    os.sync()
    busy, started = processor_seconds(), time.perf_counter()
    run(argv)
    return time.perf_counter() - started, processor_seconds() - busy


def run(argv: list[str]) -> None:
    """Run a program silently; it must succeed."""
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    raise SystemExit(main())

"""Measure how long commands take that only ask, next to importing what they cannot do without.

Usage: python benchmarks/startup.py [RELEASE [PACKAGE]] [--rounds N]

RELEASE is the folder of a release, by default the newest in ``dist``; without one only ``--help`` and
``import cuvee`` are measured. Each round runs all commands once, so that what else the machine does falls on
all of them; the medians are of processor time, and of wall time. Byte code is kept in a folder of its own,
whatever ``PYTHONDONTWRITEBYTECODE`` says, so the first round, which compiles, is not counted.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import processor_seconds

ROOT = Path(__file__).parents[1]
CUVEE = "import sys; from cuvee.cli.main import main; main(sys.argv[1:])"


def commands(release: Path | None, package: str) -> dict[str, list[str]]:
    """Return what is measured: arguments for Python, by title."""
    found = {
        "python -c ''": ["-c", ""],
        "import click": ["-c", "import click"],
        "import rattler": ["-c", "import rattler"],
        "import cuvee": ["-c", "import cuvee"],
        "cuvee --help": ["-c", CUVEE, "--help"],
        "cuvee why --help": ["-c", CUVEE, "why", "--help"],
    }
    if release is None:
        return found
    return found | {
        "cuvee why": ["-c", CUVEE, "why", package, str(release)],
        "cuvee needs": ["-c", CUVEE, "needs", package, str(release)],
        "cuvee diff": ["-c", CUVEE, "diff", str(release), str(release)],
    }


def measure(arguments: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Return the processor time and the wall time of one process, in milliseconds."""
    used, start = processor_seconds(), time.perf_counter()
    argv = [sys.executable, *arguments]
    subprocess.run(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return (processor_seconds() - used) * 1000, (time.perf_counter() - start) * 1000


def newest() -> Path | None:
    """Return the release that was cut last, if there is one."""
    records = sorted(ROOT.glob("dist/*/release.json"), key=lambda path: path.stat().st_mtime)
    return records[-1].parent if records else None


def main() -> None:
    """Measure in rounds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("release", type=Path, nargs="?", default=newest())
    parser.add_argument("package", nargs="?", default="numpy")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    measured = commands(options.release, options.package)
    times: dict[str, list[tuple[float, float]]] = {title: [] for title in measured}
    with tempfile.TemporaryDirectory() as folder:
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = folder
        for number in range(options.rounds + 1):
            for title, arguments in measured.items():
                found = measure(arguments, environment)
                if number:
                    times[title].append(found)
    medians = {
        title: [statistics.median(values) for values in zip(*found, strict=True)]
        for title, found in times.items()
    }
    click = medians["import click"][0]
    print(f"medians of {options.rounds} rounds{'':8}processor ms  wall ms  of importing click")
    for title, (processor, wall) in medians.items():
        print(f"{title:30} {processor:13.0f} {wall:8.0f} {processor / click:19.2f}")


if __name__ == "__main__":
    main()

"""Measure, in one run: cutting a release with an empty cache, the same again, and a point release of it.

    python benchmarks/release.py --platform linux-64 --folder /tmp/measured

The point release is manifests/starter/2026.11.1.yaml without its patched package: two wheels have other
versions. All are whole commands, `cuvee release`, each in its own process, with all suites. No option turns
tests off: the stages of tests are measured like the others, and "without tests" is what is left. "between
stages" is what runs in no stage: reading the manifest, the inputs of stages, printing.

With `--before FOLDER`, a check-out of another cuvee, with its own `.venv`, is measured in turn with ours.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measuring import processor_seconds, program

ROOT = Path(__file__).resolve().parent.parent
MANIFESTS = ROOT / "manifests" / "starter"
BASE, POINT = "2026.11.0.yaml", "2026.11.1.yaml"
BESIDE = ("integration_tests", "installers", "recipes")
TRACED = "--traced"
Times = dict[str, tuple[float, float]]
"""Wall and processor seconds, by what took them."""


def main() -> int:
    """Run the benchmark, or one traced command of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--platform", action="append", default=[], help="only this one, for all three releases"
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where to work")
    parser.add_argument("--before", type=Path, help="a check-out of another cuvee, to compare with")
    if sys.argv[1:2] == [TRACED]:
        traced(sys.argv[3:], Path(sys.argv[2]))
    options = parser.parse_args()
    pythons = {"": Path(sys.executable)}
    if options.before is not None:
        pythons["before"] = options.before.absolute() / ".venv" / "bin" / "python"
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cuvee-benchmark-", dir=options.folder) as name:
        works = {label: Path(name) / (label or "now") for label in pythons}
        for work in works.values():
            write_manifests(work)
        for title, manifest in (
            ("cold", BASE),
            ("warm", BASE),
            ("point release", POINT),
            ("point, warm", POINT),
        ):
            for label, python in pythons.items():
                found = measured(works[label], manifest, options.platform, python)
                show(f"{title} {label}".strip(), found)
        hashed = hashing(works[""])
    print(f"\nsha256sum of all files of the point release: {hashed[0]:.2f} s, cpu {hashed[1]:.2f} s")
    return 0


def write_manifests(work: Path) -> None:
    """Write both manifests to a folder, with links to what they name."""
    folder = work / MANIFESTS.name
    folder.mkdir(parents=True)
    for name in BESIDE:
        (work / name).symlink_to(ROOT / name)
    (folder / BASE).write_text((MANIFESTS / BASE).read_text(encoding="utf-8"), encoding="utf-8")
    point = (MANIFESTS / POINT).read_text(encoding="utf-8").partition("\npatched:")[0]
    (folder / POINT).write_text(point, encoding="utf-8")


def measured(work: Path, manifest: str, platforms: list[str], python: Path) -> Times:
    """Run one command; return the times of its stages, and of the whole."""
    trace = work / "trace.json"
    named = [part for platform in platforms for part in ("--platform", platform)]
    command = [python, __file__, TRACED, trace, "release", work / MANIFESTS.name / manifest, *named]
    command += ["--dist", work / "dist", "--cache", work / "cache", "--quiet"]
    os.sync()
    busy, started = processor_seconds(), time.perf_counter()
    # With it, each command would compile what it imports, which those of users do once.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(list(map(str, command)), check=False, stdout=subprocess.DEVNULL, env=environment)
    whole = (time.perf_counter() - started, processor_seconds() - busy)
    if done.returncode not in {0, 1}:  # 1 if tests found something: on a slow machine, one may take too long
        raise SystemExit(f"cuvee release {manifest} ended with {done.returncode}")
    stages: Times = {name: tuple(item) for name, item in json.loads(trace.read_text()).items()}
    tests = sum_of(item for name, item in stages.items() if name.startswith("test-"))
    return {
        **stages,
        "between stages": less(whole, sum_of(stages.values())),
        "whole": whole,
        "without tests": less(whole, tests),
    }


def sum_of(times: Any) -> tuple[float, float]:
    """Return the sum of several times."""
    items = list(times)
    return sum(wall for wall, _ in items), sum(cpu for _, cpu in items)


def less(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """Return the difference of two times."""
    return one[0] - other[0], one[1] - other[1]


def traced(arguments: list[str], trace: Path) -> None:
    """Run a command of cuvee in this process, and write how long its stages took."""
    from cuvee.cli.main import main as cuvee
    from cuvee.release.stage import StageRunner

    times: Times = {}
    run: Callable[..., Any] = StageRunner.__call__

    def timed(self: StageRunner, stage: Any, **options: Any) -> Any:
        busy, started = processor_seconds(), time.perf_counter()
        try:
            return run(self, stage, **options)
        finally:
            times[stage.name] = (time.perf_counter() - started, processor_seconds() - busy)
            trace.write_text(json.dumps(times), encoding="utf-8")

    StageRunner.__call__ = timed  # type: ignore[method-assign]
    cuvee(arguments)  # does not return: it ends the process


def show(title: str, times: Times) -> None:
    """Print a table."""
    print(f"\n{title}: load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for name, (wall, cpu) in times.items():
        print(f"  {name:24} {wall:8.2f} s  cpu {cpu:8.2f} s", flush=True)


def hashing(work: Path) -> tuple[float, float]:
    """Hash all files of the newest release with another program, in two processes."""
    busy, started = processor_seconds(), time.perf_counter()
    folder = max((work / "dist").iterdir())
    files = [str(path) for path in sorted(folder.rglob("*")) if path.is_file()]
    half = len(files) // 2
    runs = [
        subprocess.Popen([program("sha256sum"), *part], stdout=subprocess.DEVNULL)
        for part in (files[:half], files[half:])
    ]
    for item in runs:
        assert item.wait() == 0
    return time.perf_counter() - started, processor_seconds() - busy


if __name__ == "__main__":
    raise SystemExit(main())

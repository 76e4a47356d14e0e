"""Measure, side by side in one run: making an installer cold, with one changed package, with nothing changed.

    python benchmarks/make.py dist/starter-2026.11.0 --constructor .venv-constructor/bin/constructor

The installer is made by `cuvee installers --from` of a copy of the release's constructor project; cold with
each setting of `bytecode`, since constructor's has only the byte code that the packages bring. A changed
package has another line in its first source, so that its byte code is compiled and its frame compressed: that
of median size, and those that `--changed NAME` names. The references are `sha256sum` of the installer, `tar |
zstd -9` of what it installs on one core (with `--install`), and constructor, which makes its installer of the
same project; it is passed `--conda-exe`.

Each step is run in turn, `--rounds` times, and the medians count. A step that ends is printed at once. The
load of the machine is printed: on a busy one, compare processor time.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from changed_package import ChangingProject
from measuring import processor_seconds, program


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is measured, and what is done before it."""

    work: Callable[[], None]
    before: Callable[[], None] = lambda: None


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("release", type=Path, help="a release folder with a constructor project")
    parser.add_argument("--platform", default="linux-64")
    parser.add_argument("--constructor", type=Path, help="the program constructor")
    parser.add_argument("--conda-exe", type=Path, help="the conda-standalone for constructor")
    parser.add_argument("--changed", action="append", default=[], help="another package that changes")
    parser.add_argument("--install", action="store_true", help="compare with tar | zstd -9 of the prefix")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where to work")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    project = options.release.resolve() / "installers" / "constructor" / options.platform
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cuvee-benchmark-", dir=options.folder) as name:
        steps = prepared(Path(name), project, options)
        measured = measure(steps, options.rounds)
    show(measured)
    return 0


def prepared(folder: Path, project: Path, options: argparse.Namespace) -> dict[str, Step]:
    """Return the steps by their labels, in the order in which they are run."""
    cache, output = folder / "cache", folder / "output"
    copy = ChangingProject(project, folder)
    byte_code = {"PYTHONPYCACHEPREFIX": str(folder / "pycache")}
    ours = [sys.executable, "-m", "cuvee", "installers", "--from", copy.folder, "--quiet"]
    ours += ["--platform", options.platform, "--output", output, "--cache", cache]

    def make() -> None:
        run(ours, byte_code)

    def forget(setting: str) -> Callable[[], None]:
        def work() -> None:
            for path in (cache, output):
                shutil.rmtree(path, ignore_errors=True)
            cache.mkdir(mode=0o700)
            (copy.folder / "installer.yaml").write_text(f"bytecode: {setting}\n", encoding="utf-8")

        return work

    number = iter(range(sys.maxsize))

    def change(archive: Path) -> Callable[[], None]:
        return lambda: copy.change(archive, next(number))

    def installer() -> Path:
        return max(output.iterdir(), key=lambda path: path.stat().st_size)

    run([sys.executable, "-m", "cuvee", "installers", "--help"], byte_code)
    steps = with_constructor(folder, copy.folder, options)
    for setting in ("none", "desktop"):
        steps[f"cold, bytecode: {setting}"] = Step(before=forget(setting), work=make)
    steps["cold"] = Step(before=forget("installer"), work=make)
    for archive in (copy.of_median_size(), *map(copy.named, options.changed)):
        steps[f"{archive.name.rsplit('-', 2)[0]} changed"] = Step(before=change(archive), work=make)
    steps["nothing changed"] = Step(work=make)
    steps["sha256sum"] = Step(work=lambda: run([program("sha256sum"), installer()]))
    if options.install:
        tree = folder / "tree"
        steps["tar | zstd -9"] = Step(before=lambda: install(installer(), tree), work=lambda: pack(tree))
    return steps


def with_constructor(folder: Path, project: Path, options: argparse.Namespace) -> dict[str, Step]:
    """Return the steps of constructor by their labels, if it is there."""
    if options.constructor is None:
        return {}
    conda = folder / "conda"
    argv = [options.constructor.absolute(), project, "--platform", options.platform]
    argv += ["--output-dir", folder / "theirs", "--cache-dir", conda]
    argv += ["--conda-exe", options.conda_exe.absolute()] if options.conda_exe else []
    home = {"HOME": str(folder), "CONDA_ADD_PIP_AS_PYTHON_DEPENDENCY": "false"}
    return {
        "constructor, cold": Step(
            before=lambda: shutil.rmtree(conda, ignore_errors=True), work=lambda: run(argv, home)
        ),
        "constructor, again": Step(work=lambda: run(argv, home)),
    }


def run(argv: list[str | Path], environment: Mapping[str, str] | None = None) -> None:
    """Run a program that must succeed."""
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        list(map(str, argv)),
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=inherited | dict(environment or {}),
    )
    if done.returncode:
        raise SystemExit(f"{argv[0]} failed:\n{done.stderr.decode(errors='replace')[-2000:]}")


def install(installer: Path, tree: Path) -> None:
    """Install once what is packed by others."""
    if not tree.exists():
        run([program("sh"), installer, "-b", "-p", tree])


def pack(tree: Path) -> None:
    """Compress a tree as the level of our default does."""
    tar = subprocess.Popen([program("tar"), "-C", str(tree), "-c", "."], stdout=subprocess.PIPE)
    subprocess.run(
        [program("zstd"), "-q", "-9", "-c"], stdin=tar.stdout, stdout=subprocess.DEVNULL, check=True
    )
    assert tar.wait() == 0


def measure(steps: Mapping[str, Step], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Run every step in turn, ``rounds`` times; give wall and processor time of each run by label."""
    found: dict[str, list[tuple[float, float]]] = {label: [] for label in steps}
    for number in range(rounds):
        for label, step in steps.items():
            step.before()
            busy, started = processor_seconds(), time.perf_counter()
            step.work()
            took = (time.perf_counter() - started, processor_seconds() - busy)
            found[label].append(took)
            print(f"round {number + 1}: {label:24} {took[0]:7.2f} s, processor {took[1]:7.2f} s", flush=True)
    return found


def show(measured: Mapping[str, list[tuple[float, float]]]) -> None:
    """Print the medians, next to those of constructor, or of the first step."""
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; medians")
    medians = {
        label: [statistics.median(values) for values in zip(*runs, strict=True)]
        for label, runs in measured.items()
    }
    first = next(iter(medians))
    print(f"{'':24} {'wall s':>8} {'processor s':>12}   of {first}")
    for label, (wall, cpu) in medians.items():
        ratios = f"{wall / medians[first][0]:6.2f} {cpu / medians[first][1]:6.2f}"
        print(f"{label:24} {wall:8.2f} {cpu:12.2f}   {ratios}")


if __name__ == "__main__":
    raise SystemExit(main())

"""Measure, side by side in one run: making an installer cold, with one changed package, with nothing changed.

    python benchmarks/make.py dist/starter-2026.11.0 --constructor .venv-constructor/bin/constructor

The installer is made by `cuvee installers --from` of the release's constructor project. The reference is
`tar | zstd -9` of what it installs, on one core, and `sha256sum` of the installer for the last one. A changed
package is one that the cache does not know: that of median size, with its frames; its byte code is left. With
`--constructor PROGRAM`, constructor makes its installer of the same project; it is passed `--conda-exe`.

Each is run several times in turn, and the best wall time counts. The load of the machine is printed: on a
busy one, compare processor time.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measuring import processor_seconds, program

_HEAD, _LENGTH = 65, 8
"""Bytes of the digest before an entry of the cache, and of the length before its JSON."""


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("release", type=Path, help="a release folder with a constructor project")
    parser.add_argument("--platform", default="linux-64")
    parser.add_argument("--constructor", type=Path, help="the program constructor")
    parser.add_argument("--conda-exe", type=Path, help="the conda-standalone for constructor")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where to work")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    project = options.release.resolve() / "installers" / "constructor" / options.platform
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cuvee-benchmark-", dir=options.folder) as name:
        runs = prepared(Path(name), project, options.constructor, options.conda_exe)
        best = measure(runs, options.rounds)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    reference = best["tar | zstd -9"]
    for label, (wall, cpu) in best.items():
        ratios = f"{wall / reference[0]:5.2f} x   cpu {cpu:6.2f} s {cpu / reference[1]:5.2f} x"
        print(f"{label:26}  {wall:6.2f} s  {ratios}")
    return 0


def prepared(
    folder: Path, project: Path, constructor: Path | None, conda_exe: Path | None
) -> dict[str, tuple[Callable[[], None], Callable[[], None]]]:
    """Return what is to be measured, each with what is done before it."""
    cache, output, tree = folder / "cache", folder / "output", folder / "tree"
    ours = [sys.executable, "-m", "cuvee", "installers", "--from", project, "--platform", project.name]

    def make() -> None:
        run([*ours, "--output", output, "--cache", cache])

    def forget() -> None:
        for path in (cache, output):
            shutil.rmtree(path, ignore_errors=True)
        cache.mkdir(mode=0o700)

    def change() -> None:
        """Forget one package, and what was made of the project."""
        shutil.rmtree(cache / "converted")
        entries = [path for path in (cache / "packed").rglob("*") if path.is_file()]
        entry = sorted(entries, key=lambda path: path.stat().st_size)[len(entries) // 2]
        content = entry.read_bytes()[_HEAD:]
        size = int.from_bytes(content[:_LENGTH], "big")
        for frame in json.loads(content[_LENGTH : _LENGTH + size])["frames"]:
            (cache / frame["file"]).unlink()
        entry.unlink()

    forget()
    make()
    (installer,) = output.glob("*.sh")
    run([program("sh"), installer, "-b", "-p", tree])
    runs: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
        "tar | zstd -9": (nothing, lambda: pack(tree)),
        "sha256sum": (nothing, lambda: print(sha256sum(installer), file=sys.stderr)),
        "cold": (forget, make),
        "one changed package": (change, make),
        "nothing changed": (nothing, make),
    }
    if constructor is not None:
        theirs = [constructor, project, "--platform", project.name, "--output-dir", folder / "theirs"]
        theirs += ["--cache-dir", folder / "conda", *(["--conda-exe", conda_exe] if conda_exe else [])]
        runs["constructor, cold"] = (
            lambda: shutil.rmtree(folder / "conda", ignore_errors=True),
            lambda: run(theirs),
        )
        runs["constructor, again"] = (nothing, lambda: run(theirs))
    return runs


def nothing() -> None:
    """Do nothing."""


def run(argv: list[str | Path]) -> None:
    """Run a program that must succeed."""
    environment = os.environ | {"CONDA_ADD_PIP_AS_PYTHON_DEPENDENCY": "false"}
    subprocess.run(
        list(map(str, argv)),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )


def pack(tree: Path) -> None:
    """Compress a tree as the level of our default does."""
    tar = subprocess.Popen([program("tar"), "-C", str(tree), "-c", "."], stdout=subprocess.PIPE)
    subprocess.run(
        [program("zstd"), "-q", "-9", "-c"], stdin=tar.stdout, stdout=subprocess.DEVNULL, check=True
    )
    assert tar.wait() == 0


def sha256sum(path: Path) -> str:
    """Return the hash of a file, by the program."""
    done = subprocess.run([program("sha256sum"), str(path)], check=True, capture_output=True, text=True)
    return done.stdout.split()[0]


def measure(
    runs: dict[str, tuple[Callable[[], None], Callable[[], None]]], rounds: int
) -> dict[str, tuple[float, float]]:
    """Run everything in turn, ``rounds`` times; give the best wall time, and its processor time, of each."""
    best: dict[str, tuple[float, float]] = {}
    for _ in range(rounds):
        for label, (before, work) in runs.items():
            before()
            os.sync()
            busy, started = processor_seconds(), time.perf_counter()
            work()
            took = (time.perf_counter() - started, processor_seconds() - busy)
            best[label] = min(best.get(label, took), took)
    return best


if __name__ == "__main__":
    raise SystemExit(main())

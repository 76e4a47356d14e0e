"""Measure what an administrator does with a prefix, next to the simplest tools that do the same.

    python benchmarks/administer.py dist/starter-2026.11.0/installers/Starter-2026.11.0-Linux-x86_64.sh \\
        dist/starter-2026.11.1/installers/Starter-2026.11.1-Linux-x86_64.sh

The first release is installed, verified, and upgraded to the second; that is repaired after three of its
files were damaged, rolled back, and uninstalled. The references are `sha256sum` of all files for what must
read all files, `cp -al` of the tree for the links that an upgrade makes, and `rm -rf` for a removal. Each is
run several times in turn, and the best time counts. The load of the machine is printed too: on a busy one,
only the ratios are meaningful. `install.py` measures an installation next to other tools.
"""

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measuring import processor_seconds, program

DAMAGED = 3
"""How many files are to be repaired."""

REFERENCES = {
    "install": ("cp -a",),
    "verify": ("sha256sum",),
    "upgrade": ("sha256sum", "cp -al"),
    "repair": ("sha256sum",),
    "rollback": ("sha256sum",),
    "uninstall": ("sha256sum", "rm -rf two"),
}
"""Each verb, and the plain tools that do together what it has to; see the docstring of `rounds`."""


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
    options.folder.mkdir(parents=True, exist_ok=True)
    best: dict[str, tuple[float, float]] = {}
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="cuvee-benchmark-", dir=options.folder) as folder:
            for label, took in one_round(Path(folder), options.old.resolve(), options.new.resolve()).items():
                best[label] = min(best.get(label, took), took)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for label, (wall, cpu) in best.items():
        plain = REFERENCES.get(label, ())
        ratio = f"{wall / sum(best[name][0] for name in plain):5.2f} x " if plain else " " * 8
        print(f"{label:12} {wall:6.2f} s  cpu {cpu:6.2f} s  {ratio} {' + '.join(plain)}".rstrip())
    return 0


def one_round(folder: Path, old: Path, new: Path) -> dict[str, tuple[float, float]]:
    """Run everything once; give wall and processor seconds of each.

    Order matters: the second release is what is repaired, so a rollback has something to return to, and the
    removal has both releases to remove, most of whose files are links to the same bytes.
    """
    prefix, copy, links = folder / "prefix", folder / "copy", folder / "links"
    admin = [str(prefix / "bin" / f"{old.name.partition('-')[0].lower()}-admin")]
    steps: list[tuple[str, Callable[[], None]]] = [
        ("install", lambda: run([program("sh"), str(old), "-b", "-p", str(prefix)])),
        ("verify", lambda: run([*admin, "verify"])),
        ("sha256sum", lambda: hash_all(prefix)),
        ("cp -a", lambda: run([program("cp"), "-a", str(prefix), str(copy)])),
        ("cp -al", lambda: run([program("cp"), "-al", str(copy), str(links)])),
        ("upgrade", lambda: run([program("sh"), str(new), "-b", "-u", "-p", str(prefix)])),
        ("repair", lambda: run([*admin, "repair", "--from", str(new)])),
        ("rollback", lambda: run([*admin, "rollback"])),
        ("rm -rf two", lambda: run([program("rm"), "-rf", str(copy), str(links)])),
        ("uninstall", lambda: run([*admin, "uninstall"])),
    ]
    took = {}
    for label, step in steps:
        if label == "repair":
            damage(prefix)
        os.sync()
        busy, started = processor_seconds(), time.perf_counter()
        step()
        took[label] = (time.perf_counter() - started, processor_seconds() - busy)
    left = [path.name for path in prefix.iterdir()] if prefix.exists() else []
    assert left in ([], ["cuvee-saved"]), left  # what `repair` had put aside is the user's
    return took


def damage(prefix: Path) -> None:
    """Change a few files."""
    files = sorted((prefix / "lib").rglob("*.py"))
    for path in files[:: len(files) // DAMAGED][:DAMAGED]:
        data = path.read_bytes()
        path.unlink()  # the release before may have it too
        path.write_bytes(data + b"\n# damaged\n")


def hash_all(prefix: Path) -> None:
    """Hash all files with one program, as `verify` does."""
    find = subprocess.Popen([program("find"), str(prefix), "-type", "f", "-print0"], stdout=subprocess.PIPE)
    run([program("xargs"), "-0", "-n", "500", "-P", "2", program("sha256sum")], stdin=find)
    assert find.wait() == 0


def run(argv: list[str], stdin: "subprocess.Popen[bytes] | None" = None) -> None:
    """Run a program silently; it must succeed."""
    source = None if stdin is None else stdin.stdout
    subprocess.run(argv, check=True, stdin=source, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    raise SystemExit(main())

"""Measure installing a release that shares files with another one, next to installing it by itself.

    python benchmarks/share.py dist/starter-2026.11.0/installers/Starter-2026.11.0-Linux-x86_64.sh \\
        dist/starter-2026.11.1/installers/Starter-2026.11.1-Linux-x86_64.sh --file-system xfs

Needs root. In each round a file system is made in a file and mounted: `xfs` or `btrfs`, which clone files, or
`ext4`, where they are linked (`--share`). There the newer release is installed by itself, removed, and
installed again beside the older one. Time is measured until the command ends, and until all is on the disk
(`sync -f`); space is what `df` says. The medians count. The load of the machine is printed too: on a busy
one, only the ratios are meaningful.

What no installer can be faster than is measured too: only the files of the older release are cloned or linked
to a second tree, by a process per core. Nothing is unpacked, read, verified or recorded.
"""

import argparse
import fcntl
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from measuring import processor_seconds, program

LIMITS = (1 / 3, 1 / 10)
"""What the second may take: of the time, and of the space where files are cloned."""


_FICLONE = 0x40049409


class Figures(NamedTuple):
    """What one installation took: seconds until it ended, until it was on the disk, of the processor; MB."""

    wall: float
    on_disk: float
    cpu: float
    space: float


def main() -> int:
    """Run the benchmark; exit 1 when the second release is over a limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path, help="the installer of a release for Linux")
    parser.add_argument("new", type=Path, help="that of the release after it")
    parser.add_argument("--file-system", choices=("xfs", "btrfs", "ext4"), default="xfs")
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()), help="where the file is; decides the disk"
    )
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    old, new = options.old.resolve(), options.new.resolve()
    took: dict[str, list[Figures]] = {"by itself": [], "beside the older one": [], "only its files": []}
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="cuvee-benchmark-", dir=options.folder) as name:
            found = one_round(Path(name), old, new, options.file_system)
        for label, figures in zip(took, found, strict=True):
            took[label].append(figures)
    middle = {
        label: Figures(*(statistics.median(part) for part in zip(*each, strict=True)))
        for label, each in took.items()
    }
    print(f"{options.file_system}, load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for label, found in middle.items():
        print(
            f"{label:22} {found.wall:6.2f} s, on the disk after {found.on_disk:6.2f} s, "
            f"cpu {found.cpu:5.2f} s, {found.space:7.1f} MB"
        )
    single, *others = middle.values()
    ratios = [Figures(*(mine / one for mine, one in zip(other, single, strict=True))) for other in others]
    for label, ratio in zip(("the second takes", "only its files take"), ratios, strict=True):
        print(
            f"{label} {ratio.wall:.2f} of the time, {ratio.on_disk:.2f} until it is on the disk, "
            f"{ratio.cpu:.2f} of the processor time and {ratio.space:.3f} of the space"
        )
    return int(ratios[0].wall > LIMITS[0] or ratios[0].space > LIMITS[1])


def one_round(folder: Path, old: Path, new: Path, kind: str) -> tuple[Figures, Figures, Figures]:
    """Install by itself, and beside the older release, on a file system of its own; then only make files."""
    image, disk = folder / "image", folder / "disk"
    disk.mkdir()
    with image.open("wb") as stream:
        stream.truncate(6 << 30)
    run([program(f"mkfs.{kind}"), "-q", str(image)])
    run([program("mount"), "-o", "loop", str(image), str(disk)])
    try:
        single = installed(new, disk / "2026.11.1", disk)
        run([program("rm"), "-rf", str(disk / "2026.11.1")])
        installed(old, disk / "2026.11.0", disk)
        beside = installed(new, disk / "2026.11.1", disk, *(["--share"] if kind == "ext4" else []))
        bare = measured(lambda: only_files(disk / "2026.11.0", disk / "bare", clone=kind != "ext4"), disk)
    finally:
        run([program("umount"), str(disk)])
    return single, beside, bare


def installed(installer: Path, prefix: Path, disk: Path, *options: str) -> Figures:
    """Install a release."""
    return measured(
        lambda: run([program("sh"), str(installer), "-b", "-m", "-p", str(prefix), *options]), disk
    )


def only_files(source: Path, target: Path, *, clone: bool) -> None:
    """Make the folders, and clone or link the files, with a process per core."""
    folders = [folder for folder, _, _ in os.walk(source)]
    for folder in folders:
        (target / Path(folder).relative_to(source)).mkdir()
    count = os.cpu_count() or 1
    children = []
    for number in range(count):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for folder in folders[number::count]:
                    take_files(Path(folder), target / Path(folder).relative_to(source), clone=clone)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0


def take_files(source: Path, target: Path, *, clone: bool) -> None:
    """Clone or link the files of a folder."""
    there, here = os.open(source, os.O_RDONLY), os.open(target, os.O_RDONLY)
    for entry in os.scandir(there):
        if not entry.is_file(follow_symlinks=False):
            continue
        if not clone:
            os.link(entry.name, entry.name, src_dir_fd=there, dst_dir_fd=here)
            continue
        old = os.open(entry.name, os.O_RDONLY, dir_fd=there)
        made = os.open(entry.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=here)
        fcntl.ioctl(made, _FICLONE, old)
        os.close(made)
        os.close(old)
    os.close(there)
    os.close(here)


def measured(work: Callable[[], None], disk: Path) -> Figures:
    """Work on a disk that is up to date."""
    run([program("sync"), "-f", str(disk)])
    before, busy, started = used(disk), processor_seconds(), time.perf_counter()
    work()
    wall, cpu = time.perf_counter() - started, processor_seconds() - busy
    run([program("sync"), "-f", str(disk)])
    return Figures(wall, time.perf_counter() - started, cpu, (used(disk) - before) / 1e6)


def used(disk: Path) -> int:
    """Return the bytes in use on a disk."""
    found = os.statvfs(disk)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def run(argv: list[str]) -> None:
    """Run a program silently; it must succeed."""
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    raise SystemExit(main())

"""Measure, side by side in one run: our installer, `zstd -dc | tar -x` of the same tree, rattler, conda-pack.

    python benchmarks/install.py dist/starter-2026.11.0/installers/Starter-2026.11.0-Linux-x86_64.sh \\
        --packages dist/starter-2026.11.0/channel --conda-pack .venv-pack/bin/conda-pack

Needs `zstd` and `tar`. Each is run several times in turn, and the median counts. The load of the machine is
printed too: on a busy one, only the ratios are meaningful. What the runs write is removed when all are done,
so `--folder` needs some gigabytes. ext4 without a journal takes no inode that was freed in the last minutes,
and looks at all of those for each new file, which can take several times as long as the rest: so do not
remove large folders shortly before.

With `--packages FOLDER`, a release's `channel` folder, rattler links the same packages from their archives,
once with an empty cache and once with a full one; sizes are compared as well. With `--conda-pack PROGRAM`,
the prefix that rattler made is packed, and `tar -x` and `conda-unpack` are measured.
`--level 19` compresses the packages again first, as conda-forge does it; that takes minutes.
"""

import argparse
import asyncio
import os
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from measuring import processor_seconds, program

if TYPE_CHECKING:
    import rattler

LIMITS = (1.2, 1.5)
"""Our installer may take this many times the wall time, and the processor time, of writing the bytes."""


def main() -> int:
    """Run the benchmark; exit 1 when our installer is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("installer", type=Path)
    parser.add_argument("--packages", type=Path, help="the folder of the release's packages, for rattler")
    parser.add_argument("--conda-pack", type=Path, help="the program conda-pack; wants --packages")
    parser.add_argument("--level", type=int, help="compress the packages again before sizes are compared")
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()), help="where to install; decides the disk"
    )
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cuvee-benchmark-", dir=options.folder) as name:
        folder = Path(name)
        prepared = prepare(folder, options.installer.resolve(), options.packages, options.conda_pack)
        names, runs = prepared
        medians = measure(folder, runs, options.rounds)
    reference = medians["zstd -dc | tar -x"]
    if options.packages is not None:
        tell_sizes(options.installer, options.packages, names, options.level)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    ratios = {}
    for label, took in medians.items():
        ratios[label] = [mine / other for mine, other in zip(took, reference, strict=True)]
        (wall, cpu), (wall_ratio, cpu_ratio) = took, ratios[label]
        print(f"{label:26}  {wall:6.2f} s {wall_ratio:5.2f} x   cpu {cpu:6.2f} s {cpu_ratio:5.2f} x")
    return int(any(ratio > limit for ratio, limit in zip(ratios["installer"], LIMITS, strict=True)))


def prepare(
    folder: Path, installer: Path, packages: Path | None, conda_pack: Path | None
) -> tuple[list[str], dict[str, Callable[[Path], None]]]:
    """Install once, pack what came out as a tar; give the packages' names, and what is to be measured."""
    first = folder / "first"
    install(installer, first)
    archive = folder / "tree.tar.zst"
    with archive.open("wb") as stream:
        tar = subprocess.Popen([program("tar"), "-C", str(first), "-c", "."], stdout=subprocess.PIPE)
        subprocess.run(
            [program("zstd"), "-q", "-9", "-T0", "-c"], stdin=tar.stdout, stdout=stream, check=True
        )
        assert tar.wait() == 0
    names = sorted(path.stem for path in (first / "conda-meta").glob("*-*.json"))
    runs: dict[str, Callable[[Path], None]] = {
        "zstd -dc | tar -x": lambda prefix: unpack(archive, prefix),
        "installer": lambda prefix: install(installer, prefix),
    }
    if packages is not None:
        records = [record(packages, name) for name in names]
        warm = folder / "warm"
        runs["rattler, empty cache"] = lambda prefix: link(records, prefix, prefix.with_suffix(".cache"))
        link(records, folder / "second", warm)
        runs["rattler, full cache"] = lambda prefix: link(records, prefix, warm)
        if conda_pack is not None:
            packed = folder / "packed.tar.zst"
            argv = [str(conda_pack.absolute()), "-q", "-p", str(folder / "second"), "-o", str(packed)]
            done = subprocess.run([*argv, "--ignore-missing-files"], check=False)
            if done.returncode == 0:
                runs["conda-pack: tar, unpack"] = lambda prefix: unpack_moved(packed, prefix)
            else:
                print(f"conda-pack could not pack the prefix: exit {done.returncode}")
    return names, runs


def unpack_moved(archive: Path, prefix: Path) -> None:
    """Unpack what conda-pack made, and let it put the prefix into its files."""
    unpack(archive, prefix)
    subprocess.run([str(prefix / "bin" / "python"), str(prefix / "bin" / "conda-unpack")], check=True)


def tell_sizes(installer: Path, packages: Path, names: list[str], level: int | None) -> None:
    """Compare the installer with the sum of its packages."""
    archives = [next(packages.glob(f"*/{name}.conda")) for name in names]
    with ProcessPoolExecutor() as pool:
        total = sum(pool.map(size, archives, [level] * len(archives)))
    ours = installer.stat().st_size
    how = "as they are" if level is None else f"at level {level}"
    print(f"installer {ours / 1e6:.1f} MB, packages {how} {total / 1e6:.1f} MB: {ours / total:.3f}")


def size(archive: Path, level: int | None) -> int:
    """Return the size of a package, or what it would be at another level."""
    if level is None:
        return archive.stat().st_size
    import zstandard

    total = 0
    with zipfile.ZipFile(archive) as members:
        for name in members.namelist():
            data = members.read(name)
            if name.endswith(".zst"):
                raw = zstandard.ZstdDecompressor().decompressobj().decompress(data)
                data = zstandard.ZstdCompressor(level=level).compress(raw)
            total += len(data)
    return total


def measure(
    folder: Path, runs: dict[str, Callable[[Path], None]], rounds: int
) -> dict[str, tuple[float, float]]:
    """Run everything in turn, ``rounds`` times; give the medians of wall and processor time of each."""
    times: dict[str, list[tuple[float, float]]] = {label: [] for label in runs}
    for number in range(rounds):
        for place, (label, run) in enumerate(runs.items()):
            os.sync()
            busy, started = processor_seconds(), time.perf_counter()
            run(folder / f"prefix-{number}-{place}")
            times[label].append((time.perf_counter() - started, processor_seconds() - busy))
    return {
        label: (median(wall for wall, _ in took), median(cpu for _, cpu in took))
        for label, took in times.items()
    }


def install(installer: Path, prefix: Path) -> None:
    """Run the installer silently."""
    subprocess.run(
        [program("sh"), str(installer), "-b", "-p", str(prefix)], check=True, stdout=subprocess.DEVNULL
    )


def unpack(archive: Path, prefix: Path) -> None:
    """Write the same tree with the plainest tools there are."""
    prefix.mkdir()
    zstd = subprocess.Popen([program("zstd"), "-dc", str(archive)], stdout=subprocess.PIPE)
    subprocess.run([program("tar"), "-C", str(prefix), "-x"], stdin=zstd.stdout, check=True)
    assert zstd.wait() == 0


def record(packages: Path, stem: str) -> "rattler.RepoDataRecord":
    """Make rattler's record of a package in a release's channel."""
    import rattler

    (archive,) = packages.glob(f"*/{stem}.conda")
    found = rattler.IndexJson.from_package_archive(archive)
    package = rattler.PackageRecord(
        found.name.normalized,
        str(found.version),
        rattler.BuildString(str(found.build)),
        found.build_number,
        found.subdir or archive.parent.name,
        noarch=found.noarch,
        depends=list(found.depends),
    )
    return rattler.RepoDataRecord(
        package, archive.name, archive.resolve().as_uri(), packages.resolve().as_uri()
    )


def link(records: "list[rattler.RepoDataRecord]", prefix: Path, cache: Path) -> None:
    """Let rattler unpack the packages into an empty cache, and link them."""
    import rattler

    asyncio.run(rattler.install(records, prefix, cache_dir=cache, show_progress=False))


if __name__ == "__main__":
    raise SystemExit(main())

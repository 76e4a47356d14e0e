"""Measure checking whole channels, next to rattler and dose-debcheck, and how the cost grows.

Usage: python benchmarks/channel_check.py [--data FOLDER] [--sizes 10000,50000,250000,500000] [--jobs N]
           [--rounds N]

- `real`: rattler solves each record of the real channels, and the answers are compared
- `dose`: the same dependency graphs are written as Debian ``Packages`` files (`tests/channel_as_debian.py`
  says how) for dose-debcheck, which is the Debian package dose-distcheck; left out where it is not installed
- `sizes`: generated channels (`generated_channel.py` says what shape they have); give ``--sizes ""`` to skip;
  of several rounds, the one that took the least processor time counts

Times are wall clock, from reading the repodata to the last explanation, and processor seconds of all
processes, which say more on a machine that has other things to do.
"""

import argparse
import json
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

CHANNELS = (
    ("conda-forge-subset", "osx-arm64"),
    ("conda-forge-subset", "linux-aarch64"),
    ("main-and-r-2017", "linux-64"),
)
DOSE_MOST = 12_000  # records: dose-debcheck takes more than ten milliseconds for each


@dataclass(frozen=True, kw_only=True)
class Time:
    """Seconds of the wall clock and of the processors, for so many records."""

    records: int
    bad: frozenset[str]
    wall: float
    processor: float

    @property
    def each(self) -> float:
        """Milliseconds of processor time per record."""
        return self.processor / self.records * 1000


def processor() -> float:
    """Return the seconds that this process and its finished children have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(item.ru_utime + item.ru_stime for item in used)


def cuvee(folder: Path, platform: str, jobs: int) -> Time:
    """Check a channel from its files to the last explanation, with nothing kept from before."""
    from cuvee.executors.local_processes import processes
    from cuvee.graph.channel_check.whole_channel import check_channel

    with tempfile.TemporaryDirectory() as cache:
        wall, used = time.perf_counter(), processor()
        with processes(jobs) as executor:
            (answer,) = check_channel(str(folder), cache=Path(cache), platforms=[platform], executor=executor)
        wall, used = time.perf_counter() - wall, processor() - used
    bad = frozenset(item.record.file_name for item in answer.result.not_installable)
    return Time(records=answer.result.checked, bad=bad, wall=wall, processor=used)


def rattler(folder: Path, platform: str) -> Time:
    """Ask rattler about each record by itself."""
    from channel_oracle import Oracle
    from cuvee.conda.virtual_packages import virtual_packages
    from cuvee.platforms import DEFAULT_FLOOR, get

    paths = [path for name in (platform, "noarch") if (path := folder / name / "repodata.json").exists()]
    oracle = Oracle(paths, virtual_packages(platform, DEFAULT_FLOOR[get(platform).system]))
    records = {}
    for path in paths:
        document = json.loads(path.read_bytes())
        records |= document["packages"] | document["packages.conda"]
    wall, used = time.perf_counter(), processor()
    bad = frozenset(
        name for name, item in records.items() if not oracle.solvable([f"{item['name']}[md5={item['md5']}]"])
    )
    return Time(records=len(records), bad=bad, wall=time.perf_counter() - wall, processor=processor() - used)


def dose(folder: Path, platform: str, scratch: Path) -> tuple[int, float, int]:
    """Ask dose-debcheck about the same graph: how many are broken, in how many seconds, of how many."""
    from channel_as_debian import broken, write_packages
    from cuvee.conda.virtual_packages import virtual_packages
    from cuvee.graph.channel_check.repodata_sources import find_subdirs, read_platform
    from cuvee.graph.solving.pool import Pool
    from cuvee.platforms import DEFAULT_FLOOR, get

    records = read_platform(find_subdirs(str(folder), [platform], folder), platform)[0].records
    pool = Pool(records, virtual_packages(platform, DEFAULT_FLOOR[get(platform).system]))
    write_packages(pool, scratch / "Packages")
    used = processor()
    found, _ = broken(scratch / "Packages")
    return found, processor() - used, len(pool)


def real_channels(data: Path, scratch: Path) -> list[tuple[str, Path, str]]:
    """Return the real channels as folders with repodata: an index of file names is written as one."""
    found = []
    for name, platform in CHANNELS:
        folder = data / "channels" / name
        index = folder / platform / "index.json"
        if index.exists():
            values = {
                key: {"subdir": platform} | value for key, value in json.loads(index.read_bytes()).items()
            }
            folder = scratch / name
            (folder / platform).mkdir(parents=True)
            document = {"info": {"subdir": platform}, "packages": values, "packages.conda": {}}
            (folder / platform / "repodata.json").write_text(json.dumps(document))
        found.append((f"{name} {platform}", folder, platform))
    return found


def compare(label: str, folder: Path, platform: str, scratch: Path) -> None:
    """Print one channel's line beside rattler, on one core each."""
    cuvee(folder, platform, 1)  # imports what is lazy, and warms the disk's cache
    ours, theirs = cuvee(folder, platform, 1), rattler(folder, platform)
    assert ours.bad == theirs.bad, sorted(ours.bad ^ theirs.bad)
    print(
        f"{label}: {ours.records:,} records, {len(ours.bad):,} not installable, all as rattler says; "
        f"cuvee {ours.processor:.2f} s, rattler {theirs.processor:.1f} s: "
        f"{theirs.processor / ours.processor:.0f} times"
    )
    beside_dose(label, folder, platform, scratch, ours)


def beside_dose(label: str, folder: Path, platform: str, scratch: Path, ours: Time) -> None:
    """Print one channel's line beside dose-debcheck."""
    if shutil.which("dose-debcheck") is None:
        print(f"{label}: dose-debcheck is not installed (Debian package dose-distcheck)")
        return
    found, seconds, packages = dose(folder, platform, scratch)
    agrees = "as many" if found == len(ours.bad) else f"{found:,} instead of {len(ours.bad):,}"
    each = seconds / packages * 1000
    print(
        f"{label}: dose-debcheck finds {agrees} in {seconds:.1f} s, {each:.2f} ms each; "
        f"cuvee {ours.each:.2f} ms each: {each / ours.each:.0f} times"
    )


def grow(sizes: Sequence[int], jobs: int, rounds: int, scratch: Path) -> None:
    """Print how the cost grows with a channel."""
    from generated_channel import write_channel

    print("records  not installable  wall s  processor s  ms each  of the first  peak MB, all processes")
    first = 0.0
    for size in sizes:
        folder = scratch / str(size)
        write_channel(folder, size)
        ours = min((cuvee(folder, "linux-64", jobs) for _ in range(rounds)), key=lambda time: time.processor)
        first = first or ours.each
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peak = (own + jobs * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) // 1024
        print(
            f"{ours.records:7,}  {len(ours.bad):15,}  {ours.wall:6.1f}  {ours.processor:11.1f}  "
            f"{ours.each:7.3f}  {ours.each / first:12.2f}  {peak:,}",
            flush=True,
        )
        if size <= DOSE_MOST:
            beside_dose(f"generated {size:,}", folder, "linux-64", scratch, ours)
        shutil.rmtree(folder)


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--sizes", default="10000,50000,250000,500000")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        if (options.data / "channels").is_dir():
            for label, channel, platform in real_channels(options.data, scratch):
                compare(label, channel, platform, scratch)
        else:
            print(f"no real channels in {options.data}")
        sizes = [int(size) for size in options.sizes.split(",") if size]
        if sizes:
            grow(sizes, options.jobs, options.rounds, scratch)


if __name__ == "__main__":
    main()

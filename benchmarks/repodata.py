"""Measure the processor time and the peak memory of reading repodata.

Usage: python benchmarks/repodata.py [--records 400000] [FILE ...]

Each file, and a generated one of a subdir with so many records (linux-64 of conda-forge has about 400,000),
is read in a process of its own: only by `json.loads`, and to records by `cuvee.conda.repodata`.
"""

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "benchmarks")]
READERS = ("json.loads", "parse_repodata")


def write_subdir(path: Path, count: int) -> None:
    """Write the repodata of one subdir, whose records have the keys of conda-forge's."""
    from generated_channel import Channel

    packages = {}
    for number, entry in enumerate(Channel(1).records(count)):
        sha256 = hashlib.sha256(str(number).encode()).hexdigest()
        packages[f"{entry['name']}-{entry['version']}-{entry['build']}.conda"] = entry | {
            "arch": "x86_64", "platform": "linux", "license": "BSD-3-Clause", "license_family": "BSD",
            "md5": sha256[:32], "sha256": sha256, "subdir": "linux-64",
        }  # fmt: skip
    with path.open("w") as stream:
        json.dump({"info": {"subdir": "linux-64"}, "packages": {}, "packages.conda": packages}, stream)


def read(reader: str, path: Path) -> None:
    """Read one file, and print how many records it has, seconds and megabytes."""
    if reader == "parse_repodata":
        from cuvee.conda.repodata import parse_repodata
    data = path.read_bytes()
    start = time.process_time()
    if reader == "parse_repodata":
        count = len(parse_repodata(data, subdir="linux-64", where=str(path)).records)
    else:
        document = json.loads(data)
        count = sum(len(document.get(section, ())) for section in ("packages", "packages.conda"))
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{path}: {len(data) / 1e6:,.1f} MB, {reader}: {count:,} records, {seconds:.2f} s, {peak:,} MB peak"
    )


def main() -> None:
    """Read each file with each reader."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--records", type=int, default=400_000)
    parser.add_argument("--reader", choices=READERS, help="Read the files in this process, by this reader.")
    options = parser.parse_args()
    if options.reader:
        for path in options.files:
            read(options.reader, path)
        return
    with tempfile.TemporaryDirectory() as folder:
        generated = Path(folder) / "repodata.json"
        write_subdir(generated, options.records)
        for path in (*options.files, generated):
            for reader in READERS:
                subprocess.run([sys.executable, __file__, "--reader", reader, str(path)], check=True)


if __name__ == "__main__":
    main()

"""Measure reading a channel over HTTP: with rattler's own client, and with cuvee's.

Usage: python benchmarks/fetch.py [--records 400000]

A channel of so many records is generated, and served by another process as ``repodata.json.zst``. Each reader
fetches it into an empty cache, then once more, and queries one name. Each run is a process of its own.
"""

import argparse
import functools
import http.server
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import zstandard

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "benchmarks")]
READERS = ("rattler", "cuvee")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files, and logs nothing."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def serve(folder: str, ports: "multiprocessing.Queue[int]") -> None:
    """Serve a folder until the process is ended."""
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        ports.put(server.server_port)
        server.serve_forever()


def read(reader: str, source: str, cache: Path) -> None:
    """Fetch and query; print seconds, processor seconds and megabytes."""
    from rattler import Channel, Gateway, MatchSpec, Subdir

    from cuvee.channel.connection import connect, query
    from cuvee.conda.event_loop import run

    async def ask() -> int:
        subdirs = [Subdir("linux-64"), Subdir("noarch")]
        gateway = Gateway(cache_dir=cache)
        found = await gateway.query([Channel(source)], subdirs, [MatchSpec("python")], recursive=False)
        return sum(map(len, found))

    wall, start = time.perf_counter(), time.process_time()
    count = run(ask() if reader == "rattler" else query([source], "linux-64", ["python"], connect(cache)))
    wall, used = time.perf_counter() - wall, time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    number = count if isinstance(count, int) else len(count)
    print(f"{reader}: {number} records, {wall:.2f} s, processor {used:.2f} s, {peak:,} MB peak", flush=True)


def main() -> None:
    """Read the channel with each reader, twice."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=400_000)
    parser.add_argument("--reader", choices=READERS, help="Read in this process, by this reader.")
    parser.add_argument("--source")
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    if options.reader:
        read(options.reader, options.source, options.cache)
        return
    from generated_channel import write_channel

    with tempfile.TemporaryDirectory() as folder:
        channel = Path(folder, "channel")
        print(f"{write_channel(channel, options.records):,} records")
        for file in channel.glob("*/repodata.json"):
            packed = zstandard.ZstdCompressor().compress(file.read_bytes())
            print(
                f"{file.parent.name}: {file.stat().st_size / 1e6:.1f} MB, {len(packed) / 1e6:.1f} MB as .zst"
            )
            file.with_name("repodata.json.zst").write_bytes(packed)
        ports: multiprocessing.Queue[int] = multiprocessing.Queue()
        server = multiprocessing.Process(target=serve, args=(str(channel), ports), daemon=True)
        server.start()
        source = f"http://127.0.0.1:{ports.get()}"
        for reader in READERS:
            cache = Path(folder, reader)
            for _ in range(3):
                more = ["--reader", reader, "--source", source, "--cache", str(cache)]
                environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
                subprocess.run([sys.executable, __file__, *more], check=True, env=environment)
        server.terminate()


if __name__ == "__main__":
    main()

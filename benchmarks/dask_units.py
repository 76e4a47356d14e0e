"""Measure what a Dask cluster costs and brings: units of no work, and the tests of a release on more workers.

Usage: python benchmarks/dask_units.py [--units 10000] [--workers 4] [--slots 1]
       python benchmarks/dask_units.py --release MANIFEST --dist DIST [--select PATTERN]

Without a release, units of no work run on workers of this machine, beside the same calls given to bare
`distributed` in three ways: all at once by `Client.map`; as many at once as cuvee starts, each on one worker;
and one after the other. Each worker runs as many at once as it has slots; with more of them, the time that a
busy machine takes to switch between processes counts less. With a release, its tests run in threads of this
machine, then on 1, 2 and 4 workers with one thread each: those of `interop`, if no others are selected, and
all with ``--select '*'``. Compare the ratios: workers on one machine share its cores, and each installs the
release for itself.
"""

import argparse
import queue
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cuvee import platforms
from cuvee.executors.dask_cluster import DaskCluster
from cuvee.executors.dask_executor import DaskExecutor

SELECTED = ("interop/*",)  # tests that cross packages, with a second or more of work each


def nothing(number: int) -> int:
    """Do no work."""
    return number


@contextmanager
def cluster(workers: int, platform: str, slots: int = 1) -> Iterator[str]:
    """Yield the address of a scheduler on loopback with so many workers, which run so many units at once."""
    from distributed import Client

    with tempfile.TemporaryDirectory() as folder:
        log = (Path(folder) / "log").open("wb")
        common = ("--host", "127.0.0.1", "--no-dashboard")
        scheduler = subprocess.Popen(
            (sys.executable, "-m", "distributed.cli.dask_scheduler", *common, "--port", "0"),
            stderr=subprocess.PIPE, stdout=log,
        )  # fmt: skip
        assert scheduler.stderr is not None
        lines = (line.decode() for line in scheduler.stderr)
        url = next(line.partition("Scheduler at:")[2].strip() for line in lines if "Scheduler at:" in line)
        started = [
            subprocess.Popen(
                (
                    sys.executable, "-m", "distributed.cli.dask_worker", url, *common, "--no-nanny",
                    "--nthreads", str(slots), "--name", f"w{number}",
                    "--local-directory", f"{folder}/{number}",
                    "--resources", f"{platform}={slots}",
                ),
                stderr=log, stdout=log,
            )
            for number in range(workers)
        ]  # fmt: skip
        try:
            with Client(url, set_as_default=False) as client:
                client.wait_for_workers(workers)
            yield url.partition("://")[2]
        finally:
            for process in (*started, scheduler):
                process.kill()
                process.wait()
            scheduler.stderr.close()
            log.close()


def bare_map(address: str, units: int) -> float:
    """Return the seconds of all calls by `Client.map`."""
    from distributed import Client

    with Client(f"tcp://{address}", set_as_default=False) as client:
        client.gather(client.map(nothing, range(8), pure=False))
        start = time.monotonic()
        client.gather(client.map(nothing, range(units), pure=False))
        return time.monotonic() - start


def bare_pinned(address: str, units: int, slots: int) -> float:
    """Return the seconds of calls to one worker by name each, as many at once as all workers have slots."""
    from distributed import Client

    with Client(f"tcp://{address}", set_as_default=False) as client:
        free: queue.SimpleQueue[str] = queue.SimpleQueue()
        for worker in client.scheduler_info(n_workers=-1)["workers"]:
            for _ in range(slots):
                free.put(worker)
        start = time.monotonic()
        futures = []
        for number in range(units):
            worker = free.get()
            future = client.submit(nothing, number, workers=[worker], allow_other_workers=False, pure=False)
            future.add_done_callback(lambda _, at=worker: free.put(at))
            futures.append(future)
        client.gather(futures)
        return time.monotonic() - start


def bare_serial(address: str, units: int) -> float:
    """Return the seconds of calls that wait for each other."""
    from distributed import Client

    with Client(f"tcp://{address}", set_as_default=False) as client:
        start = time.monotonic()
        for number in range(units):
            client.submit(nothing, number, pure=False).result()
        return time.monotonic() - start


def ours(address: str, units: int, platform: str) -> float:
    """Return the seconds of calls by our executor, once its workers are checked."""
    with DaskCluster(address) as found, DaskExecutor(found, platform=platform) as executor:
        [future.result() for future in [executor.submit(nothing, number) for number in range(64)]]
        start = time.monotonic()
        results = [future.result() for future in [executor.submit(nothing, n) for n in range(units)]]
        assert results == list(range(units))
        return time.monotonic() - start


def no_work(units: int, workers: int, slots: int, platform: str) -> None:
    """Print the cost of a unit of no work, and of how much of it the client's process needs the processor."""
    print(f"{units:,} units of no work, {workers} workers with {slots} slots each:")
    few = max(units // 100, 1)
    reference = 0.0
    with cluster(workers, platform, slots) as address:
        for name, number, measure in (
            (
                "distributed, one worker by name, as many at once",
                units,
                lambda n: bare_pinned(address, n, slots),
            ),
            ("cuvee", units, lambda n: ours(address, n, platform)),
            ("distributed, Client.map, all at once", units, lambda n: bare_map(address, n)),
            ("distributed, one after the other", few, lambda n: bare_serial(address, n)),
        ):
            before = time.process_time()
            each = measure(number) / number
            own = (time.process_time() - before) / number
            reference = reference or each
            line = f"  {name:50} {1000 * each:6.2f} ms per unit, {each / reference:5.2f}"
            print(f"{line}; client {1000 * own:.2f} ms", flush=True)


def tests(manifest: Path, dist: Path, patterns: tuple[str, ...], platform: str) -> None:
    """Print how long the tests of a release take in threads and on workers."""
    from cuvee.cache_folder import default_cache
    from cuvee.integration.platform_run import parallel_tests

    def run(executor: str, selected: tuple[str, ...] = patterns) -> tuple[float, str]:
        start = time.monotonic()
        argv = (
            sys.executable, "-m", "cuvee", "test", str(manifest), "--dist", str(dist), "--platform", platform,
            "--cache", str(default_cache()), "--executor", executor, "--quiet",
            *(f"--select={pattern}" for pattern in selected),
        )  # fmt: skip
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        line = next((line for line in done.stdout.splitlines() if line.startswith(platform)), done.stderr)
        return time.monotonic() - start, line

    run("threads", ("smoke/interpreter@*",))  # what is made or read for the first time
    reference, line = run("threads")
    print(f"threads, {parallel_tests()} at once: {reference:.1f} s, 1.00  ({line})", flush=True)
    for workers in (1, 2, 4):
        with cluster(workers, platform) as address:
            seconds, line = run(f"dask://{address}")
        print(f"{workers} workers: {seconds:.1f} s, {seconds / reference:.2f}  ({line})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--units", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--slots", type=int, default=1)
    parser.add_argument("--release", type=Path, help="a manifest")
    parser.add_argument("--dist", type=Path, default=Path("dist"))
    parser.add_argument("--select", action="append", help="interop/* by default")
    options = parser.parse_args()
    host = platforms.host()
    if host is None:
        raise SystemExit("cuvee has no platform for this host")
    if options.release is None:
        no_work(options.units, options.workers, options.slots, host.name)
    else:
        tests(options.release, options.dist, tuple(options.select or SELECTED), host.name)


if __name__ == "__main__":
    main()

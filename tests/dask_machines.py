"""A real Dask cluster on loopback: a scheduler, and workers as processes of their own that can be killed."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

if find_spec("distributed") is None:
    pytest.skip("needs distributed: pip install 'cuvee[dask]'", allow_module_level=True)


class Machines:
    """A scheduler, and its workers by name."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.options = folder, options
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self._log = (folder / "cluster.log").open("ab")
        command = ("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        self.scheduler = self._start(*command, *options, stderr=subprocess.PIPE)
        assert self.scheduler.stderr is not None
        self.url = _url(self.scheduler.stderr)
        self._reader = threading.Thread(target=self._log.writelines, args=(self.scheduler.stderr,))
        self._reader.start()
        self.address = self.url.partition("://")[2]
        self.executor = f"dask://{self.address}"

    def add(self, name: str, *resources: str, threads: int = 1, preload: Path | None = None) -> None:
        """Start a worker that declares resources, such as ``linux-64=1``."""
        declared = ("--resources", " ".join(resources)) if resources else ()
        more = ("--preload", str(preload)) if preload is not None else ()
        self.workers[name] = self._start(
            "distributed.cli.dask_worker", self.url, "--host", "127.0.0.1", "--no-nanny", "--no-dashboard",
            "--name", name, "--nthreads", str(threads), "--local-directory", str(self.folder / name),
            *declared, *more, *self.options,
            stderr=self._log.fileno(),
        )  # fmt: skip

    def wait_for(self, number: int) -> None:
        """Wait until so many workers have registered."""
        from distributed import Client

        with Client(self.url, set_as_default=False) as client:  # type: ignore[no-untyped-call]
            client.wait_for_workers(number, timeout=120)

    def kill(self, name: str) -> None:
        """Kill a worker, as the system does when memory runs out."""
        worker = self.workers.pop(name)
        worker.send_signal(signal.SIGKILL)
        worker.wait()

    def close(self) -> None:
        """End all processes."""
        for started in (*self.workers.values(), self.scheduler):
            started.kill()
            started.wait()
        self._reader.join()
        assert self.scheduler.stderr is not None
        self.scheduler.stderr.close()
        self._log.close()

    def _start(self, module: str, *arguments: str, stderr: int) -> "subprocess.Popen[bytes]":
        argv = (sys.executable, "-m", module, *arguments)
        return subprocess.Popen(argv, stdout=self._log, stderr=stderr, stdin=subprocess.DEVNULL)


def _url(lines: Iterable[bytes]) -> str:
    for line in lines:
        _, found, url = line.decode().partition("Scheduler at:")
        if found:
            return url.strip()
    raise AssertionError("the scheduler did not start")


@contextmanager
def machines(folder: Path, *options: str) -> Iterator[Machines]:
    """Yield a cluster without workers, and end it."""
    started = Machines(folder, *options)
    try:
        yield started
    finally:
        started.close()

"""Packing on all cores, in processes: reading archives holds Python's lock, for which threads wait."""

import io
import os
import pickle
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import IO, cast

from cuvee import process
from cuvee.errors import InternalError
from cuvee.image.pack_jobs import PackAnswer, PackJob, PackSettings
from cuvee.progress import Reporter

WORTH_IT = 16 << 20
"""Bytes of archives from which on starting processes takes less time than they save."""

_MOST = 8
_SAID = 400


def pack_in_processes(
    jobs: Iterable[PackJob], settings: PackSettings, done: Callable[[PackJob], None], reporter: Reporter
) -> None:
    """Pack packages into the cache with a process per core; ``done`` is called after each.

    Raises
    ------
    CuveeError
        The first error of a package.
    """
    waiting, lock = iter(jobs), threading.Lock()
    workers = [_Worker(settings) for _ in range(min(os.cpu_count() or 1, _MOST))]

    def work(worker: _Worker) -> None:
        while True:
            with lock:
                job = next(waiting, None)
            if job is None:
                return
            answer = worker.pack(job)
            for warning in answer.warnings:
                reporter.warn(warning)
            if answer.error is not None:
                raise answer.error
            done(job)

    try:
        with ThreadPoolExecutor(len(workers), thread_name_prefix="pack") as threads:
            started = [threads.submit(work, worker) for worker in workers]
            try:
                for future in started:
                    future.result()
            except BaseException:
                with lock:
                    waiting = iter(())
                for worker in workers:
                    worker.stop()
                raise
    finally:
        for worker in workers:
            worker.close()


class _Worker:
    def __init__(self, settings: PackSettings) -> None:
        self._messages: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        argv = (sys.executable, "-P", "-m", "cuvee.image.pack_worker")
        self._program = process.talk_to(argv, messages=self._messages)
        self._jobs = io.BufferedWriter(cast("io.RawIOBase", self._program.stdin))
        self._answers = io.BufferedReader(cast("io.RawIOBase", self._program.stdout))
        self._send(settings)

    def pack(self, job: PackJob) -> PackAnswer:
        self._send(job)
        try:
            answer: PackAnswer = pickle.load(self._answers)  # noqa: S301 - from our own program
        except (EOFError, pickle.UnpicklingError) as error:
            self._messages.seek(0)
            said = self._messages.read().decode(errors="replace").strip()[-_SAID:]
            raise InternalError(
                f"The process that packs {job.info.archive.name} has ended: {said}"
            ) from error
        return answer

    def stop(self) -> None:
        self._program.kill()

    def close(self) -> None:
        for stream in (self._jobs, self._answers):
            with suppress(OSError):
                stream.close()
        self._program.wait()
        self._messages.close()

    def _send(self, value: object) -> None:
        with suppress(BrokenPipeError):  # then there will be no answer
            pickle.dump(value, self._jobs)
            self._jobs.flush()

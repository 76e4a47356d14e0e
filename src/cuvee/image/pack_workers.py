"""Programs that pack packages: reading archives holds Python's lock, for which threads wait."""

import io
import pickle
import sys
import tempfile
from contextlib import suppress
from typing import IO, cast

from cuvee import process
from cuvee.errors import InternalError
from cuvee.image.pack_jobs import PackAnswer, PackJob, PackSettings
from cuvee.progress import Reporter

_SAID = 400


class PackWorker:
    """A program that packs packages into the cache, one after the other."""

    def __init__(self, settings: PackSettings, reporter: Reporter) -> None:
        self._reporter = reporter
        self._messages: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        argv = (sys.executable, "-P", "-m", "cuvee.image.pack_worker")
        self._program = process.talk_to(argv, messages=self._messages)
        self._jobs = io.BufferedWriter(cast("io.RawIOBase", self._program.stdin))
        self._answers = io.BufferedReader(cast("io.RawIOBase", self._program.stdout))
        self._send(settings)

    def pack(self, job: PackJob) -> None:
        """Have a package packed.

        Raises
        ------
        CuveeError
            The package's error, or one that says how the program has ended.
        """
        self._send(job)
        try:
            answer: PackAnswer = pickle.load(self._answers)  # noqa: S301 - from our own program
        except (EOFError, pickle.UnpicklingError) as error:
            self._messages.seek(0)
            said = self._messages.read().decode(errors="replace").strip()[-_SAID:]
            raise InternalError(
                f"The process that packs {job.info.archive.name} has ended: {said}"
            ) from error
        for warning in answer.warnings:
            self._reporter.warn(warning)
        if answer.error is not None:
            raise answer.error

    def stop(self) -> None:
        """End the program, whatever it does."""
        self._program.kill()

    def close(self) -> None:
        """Let the program end, and wait for that."""
        for stream in (self._jobs, self._answers):
            with suppress(OSError):
                stream.close()
        self._program.wait()
        self._messages.close()

    def _send(self, value: object) -> None:
        with suppress(BrokenPipeError):  # then there will be no answer
            pickle.dump(value, self._jobs)
            self._jobs.flush()

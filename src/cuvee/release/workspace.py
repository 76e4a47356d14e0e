"""The release folder: where each stage leaves its result, and what is known about it.

A stage is skipped when the hash of its inputs is the one that its result was made from, and the result is
still there, unchanged. So an interrupted release goes on where it was, and a second run has nothing to do.
"""

import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cuvee.errors import StorageError
from cuvee.files import storage_errors, write_json


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """What is known of a finished stage.

    Attributes
    ----------
    inputs
        Hex SHA-256 of everything the result depends on.
    outputs
        Each file's size and modification time (ns), by its path relative to the release folder.
    seconds
        How long it took.
    facts
        What later stages need to know of it; JSON values.
    """

    inputs: str
    outputs: Mapping[str, tuple[int, int]]
    seconds: float
    facts: Mapping[str, Any]


class Workspace:
    """One release's folder and the cache that all releases share.

    Parameters
    ----------
    folder
        ``dist/<distribution>-<version>``.
    cache
        Downloads, converted packages, byte code and frames, all keyed by content.
    """

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        self.cache = cache
        self._stages = folder / ".stages"

    @property
    def channel(self) -> Path:
        """The release's own channel."""
        return self.folder / "channel"

    @property
    def lock_file(self) -> Path:
        """The ``pixi.lock``."""
        return self.folder / "lock" / "pixi.lock"

    @property
    def pictures(self) -> Path:
        """Pictures of the graph, and the graph for other programs."""
        return self.folder / "checks" / "graph"

    @property
    def findings_file(self) -> Path:
        """The findings of all checks."""
        return self.folder / "checks" / "findings.json"

    @property
    def conflict_file(self) -> Path:
        """Why the manifest has no solution, while it has none."""
        return self.folder / "checks" / "conflict.json"

    @property
    def certificate_file(self) -> Path:
        """The proof that the release fits together."""
        return self.folder / "checks" / "certificate.json"

    def image(self, platform: str) -> Path:
        """Give the folder of a platform's image."""
        return self.folder / "images" / platform

    def sbom(self, platform: str) -> Path:
        """Give the bill of materials of a platform."""
        return self.folder / "sbom" / f"{platform}.cdx.json"

    @property
    def installers(self) -> Path:
        """The installers."""
        return self.folder / "installers"

    @property
    def results(self) -> Path:
        """The outcomes, a folder per platform."""
        return self.folder / "results"

    @property
    def report(self) -> Path:
        """The page and its data."""
        return self.folder / "report"

    def current(self, stage: str, inputs: str) -> StageRecord | None:
        """Give the record of ``stage`` if its result is there and was made from ``inputs``."""
        record = self.record(stage)
        if record is None or record.inputs != inputs:
            return None
        for name, known in record.outputs.items():
            try:
                status = (self.folder / name).stat()
            except OSError:
                return None
            if (status.st_size, status.st_mtime_ns) != known:
                return None
        return record

    def record(self, stage: str) -> StageRecord | None:
        """Give what is known of ``stage``, whatever it was made from."""
        try:
            data = json.loads((self._stages / f"{stage}.json").read_text(encoding="utf-8"))
            return StageRecord(
                inputs=data["inputs"],
                outputs={name: (size, mtime) for name, (size, mtime) in data["outputs"].items()},
                seconds=data["seconds"],
                facts=data["facts"],
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def finished(
        self, stage: str, inputs: str, outputs: Iterable[Path], *, seconds: float, facts: Mapping[str, Any]
    ) -> StageRecord:
        """Record that ``stage`` has made ``outputs`` (files, or folders of them) from ``inputs``."""
        files = sorted(file for path in outputs for file in _files(path))
        known = {}
        for file in files:
            status = file.stat()
            known[file.relative_to(self.folder).as_posix()] = (status.st_size, status.st_mtime_ns)
        record = StageRecord(inputs=inputs, outputs=known, seconds=seconds, facts=facts)
        write_json(
            self._stages / f"{stage}.json",
            {"inputs": inputs, "outputs": known, "seconds": round(seconds, 3), "facts": facts},
        )
        return record

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the release folder for this process.

        Raises
        ------
        StorageError
            If another process is cutting the same release.
        """
        with storage_errors(self.folder):
            self._stages.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._stages / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if not _try_lock(handle):
                raise StorageError(
                    f"Another cuvee is working on {self.folder}",
                    hint="Wait until it has finished, or stop it.",
                )
            self._sweep()
            yield
        finally:
            os.close(handle)

    def _sweep(self) -> None:
        """Remove what runs that were killed have left half made, beside what they wanted to make."""
        for pattern in (".*.part", "*/.*.part", ".*.old", "*/.*.old"):
            for path in self.folder.glob(pattern):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)


def _try_lock(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows: two runs there are the user's to avoid
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file())
    elif path.exists():
        yield path


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self._start

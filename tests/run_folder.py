"""A folder that all workers of one run of the tests share, for what is slow to make and only read."""

import fcntl
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

Value = TypeVar("Value")


class RunFolder:
    """Knows the folder, once the run has begun."""

    def __init__(self) -> None:
        self._path: Path | None = None

    def begin(self, factory: pytest.TempPathFactory) -> None:
        """Take the temporary folder of the run: workers of pytest-xdist have theirs in it."""
        base = factory.getbasetemp()
        self._path = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    @property
    def path(self) -> Path:
        """Return the folder."""
        assert self._path is not None, "tests/conftest.py begins the run"
        return self._path

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Let one worker at a time do something that has this name."""
        with (self.path / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def made_once(self, name: str, make: Callable[[Path], None]) -> Path:
        """Return a folder in it, which is made by the worker that needs it first, while others wait."""
        folder, done = self.path / name, self.path / f"{name} is made"
        with self.alone(name):
            if not done.exists():
                make(folder)
                done.touch()
        return folder

    def value(self, name: str, make: Callable[[Path], Value]) -> Value:
        """Return what the worker that needs it first makes in a folder of this name, with its files there."""

        def keep(folder: Path) -> None:
            folder.mkdir(exist_ok=True)  # another worker could not make it
            (folder / "value").write_bytes(pickle.dumps(make(folder)))

        data = (self.made_once(name, keep) / "value").read_bytes()
        value: Value = pickle.loads(data)  # noqa: S301 - another worker of this run has written it
        return value


RUN = RunFolder()

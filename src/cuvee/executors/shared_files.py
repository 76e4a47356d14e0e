"""Files that work needs wherever it runs: a worker on another machine has them by their hash."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cuvee.files import sha256_file

RECEIVED: dict[str, Path] = {}
"""The files that this process, a worker of a cluster, was sent and has checked, by hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFile:
    """A file of the machine that gives out work, and its hash; it can be sent to other processes."""

    path: str
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """Return a file with the hash that it has now."""
        return cls(path=str(path), sha256=sha256_file(path))

    def here(self) -> Path:
        """Return where this process has it: what it was sent, else the file itself."""
        return RECEIVED.get(self.sha256) or Path(self.path)

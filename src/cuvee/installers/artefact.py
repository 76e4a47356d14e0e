"""What a release hands out: one file, or the reason why it could not be made here."""

from dataclasses import dataclass
from typing import Self

from cuvee.errors import CuveeError, ToolMissingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Why an artefact was not made.

    Attributes
    ----------
    reason
        One sentence.
    remedy
        What to install or do so that the next run makes it; may be empty.
    exit_code
        That of the error: 3 if this host lacks a tool, 1 if the format can not hold it, on whatever host.
    """

    reason: str
    remedy: str = ""
    exit_code: int = ToolMissingError.exit_code

    @classmethod
    def by(cls, error: CuveeError) -> Self:
        """Say what an error said."""
        return cls(reason=error.message, remedy=error.hint or "", exit_code=error.exit_code)

    @property
    def only_here(self) -> bool:
        """Whether another host could make it."""
        return self.exit_code == ToolMissingError.exit_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """One file of a release, made or missing.

    Attributes
    ----------
    name
        The file name, such as ``Starter-2026.11.0-Linux-x86_64.sh``.
    path
        Where it is, relative to the release folder, with ``/``: ``installers/<name>``.
    platform
        The platform that it is for; `None` when it serves all of them, as the lock does.
    kind
        A short phrase for people: ``sh installer``, ``image``, ``lock``.
    size
        Bytes.
    seconds
        How long making it took.
    sha256
        Hex digest; empty when it is missing.
    missing
        Why it is not there, or `None` when it is.
    """

    name: str
    path: str
    platform: str | None = None
    kind: str
    size: int = 0
    seconds: float = 0.0
    sha256: str = ""
    missing: Missing | None = None

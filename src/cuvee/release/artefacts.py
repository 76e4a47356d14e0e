"""Files that a release hands out, or why they were not made."""

import enum
from dataclasses import dataclass
from typing import Self

from cuvee.errors import CuveeError, ToolMissingError


class ArtefactKind(enum.Enum):
    """What an artefact is for."""

    INSTALLER = "installer"
    DELTA = "delta"
    IMAGE = "image"
    LOCK = "lock"
    PACKAGE_LIST = "package list"
    SBOM = "sbom"
    CERTIFICATE = "certificate"
    CONSTRUCTOR_PROJECT = "constructor project"
    METAPACKAGE = "metapackage"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMade:
    """Why an artefact was not made.

    Attributes
    ----------
    reason
        One sentence.
    remedy
        What to install or do so that the next run makes it; may be empty.
    exit_code
        That of the error: 3 if this host lacks a tool, 1 if the format cannot hold it on any host.
    not_tried
        Whether nothing tried to make it, since findings block the release.
    failed
        Whether making it failed, though host and format would have allowed it: that blocks the release.
    """

    reason: str
    remedy: str = ""
    exit_code: int = ToolMissingError.exit_code
    not_tried: bool = False
    failed: bool = False

    @classmethod
    def because_of(cls, error: CuveeError) -> Self:
        """Return the reason that an error gives."""
        return cls(reason=error.message, remedy=error.hint or "", exit_code=error.exit_code)

    @property
    def only_here(self) -> bool:
        """Whether another host could make it."""
        return self.exit_code == ToolMissingError.exit_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """One file that a release hands out, or the reason why it was not made.

    Attributes
    ----------
    path
        Relative to the release folder, with ``/``: ``installers/Starter-2026.11.0-Linux-x86_64.sh``.
    platform
        The platform that it is for; `None` when it serves all of them, as the lock does.
    format
        The format of an installer, such as ``sh``; empty for other kinds.
    size
        Bytes.
    seconds
        How long making it took.
    sha256
        Hex digest; empty when it was not made.
    """

    path: str
    kind: ArtefactKind
    platform: str | None = None
    format: str = ""
    size: int = 0
    seconds: float = 0.0
    sha256: str = ""
    not_made: NotMade | None = None

    @property
    def name(self) -> str:
        """The file name; that of an image has its platform before it."""
        parts = self.path.split("/")
        return "/".join(parts[-2:] if self.kind is ArtefactKind.IMAGE else parts[-1:])

    @property
    def title(self) -> str:
        """What it is, for people: ``sh installer``."""
        return f"{self.format} {self.kind.value}".strip()

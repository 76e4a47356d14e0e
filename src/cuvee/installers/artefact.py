"""What a release hands out: one file, or the reason why it could not be made here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Why an artefact was not made.

    Attributes
    ----------
    reason
        One sentence.
    remedy
        What to install or do so that the next run makes it; may be empty.
    """

    reason: str
    remedy: str = ""


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

"""What python-tuf refuses, in the words of the reader."""

import datetime as dt

from cuvee.errors import IntegrityError


def explained(error: Exception, site: str, now: dt.datetime, *, asked: str = "") -> IntegrityError:
    """Return what is wrong with a site, and what it may mean; ``asked`` is the file that was read last."""
    from tuf.api import exceptions as refused
    from tuf.api.serialization import DeserializationError

    clock = f"the clock of this machine says {now:%Y-%m-%d %H:%M} UTC"
    known: dict[type[Exception], tuple[str, str]] = {
        refused.UnsignedMetadataError: (
            "too few of the keys that may sign have signed",
            "Is it the site of another distribution, or are keys stolen or revoked?",
        ),
        refused.ExpiredMetadataError: (
            f"its metadata has expired ({clock})",
            "If the clock is right, the site was not renewed, or somebody serves old metadata as new.",
        ),
        refused.BadVersionNumberError: (
            "its metadata is older than what this machine has seen, or of another version than announced",
            "Somebody serves an old state as new, or a mirror lags behind.",
        ),
        refused.LengthOrHashMismatchError: (
            f"{asked or 'a file'} is not the one that was signed",
            "The file was changed at its source or in transit, or files of different states are mixed.",
        ),
        refused.DownloadLengthMismatchError: (f"{asked or 'a file'} is longer than what was signed", ""),
        DeserializationError: ("metadata cannot be read", ""),
    }
    what, advice = next((text for kind, text in known.items() if isinstance(error, kind)), ("refused", ""))
    return IntegrityError(
        f"{site}: {what}: {_innermost(error)}",
        hint=f"{advice} Nothing of it was used; what you have stays as it is.".strip(),
    )


def _innermost(error: BaseException) -> str:
    """Return the text of an error, with that of its cause, if it has one."""
    from tuf.api.serialization import DeserializationError

    cause = error.__cause__
    if isinstance(error, DeserializationError) and cause is not None:
        return f"{cause}"
    return str(error)

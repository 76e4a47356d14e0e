"""The one exception tree.

Every class has a stable exit code, and every instance can carry the user's next step. Library code
raises these; only `cuvee.cli.main` turns them into exit codes.
"""

from collections.abc import Iterable
from typing import Any, ClassVar


class CuveeError(Exception):
    """Something that the user must be told about.

    Parameters
    ----------
    message
        What is wrong, and where. One or more lines; never a traceback.
    hint
        What to do next.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class BlockedError(CuveeError):
    """The release is blocked by findings or outcomes, or there is no solution.

    Parameters
    ----------
    platforms
        Those without a solution, if it is that which blocks.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None, platforms: Iterable[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.platforms = tuple(platforms)


class UnsolvableError(BlockedError):
    """The set has no solution.

    Parameters
    ----------
    details
        Why, as JSON values: for ``--json``, and for `checks/conflict.json`.
    """

    def __init__(
        self, message: str, *, hint: str | None = None, platforms: Iterable[str] = (), details: Any = None
    ) -> None:
        super().__init__(message, hint=hint, platforms=platforms)
        self.details = details


class TooLargeError(BlockedError):
    """What is to be made would pass a limit of its format."""


class UsageError(CuveeError):
    """The command or its arguments make no sense."""

    exit_code = 2


class NotLockedError(UsageError):
    """A question cannot be answered: the release is not locked, or not as its manifest is now."""


class DocumentError(CuveeError):
    """A YAML file that people write has problems; the message shows all of them."""

    exit_code = 2


class ManifestError(DocumentError):
    """The manifest has problems; the message shows all of them."""


class ToolMissingError(CuveeError):
    """A program or a system package that this step needs is not installed."""

    exit_code = 3


class SourceUnreachableError(CuveeError):
    """A channel, an index or a file that the release is made from could not be reached or read."""

    exit_code = 4


class IntegrityError(CuveeError):
    """A hash, a size or a signature differs from what was promised, or an archive is hostile."""

    exit_code = 5


class StorageError(CuveeError):
    """A file cannot be written: no space, no permission, a name that cannot exist here."""

    exit_code = 6


class ExhaustedError(CuveeError):
    """There is too little memory."""

    exit_code = 6


class BusyError(CuveeError):
    """Another process works on the same release."""

    exit_code = 7


class InternalError(CuveeError):
    """A bug in cuvee itself; the number is that of ``EX_SOFTWARE`` in sysexits.h."""

    exit_code = 70

"""The one exception of the runtime, and the exit codes of its verbs."""

from __future__ import annotations

FAILED = 1
USAGE = 2
MISSING = 3
DAMAGED = 5
INTERRUPTED = 130
EXIT_CODES = (0, FAILED, USAGE, MISSING, DAMAGED, INTERRUPTED)


class InstallError(Exception):
    """What the user is told, and the exit code that tells a script the same."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def damaged(what: str) -> InstallError:
    """Return the error for bytes of an installer that are not those that were released."""
    return InstallError(f"{what} is damaged. Nothing was installed; fetch the installer again.", DAMAGED)

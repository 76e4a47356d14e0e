"""How the runtime says that it can not go on."""

from __future__ import annotations

FAILED = 1
USAGE = 2
MISSING = 3
DAMAGED = 5
INTERRUPTED = 130


class InstallError(Exception):
    """What the user is told, and the exit code that says the same to a script."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def damaged(what: str) -> InstallError:
    """Say that the installer's bytes are not those that were released."""
    return InstallError(f"{what} is damaged. Nothing was installed; fetch the installer again.", DAMAGED)

"""Reporting progress: a small protocol that a terminal, a log and a notebook can implement."""

from typing import Protocol


class Reporter(Protocol):
    """Receives the progress of a stage. Its methods may be called from several threads."""

    def start(self, task: str, *, total: int | None = None) -> None:
        """Begin ``task``, a short phrase that also names it, of ``total`` units of work."""

    def advance(self, task: str, amount: int = 1, *, note: str = "") -> None:
        """Report that ``amount`` more units of ``task`` are done; ``note`` says which."""

    def finish(self, task: str, *, note: str = "") -> None:
        """``task`` has succeeded; ``note`` is a summary."""

    def say(self, message: str) -> None:
        """Report one line."""

    def warn(self, message: str) -> None:
        """Report one line that the user should not miss."""


class Silent:
    """A reporter that ignores everything."""

    def start(self, task: str, *, total: int | None = None) -> None: ...

    def advance(self, task: str, amount: int = 1, *, note: str = "") -> None: ...

    def finish(self, task: str, *, note: str = "") -> None: ...

    def say(self, message: str) -> None: ...

    def warn(self, message: str) -> None: ...


SILENT: Reporter = Silent()

"""How progress leaves the library: a small object that terminal, log and page can each implement."""

from typing import Protocol


class Reporter(Protocol):
    """Listens to what a stage does. Calls may come from several threads."""

    def start(self, task: str, *, total: int | None = None) -> None:
        """Begin ``task``, a short phrase that also names it, of ``total`` units of work."""

    def advance(self, task: str, amount: int = 1, *, note: str = "") -> None:
        """``amount`` more units of ``task`` are done; ``note`` says which."""

    def finish(self, task: str, *, note: str = "") -> None:
        """``task`` ended well; ``note`` sums it up."""

    def say(self, message: str) -> None:
        """One line of talk."""

    def warn(self, message: str) -> None:
        """One line that the user should not miss."""


class Silent:
    """A reporter that nobody listens to."""

    def start(self, task: str, *, total: int | None = None) -> None: ...

    def advance(self, task: str, amount: int = 1, *, note: str = "") -> None: ...

    def finish(self, task: str, *, note: str = "") -> None: ...

    def say(self, message: str) -> None: ...

    def warn(self, message: str) -> None: ...


SILENT: Reporter = Silent()

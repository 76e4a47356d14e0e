"""The files of a desktop on which a release is installed: those of this host, or of another machine."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from cuvee.codec import decode
from cuvee.errors import CuveeError
from cuvee.files import parse_json, write_json
from cuvee.integration.inside import desktop_files
from cuvee.integration.left_files import Contents
from cuvee.integration.test_session import TestSession, describe_exit, last_line, transcript

Answer = TypeVar("Answer")
_KINDS: dict[Callable[[Path], Any], Any] = {
    desktop_files.contents: Contents,
    desktop_files.installed: Contents,
    desktop_files.lost_user_files: tuple[str, ...],
    desktop_files.damage: tuple[str, ...],
}
"""What is answered; others answer nothing."""


class FilesUnknownError(CuveeError):
    """What another machine should have done with files was not done; ``log`` says how that ended."""

    def __init__(self, message: str, *, log: str) -> None:
        super().__init__(message)
        self.log = log


class DesktopFiles(Protocol):
    """Does what functions of `cuvee.integration.inside.desktop_files` do, where the files are."""

    def ask(self, what: Callable[[Path], Answer], path: Path) -> Answer:
        """Return what one of them answers."""


class FilesHere:
    """The files of this host."""

    def ask(self, what: Callable[[Path], Answer], path: Path) -> Answer:
        """Return what a function answers."""
        return what(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesElsewhere:
    """The files of another machine, on which the interpreter of the release in ``session`` runs.

    ``desktop`` is the name of one, among those that are looked at meanwhile.
    """

    session: TestSession
    desktop: str

    def ask(self, what: Callable[[Path], Answer], path: Path) -> Answer:
        """Return what a function answers there.

        Raises
        ------
        FilesUnknownError
            If it does not.
        """
        session, name = self.session, what.__name__
        work = session.folder(f"{self.desktop}-{name}")
        (work / "cwd").mkdir()
        guest_path = session.runner.guest_path
        spec = {"what": name, "path": guest_path(path), "answer": guest_path(work / "answer.json")}
        write_json(work / "spec.json", spec)
        completed = session.run_script("desktop_files.py", work / "spec.json", cwd=work / "cwd")
        if not completed.ok:
            reason = f"{name.replace('_', ' ')}: {describe_exit(completed)}: {last_line(completed.stderr)}"
            raise FilesUnknownError(reason, log=transcript(completed))
        try:
            found = parse_json((work / "answer.json").read_bytes())
            return cast("Answer", decode(_KINDS[what], found) if what in _KINDS else None)
        except (OSError, ValueError) as error:
            raise FilesUnknownError(
                f"{name.replace('_', ' ')}: {error}", log=transcript(completed)
            ) from error


def files_of(session: TestSession, desktop: str) -> DesktopFiles:
    """Return the files of a desktop of a session."""
    if session.runner.shares_files():
        return FilesHere()
    return FilesElsewhere(session=session, desktop=desktop)

"""Running the programs of one build, isolated, and keeping what they say."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from cuvee import process
from cuvee.build.cross_building import BuildTarget
from cuvee.errors import BlockedError
from cuvee.files import write_text
from cuvee.process import Completed, Request

Isolate = Callable[[Path], tuple[str, ...]]
"""Returns what to prefix a command with, so that it has no network and writes only below a folder."""

_TAIL = 25
_NETWORK = (
    "Temporary failure in name resolution",
    "Name or service not known",
    "Network is unreachable",
    "Could not resolve host",
    "Failed to establish a new connection",
    "nodename nor servname",
    "dns error",
)


@dataclass(slots=True, kw_only=True)
class BuildJournal:
    """Runs the programs that build or test one package, and has what they have said.

    Attributes
    ----------
    identifier
        The package: ``name-version-build@platform``; its log is called so.
    subject
        What messages say of it: its name, and the file that states it.
    logs
        The folder for the logs of what fails.
    """

    identifier: str
    subject: str
    target: BuildTarget
    isolate: Isolate
    logs: Path
    text: str = ""

    def run(self, request: Request, folder: Path, title: str) -> None:
        """Run a program, isolated; raise if it fails."""
        argv = (*self.isolate(folder), *self.target.command, *request.argv)
        environment = {**(request.environment or {}), **self.target.environment}
        completed = process.run(replace(request, argv=argv, environment=environment))
        self.text += f"=== {title} of {self.identifier} ({completed.seconds:.1f} s) ===\n"
        self.text += completed.stdout + completed.stderr
        if not completed.ok:
            raise self.error(self._what(completed, title), completed)

    def _what(self, completed: Completed, title: str) -> str:
        if completed.timed_out:
            return f"The {title} did not end within {completed.request.timeout:.0f} seconds"
        return f"The {title} failed"

    def error(self, what: str, completed: Completed | None = None) -> BlockedError:
        """Return the error that says what failed, with the end of the log; all of it is kept."""
        path = self.logs / f"{self.identifier}.log"
        write_text(path, self.text)
        said = [line for line in self.text.splitlines() if line.strip()][-_TAIL:]
        offline = completed is not None and any(sign in self.text for sign in _NETWORK)
        hint = (
            "Builds have no network: state what it wants as a source with its SHA-256, or as a requirement. "
            if offline
            else ""
        )
        return BlockedError(
            f"{what}: {self.subject}\n" + "\n".join(f"  | {line}" for line in said),
            hint=f"{hint}All of the log is {path}",
        )

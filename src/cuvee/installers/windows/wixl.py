"""`wixl` and `msibuild`, which write Windows Installer databases, of https://gitlab.gnome.org/GNOME/msitools"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cuvee import process
from cuvee.errors import InternalError
from cuvee.installers.program_versions import find_program
from cuvee.process import Request

_OLDEST = (0, 101)
_HINT = "Install msitools 0.101 or newer: on Debian and Ubuntu, `apt install wixl msitools`."
_TIMEOUT = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wixl:
    """The compiler of databases, and the program that changes them; absolute paths."""

    wixl: str
    msibuild: str

    @classmethod
    def find(cls) -> Self:
        """Find both on PATH, and check their version.

        Raises
        ------
        ToolMissingError
            If one is absent or too old.
        """
        wixl = find_program("wixl", "--version", oldest=_OLDEST, hint=_HINT)
        return cls(wixl=wixl, msibuild=process.find("msibuild", hint=_HINT))

    def compile(self, source: Path, target: Path) -> None:
        """Compile a WiX source; its paths are relative to its folder.

        Raises
        ------
        InternalError
            If the source has an error.
        """
        self._run((self.wixl, "-a", "x64", "-o", str(target), source.name), source.parent)

    def change(self, database: Path, queries: tuple[str, ...]) -> None:
        """Run SQL statements on a database."""
        self._run((self.msibuild, str(database), *(part for query in queries for part in ("-q", query))))

    def _run(self, argv: tuple[str, ...], cwd: Path | None = None) -> None:
        completed = process.run(Request(argv=argv, cwd=cwd, timeout=_TIMEOUT))
        output = f"{completed.stdout}{completed.stderr}".strip()
        if not completed.ok or output:
            raise InternalError(f"{Path(argv[0]).name} refused the .msi's description:\n{output}")

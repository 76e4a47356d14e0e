"""`makensis`, the compiler of NSIS, https://nsis.sourceforge.io/Docs/"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cuvee import process
from cuvee.errors import InternalError, ToolMissingError
from cuvee.process import Request

_OLDEST = (3, 8)
_HINT = "Install NSIS 3.08 or newer: on Debian and Ubuntu, `apt install nsis`."
_TARGET = "amd64-unicode"
_TIMEOUT = 600.0
_VERSION = re.compile(r"v(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Makensis:
    """The compiler, found and checked.

    Attributes
    ----------
    program
        Its absolute path.
    version
        ``(3, 8)`` for 3.08.
    """

    program: str
    version: tuple[int, int]

    @classmethod
    def find(cls) -> Self:
        """Find the compiler on PATH, and check its version.

        Raises
        ------
        ToolMissingError
            If it is absent or too old.
        """
        program = process.find("makensis", hint=_HINT)
        completed = process.run(Request(argv=(program, "-VERSION"), timeout=60))
        found = _VERSION.search(completed.stdout)
        if found is None:
            raise ToolMissingError(f"{program} does not print its version", hint=_HINT)
        version = (int(found[1]), int(found[2]))
        if version < _OLDEST:
            raise ToolMissingError(f"{program} is NSIS {found[0]}, which is too old", hint=_HINT)
        return cls(program=program, version=version)

    def compile(self, script: Path) -> None:
        """Compile a script, which names its output; its paths are relative to its folder.

        Raises
        ------
        ToolMissingError
            If the compiler does not support 64-bit installers.
        InternalError
            If the script has an error.
        """
        argv = (self.program, "-V2", "-INPUTCHARSET", "UTF8", f"-XTarget {_TARGET}", script.name)
        completed = process.run(Request(argv=argv, cwd=script.parent, timeout=_TIMEOUT))
        if completed.ok:
            return
        output = f"{completed.stdout}{completed.stderr}".strip()
        if _TARGET in output:
            raise ToolMissingError(f"{self.program} cannot make 64-bit installers:\n{output}", hint=_HINT)
        raise InternalError(f"makensis refused the installer's script:\n{output}")

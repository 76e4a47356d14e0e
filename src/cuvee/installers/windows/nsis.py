"""`makensis`, which compiles the part of an `.exe` that Windows starts."""

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
        As in ``(3, 8)``: NSIS writes its second number with two digits.
    """

    program: str
    version: tuple[int, int]

    @classmethod
    def find(cls) -> Self:
        """Find the compiler on PATH, and check that it can do what is needed.

        Raises
        ------
        ToolMissingError
            If it is absent or too old.
        """
        program = process.find("makensis", hint=_HINT)
        completed = process.run(Request(argv=(program, "-VERSION"), timeout=60))
        found = _VERSION.search(completed.stdout)
        if found is None:
            raise ToolMissingError(f"{program} does not tell its version", hint=_HINT)
        version = (int(found[1]), int(found[2]))
        if version < _OLDEST:
            raise ToolMissingError(f"{program} is NSIS {found[0]}, which is too old", hint=_HINT)
        return cls(program=program, version=version)

    def compile(self, script: Path) -> None:
        """Compile a script, which names its own output; relative names in it are relative to its folder.

        Raises
        ------
        ToolMissingError
            If the compiler lacks its 64-bit part.
        InternalError
            If it refuses the script: the template is ours.
        """
        argv = (self.program, "-V2", "-INPUTCHARSET", "UTF8", f"-XTarget {_TARGET}", script.name)
        completed = process.run(Request(argv=argv, cwd=script.parent, timeout=_TIMEOUT))
        if completed.ok:
            return
        output = f"{completed.stdout}{completed.stderr}".strip()
        if _TARGET in output:
            raise ToolMissingError(f"{self.program} can not make 64-bit installers:\n{output}", hint=_HINT)
        raise InternalError(f"makensis refused the installer's script:\n{output}")

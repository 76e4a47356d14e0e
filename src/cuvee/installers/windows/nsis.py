"""`makensis`, the compiler of NSIS, https://nsis.sourceforge.io/Docs/"""

from pathlib import Path

from cuvee import process
from cuvee.errors import InternalError, ToolMissingError
from cuvee.installers.program_versions import find_program
from cuvee.process import Request

_OLDEST = (3, 8)
_HINT = "Install NSIS 3.08 or newer: on Debian and Ubuntu, `apt install nsis`."
_TARGET = "amd64-unicode"
_TIMEOUT = 600.0


def find_makensis() -> str:
    """Return the absolute path of the compiler; raise `ToolMissingError` if it is absent or too old."""
    return find_program("makensis", "-VERSION", oldest=_OLDEST, hint=_HINT)


def compile_script(makensis: str, script: Path) -> None:
    """Compile a script, which names its output; its paths are relative to its folder.

    Raises
    ------
    ToolMissingError
        If the compiler does not support 64-bit installers.
    InternalError
        If the script has an error.
    """
    argv = (makensis, "-V2", "-INPUTCHARSET", "UTF8", f"-XTarget {_TARGET}", script.name)
    completed = process.run(Request(argv=argv, cwd=script.parent, timeout=_TIMEOUT))
    if completed.ok:
        return
    output = f"{completed.stdout}{completed.stderr}".strip()
    if _TARGET in output:
        raise ToolMissingError(f"{makensis} cannot make 64-bit installers:\n{output}", hint=_HINT)
    raise InternalError(f"makensis refused the installer's script:\n{output}")

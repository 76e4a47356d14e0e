r"""``Scripts\<distribution>-admin.cmd``: the runtime's verbs on an installed release.

Windows neither removes nor renames what a program runs from. So verbs that do copy stage 0 to a folder beside
the prefix, and end with `GO_ON`; the command starts them again there.
"""

# Stage 0 has no pathlib.
# ruff: noqa: PTH100, PTH102, PTH112

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

from . import menu, removing

if TYPE_CHECKING:
    from .main import Place

GO_ON = 100
_MOVES = frozenset(("repair", "rollback", "uninstall"))

COMMAND = r"""@echo off
rem Administers {label}; made by its installer. `{distribution}-admin help` tells more.
setlocal DisableDelayedExpansion
set "CUVEE_PREFIX=%~dp0.."
for %%p in ("%~dp0..") do set "CUVEE_RUN=%%~dpp.%%~nxp.cuvee-admin"
"%~dp0..\{python}" -I -S -B -X utf8 "%~dp0..\conda-meta\cuvee\desktop\__main__.py" admin %*
if not %errorlevel%=={go_on} exit /b %errorlevel%
set "CUVEE_PLACE=%CD%"
cd /d "%CUVEE_RUN%\.."
rem From here on this file may be moved away, so all else is one line.
"%CUVEE_RUN%\{python}" -I -S -B -X utf8 "%CUVEE_RUN%\.cuvee\desktop\__main__.py" admin %* \
& {end}
"""


def command(label: str, distribution: str, python: str) -> str:
    """Give the text of the command."""
    # `if errorlevel` means that much or more; %errorlevel% would be what it was before the line.
    end = " else ".join(
        f'if errorlevel {code} (rd /s /q "%CUVEE_RUN%" & exit /b {code})' for code in (130, 5, 3, 2, 1, 0)
    )
    text = COMMAND.format(end=end, label=label, distribution=distribution, python=python, go_on=GO_ON)
    return text.replace("\\\n", "").replace("\n", "\r\n")


def administer(place: Place, argv: list[str]) -> int:
    """Run a verb; give the exit code."""
    prefix, run = os.path.abspath(place.prefix), os.path.abspath(place.run)
    verb = argv[0] if argv else "help"
    moved = os.path.abspath(__file__).lower().startswith(run.lower() + os.sep)
    if verb in _MOVES and "--dry-run" not in argv and not moved:
        _stage(prefix, run)
        return GO_ON
    runtime = importlib.import_module("runtime.main")
    if verb == "repair" and place.place:
        os.chdir(place.place)  # where the user stands; the installer may be named from there
    if verb == "upgrade":
        _refuse_upgrade(prefix, argv[1:])
    if verb == "uninstall":
        return removing.remove(prefix, argv)
    before = removing.read_state(prefix) if verb == "rollback" else {}
    links = menu.entries(prefix)
    code: int = runtime.administer(prefix, argv)
    if verb == "rollback" and code == 0:
        importlib.import_module("desktop.installing").show_again(prefix, run, before, links)
    return code


def _refuse_upgrade(prefix: str, arguments: list[str]) -> None:
    """Say what upgrades a release here, if arguments name an installer.

    Elsewhere the release looks at an installer before anything of it runs. Of an `.exe` it can't: the part
    that Windows starts is not what the publisher's key has signed.
    """
    words = [argument for argument in arguments if not argument.startswith("-")]
    if len(words) != 1:
        return
    key = importlib.import_module("runtime.state").load(prefix).manifest.key
    demand = f" /key={key[0]}" if key else ""
    error = importlib.import_module("runtime.failure").InstallError
    raise error(
        "On Windows the installer itself upgrades a release. Look at its digital signature first, in its "
        f"properties. Then run: start /wait {words[0]} /S{demand} /D={prefix}"
    )


def _stage(prefix: str, run: str) -> None:
    placing = importlib.import_module("runtime.placing")
    placing.remove_tree(run)
    if os.path.isdir(run):
        failure = importlib.import_module("runtime.failure")
        raise failure.InstallError(f"Another command is at work on {prefix}. Try again when it has ended.")
    # Newer Pythons close it to others, since what is in it runs with the rights of whoever called.
    os.mkdir(run, 0o700)
    removing.stage(prefix, run)

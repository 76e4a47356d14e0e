r"""``Scripts\<distribution>-admin.cmd``: the runtime's verbs on an installed release.

Windows neither removes nor renames what a program runs from. So verbs that do copy stage 0 to a folder beside
the prefix, and end with `GO_ON`; the command starts them again there.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .. import main as runtime
from .. import placing, state
from ..failure import InstallError
from . import installing, menu, removing
from .admin_command import GO_ON

if TYPE_CHECKING:
    from .main import Place

_MOVES = frozenset(("repair", "rollback", "uninstall"))


def administer(place: Place, argv: list[str]) -> int:
    """Run a verb; give the exit code."""
    prefix, run = os.path.abspath(place.prefix), os.path.abspath(place.run)
    verb = argv[0] if argv else "help"
    moved = os.path.abspath(__file__).lower().startswith(run.lower() + os.sep)
    if verb in _MOVES and "--dry-run" not in argv and not moved:
        _stage(prefix, run)
        return GO_ON
    if verb == "repair" and place.place:
        os.chdir(place.place)  # where the user stands; the installer may be named from there
    if verb == "upgrade":
        _refuse_upgrade(prefix, argv[1:])
    if verb == "uninstall":
        return removing.remove(prefix, argv)
    before = removing.read_state(prefix) if verb == "rollback" else {}
    links = menu.entries(prefix)
    code = runtime.administer(prefix, argv)
    if verb == "rollback" and code == 0:
        installing.show_again(prefix, run, before, links)
    return code


def _refuse_upgrade(prefix: str, arguments: list[str]) -> None:
    """Say what upgrades a release here, if arguments name an installer.

    Elsewhere the release looks at an installer before anything of it runs. Of an `.exe` it can't: the part
    that Windows starts is not what the publisher's key has signed.
    """
    words = [argument for argument in arguments if not argument.startswith("-")]
    if len(words) != 1:
        return
    key = state.load(prefix).manifest.key
    demand = f" /key={key[0]}" if key else ""
    raise InstallError(
        "On Windows the installer itself upgrades a release. Look at its digital signature first, in its "
        f"properties. Then run: start /wait {words[0]} /S{demand} /D={prefix}"
    )


def _stage(prefix: str, run: str) -> None:
    placing.remove_tree(run)
    if os.path.isdir(run):
        raise InstallError(f"Another command is at work on {prefix}. Try again when it has ended.")
    # Newer Pythons close it to others, since what is in it runs with the rights of whoever called.
    os.mkdir(run, 0o700)
    removing.stage(prefix, run)

r"""``Scripts\<distribution>-admin.cmd``: the runtime's verbs on an installed release.

Windows neither removes nor renames what a program runs from. So verbs that do copy stage 0 to a folder beside
the prefix, and end with `GO_ON`; the command starts them again there.
"""

from __future__ import annotations

import os

from ..command_line import administer as administer_release
from ..failure import InstallError
from ..file_operations import remove_tree
from ..prefix_state import load
from ..staged_folder import is_left_over, make_claim
from . import start_menu
from .nsis_call import NsisCall
from .registration import read_registration
from .staged_files import GO_ON, stage
from .windows_uninstall import remove

_MOVES = frozenset(("repair", "rollback", "uninstall"))


def administer(call: NsisCall, argv: list[str]) -> int:
    """Run a verb; return the exit code."""
    prefix, run = call.prefix, os.path.abspath(call.run)
    verb = argv[0] if argv else "help"
    moved = os.path.abspath(__file__).lower().startswith(run.lower() + os.sep)
    if verb in _MOVES and "--dry-run" not in argv and not moved:
        _stage(prefix, run)
        return GO_ON
    if verb in {"repair", "status"} and call.folder:
        os.chdir(call.folder)  # the user's current folder; a file may be named from there
    if verb == "upgrade":
        _refuse_upgrade(prefix, argv[1:])
    if verb == "uninstall":
        return remove(prefix, argv)
    if verb != "rollback":
        return administer_release(prefix, argv)
    before, links = read_registration(prefix), start_menu.shortcuts_of(prefix)
    code = administer_release(prefix, argv)
    if code == 0:
        read_registration(prefix).add(prefix, run, before=before, others=links)
    return code


def _refuse_upgrade(prefix: str, arguments: list[str]) -> None:
    """Raise with what upgrades a release here, if arguments name an installer.

    Elsewhere the release checks an installer before anything of it runs. That is not possible with an `.exe`:
    the part that Windows starts is not what the publisher's key has signed.
    """
    words = [argument for argument in arguments if not argument.startswith("-")]
    if len(words) != 1:
        return
    key = load(prefix).manifest.key
    option = f" /key={key[0]}" if key else ""
    raise InstallError(
        "On Windows the installer itself upgrades a release. Check its digital signature first, in its "
        f"properties. Then run: start /wait {words[0]} /S{option} /D={prefix}"
    )


def _stage(prefix: str, run: str) -> None:
    in_use = not is_left_over(run)
    if not in_use:
        remove_tree(run)
    if in_use or os.path.isdir(run):
        raise InstallError(f"Another command is at work on {prefix}. Try again when it has ended.")
    # What is in it runs with the rights of its caller, so others must not write there: newer Pythons take
    # this mode for an access list, https://docs.python.org/3/library/os.html#os.mkdir.
    os.mkdir(run, 0o700)
    make_claim(run)
    stage(prefix, run)

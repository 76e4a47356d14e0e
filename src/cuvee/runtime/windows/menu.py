"""Start-menu shortcuts for the packages' menu entries.

The prefix's state names them before they are made. Like those of Linux, they are not worth failing for: what
can't be written is told.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys

from .. import state
from ..failure import InstallError
from ..manifest import Manifest
from ..menus import Shortcut, shortcuts
from .kept import KEPT

_WRITER, _STARTER = f"{KEPT}/runtime/windows/whole/links.py", f"{KEPT}/runtime/windows/whole/start.py"
_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_TAKEN = re.compile(r"%[0-9*lLvVdD]")


def show(prefix: str, folders: list[str], run: str, others: list[str]) -> None:
    """Make the shortcuts of the release in ``prefix``, and remove those that it no longer wants.

    Parameters
    ----------
    folders
        The Start menu and the desktop, for all users or for one; none for no shortcuts.
    run
        A folder for a file that is needed for a moment.
    others
        Shortcuts of the release that was there before a rollback.
    """
    installed = state.load(prefix)
    before = sorted({*entries(prefix), *others})
    wanted = planned(prefix, installed.manifest, folders) if folders else {}
    _remember(installed, sorted({*before, *wanted}))
    if wanted:
        _write(prefix, list(wanted.values()), run)
    for path in before:
        if path not in wanted:
            remove(path, prefix)
    if before:
        _remember(installed, sorted(wanted))


def entries(prefix: str) -> list[str]:
    """Name the shortcuts that the release in ``prefix`` has."""
    try:
        paths = state.load(prefix).state.outside.entries
    except InstallError:
        return []
    return [path for path in paths if path.lower().endswith(".lnk")]


def planned(prefix: str, manifest: Manifest, folders: list[str]) -> dict[str, dict[str, str]]:
    """Give each shortcut's path, and what it holds, see ``whole/links.py``."""
    found: dict[str, dict[str, str]] = {}
    for shortcut in shortcuts(prefix, manifest):
        places = [f"{folders[0]}\\{_plain(shortcut.menu)}" if shortcut.menu else folders[0]]
        places += folders[1:2] if shortcut.details.get("desktop") is True else []
        for place in places:
            path, number = f"{place}\\{_plain(shortcut.name)}.lnk", 1
            while path in found or (os.path.lexists(path) and not is_ours(path, prefix)):
                number += 1
                path = f"{place}\\{_plain(shortcut.name)} ({number}).lnk"
            found[path] = {"path": path, **_content(shortcut, prefix)}
    return found


def _content(shortcut: Shortcut, prefix: str) -> dict[str, str]:
    program, *arguments = [word for word in shortcut.command if not _TAKEN.fullmatch(word)]
    program = program.replace("/", "\\")
    if shortcut.activate or shortcut.precommand:
        windowed = f"{prefix}\\pythonw.exe"
        arguments = [program, *arguments]
        arguments[:0] = [f"--before={shortcut.precommand}"] if shortcut.precommand else []
        arguments[:0] = ["-I", "-S", "-B", f"{prefix}/{_STARTER}".replace("/", "\\")]
        bare = shortcut.terminal or not os.path.isfile(windowed)
        program = f"{prefix}\\python.exe" if bare else windowed
    return {
        "target": program,
        "arguments": " ".join(map(quoted, arguments)),
        "description": shortcut.description,
        "icon": shortcut.icon.replace("/", "\\"),
        "folder": shortcut.working_dir or prefix,
    }


def quoted(word: str) -> str:
    """Quote an argument as Windows programs split their command line."""
    if word and not re.search(r'[\s"]', word):
        return word
    text = re.sub(r'(\\*)"', r'\1\1\\"', word)
    return '"' + re.sub(r"(\\+)$", r"\1\1", text) + '"'


def _plain(name: str) -> str:
    """Make a file's name of a text."""
    return " ".join(_FORBIDDEN.sub(" ", name).split()).strip(".") or "Program"


def _write(prefix: str, links: list[dict[str, str]], run: str) -> None:
    listed = f"{run}/.cuvee/links.json"
    with open(listed, "w", encoding="utf-8") as stream:
        stream.write(json.dumps(links))
    python = f"{prefix}\\python.exe"
    argv = [quoted(word) for word in (python, "-I", "-S", "-B", f"{prefix}/{_WRITER}", listed)]
    try:
        code = os.spawnv(os.P_WAIT, python, argv)  # noqa: S606 - no shell
    except OSError:
        code = 1
    if code:
        sys.stderr.write("Warning: not all shortcuts could be made in the Start menu.\n")


def _remember(installed: state.Installed, paths: list[str]) -> None:
    now = state.load(installed.prefix).state
    outside = now.outside._replace(entries=paths)
    if outside != now.outside:
        state.write(installed.prefix, now._replace(outside=outside))


def is_ours(path: str, prefix: str) -> bool:
    """Whether a shortcut leads into the prefix."""
    try:
        with open(path, "rb") as stream:
            data = stream.read().lower()
    except OSError:
        return False
    inside = f"{prefix}\\"
    found = [inside.encode("utf-16-le", "surrogatepass")]
    # A shortcut without icon and arguments may name its program in the system's own encoding alone.
    with contextlib.suppress(LookupError):
        found.append(inside.encode("mbcs", "replace"))
    # Bytes are made small on both sides alike: half a character of another script may look like a capital.
    return any(text.lower() in data for text in found)


def remove(path: str, prefix: str) -> None:
    """Remove a shortcut of ours, and its folder when that becomes empty."""
    with contextlib.suppress(OSError):
        if is_ours(path, prefix):
            os.remove(path)
            os.rmdir(os.path.dirname(path))

"""Start-menu shortcuts for the packages' menu entries.

The prefix's state names them before they are made. Like those of Linux, they make no installation fail: what
cannot be written becomes a warning.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Sequence

from ..failure import InstallError
from ..menu_files import MenuEntry, menu_entries
from ..moved_prefix import known_names
from ..payload_manifest import PayloadManifest
from ..prefix_state import KEPT, load, write_state

_SCRIPTS = f"{KEPT}/runtime/windows/installed_python"
_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_TAKEN = re.compile(r"%[0-9*lLvVdD]")


def update(prefix: str, folders: list[str], run: str, others: Sequence[str], *, shared: bool) -> None:
    """Make the shortcuts of the release in ``prefix``, and remove those that it no longer has.

    ``folders`` are the Start menu and the desktop, for all users or for one; none for no shortcuts. ``run``
    is a folder for a temporary file, ``others`` are shortcuts of the release that was there until now.
    ``shared`` are shortcuts of all users.
    """
    manifest = load(prefix).manifest
    before = sorted({*shortcuts_of(prefix), *others})
    wanted = planned(prefix, manifest, folders, shared=shared) if folders else {}
    _remember(prefix, sorted({*before, *wanted}))
    if wanted:
        _write(prefix, list(wanted.values()), run)
    for path in before:
        if path not in wanted:
            remove(path, known_names(prefix))
    if before:
        _remember(prefix, sorted(wanted))


def shortcuts_of(prefix: str) -> list[str]:
    """Return the shortcuts that the release in ``prefix`` has."""
    try:
        paths = load(prefix).state.outside.entries
    except InstallError:
        return []
    return [path for path in paths if path.lower().endswith(".lnk")]


def planned(
    prefix: str, manifest: PayloadManifest, folders: list[str], *, shared: bool
) -> dict[str, dict[str, str]]:
    """Return each shortcut's path, and what it holds, see ``installed_python/write_shortcuts.py``."""
    found: dict[str, dict[str, str]] = {}
    names = known_names(prefix)
    for entry in menu_entries(prefix, manifest, shared=shared):
        parents = [f"{folders[0]}\\{_file_name(entry.menu)}" if entry.menu else folders[0]]
        parents += folders[1:2] if entry.details.get("desktop") is True else []
        for parent in parents:
            path, number = f"{parent}\\{_file_name(entry.name)}.lnk", 1
            while path in found or (os.path.lexists(path) and not is_own(path, names)):
                number += 1
                path = f"{parent}\\{_file_name(entry.name)} ({number}).lnk"
            found[path] = {"path": path, **_content(entry, prefix)}
    return found


def _content(entry: MenuEntry, prefix: str) -> dict[str, str]:
    program, *arguments = [word for word in entry.command if not _TAKEN.fullmatch(word)]
    program = program.replace("/", "\\")
    if entry.activate or entry.precommand:
        windowed = f"{prefix}\\pythonw.exe"
        starter = f"{prefix}/{_SCRIPTS}/start_activated.py".replace("/", "\\")
        before = [f"--before={entry.precommand}"] if entry.precommand else []
        arguments = ["-I", "-S", "-B", starter, *before, program, *arguments]
        bare = entry.terminal or not os.path.isfile(windowed)
        program = f"{prefix}\\python.exe" if bare else windowed
    return {
        "target": program,
        "arguments": " ".join(map(quoted, arguments)),
        "description": entry.description,
        "icon": entry.icon.replace("/", "\\"),
        "folder": entry.working_dir or prefix,
    }


def quoted(word: str) -> str:
    """Return an argument as Windows programs split their command line.

    https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments
    """
    # A variable may become anything when the shortcut is used.
    if word and not re.search(r'[\s"%]', word):
        return word
    text = re.sub(r'(\\*)"', r'\1\1\\"', word)
    return '"' + re.sub(r"(\\+)$", r"\1\1", text) + '"'


def _file_name(name: str) -> str:
    return " ".join(_FORBIDDEN.sub(" ", name).split()).strip(".") or "Program"


def _write(prefix: str, links: list[dict[str, str]], run: str) -> None:
    listed = f"{run}/.cuvee/links.json"
    with open(listed, "w", encoding="utf-8") as stream:
        stream.write(json.dumps(links))
    python = f"{prefix}\\python.exe"
    writer = f"{prefix}/{_SCRIPTS}/write_shortcuts.py"
    argv = [quoted(word) for word in (python, "-I", "-S", "-B", writer, listed)]
    try:
        code = os.spawnv(os.P_WAIT, python, argv)  # noqa: S606 - no shell
    except OSError:
        code = 1
    if code:
        sys.stderr.write("Warning: not all shortcuts could be made in the Start menu.\n")


def _remember(prefix: str, paths: list[str]) -> None:
    state = load(prefix).state
    outside = state.outside._replace(entries=paths)
    if outside != state.outside:
        write_state(prefix, state._replace(outside=outside))


def is_own(path: str, names: Sequence[str]) -> bool:
    """Return whether a shortcut leads into one of the places that are a prefix's own."""
    try:
        with open(path, "rb") as stream:
            data = stream.read().lower()
    except OSError:
        return False
    insides = [f"{name}\\" for name in names]
    found = [inside.encode("utf-16-le", "surrogatepass") for inside in insides]
    # A shortcut without icon and arguments may name its program in the system's own encoding only.
    with contextlib.suppress(LookupError):
        found += [inside.encode("mbcs", "replace") for inside in insides]
    # Bytes are made small on both sides alike: half a character of another script may look like a capital.
    return any(text.lower() in data for text in found)


def remove(path: str, names: Sequence[str]) -> None:
    """Remove a shortcut into one of these places, and its folder when that becomes empty."""
    with contextlib.suppress(OSError):
        if is_own(path, names):
            os.remove(path)
            os.rmdir(os.path.dirname(path))

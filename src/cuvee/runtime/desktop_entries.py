"""What Linux shows in its menus: ``.desktop`` files, one for each of a release's menu entries.

https://specifications.freedesktop.org/desktop-entry-spec/latest/ says what they may hold, and
https://specifications.freedesktop.org/basedir-spec/latest/ where they are.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from .hashing import sha256 as hash_of
from .menu_files import ANY_HOME, MenuEntry, menu_entries
from .payload_manifest import PayloadManifest
from .shell_startup import quoted
from .user_files import edit

_OF_ALL_USERS = "/usr/local/share/applications"
_OWNER = "X-Cuvee-Prefix"
_ENDING = ".desktop"
_LISTS = ("Categories", "Implements", "Keywords", "MimeType", "NotShowIn", "OnlyShowIn")
_FLAGS = (
    "DBusActivatable", "Hidden", "NoDisplay", "PrefersNonDefaultGPU", "SingleMainWindow", "StartupNotify",
)  # fmt: skip
_TEXTS = ("GenericName", "StartupWMClass", "TryExec")
_FIELD = re.compile(r"%[a-zA-Z]")
_FILES = ("%f", "%F", "%u", "%U")


def menu_folder(environment: Mapping[str, str]) -> str:
    """Return the folder that desktops read: the user's own, for root the system's; empty if there is none."""
    if environment.get("XDG_DATA_HOME"):
        return f"{environment['XDG_DATA_HOME']}/applications"
    if os.geteuid() == 0:
        return _OF_ALL_USERS
    home = environment.get("HOME")
    return f"{home}/.local/share/applications" if home else ""


def planned(prefix: str, manifest: PayloadManifest, folder: str, *, at: str = "") -> dict[str, str]:
    """Return path and text of each ``.desktop`` file of a release at ``prefix``, which is at ``at`` now."""
    if manifest.system != "linux" or not folder:
        return {}
    # Two prefixes may hold the same release, so each file's name depends on its prefix.
    start = f"{manifest.distribution}-{hash_of(os.fsencode(prefix))[:8]}"
    found: dict[str, str] = {}
    for entry in menu_entries(prefix, manifest, at=at, shared=folder == _OF_ALL_USERS):
        slug = re.sub(r"[^a-z0-9]+", "-", entry.name.lower()).strip("-") or "entry"
        path, number = f"{folder}/{start}-{slug}{_ENDING}", 1
        while path in found:
            number += 1
            path = f"{folder}/{start}-{slug}-{number}{_ENDING}"
        found[path] = desktop_entry(entry, prefix)
    return found


def remove(path: str, prefix: str) -> None:
    """Remove a file, if it is there and this prefix's; shortcuts of Windows stay."""
    if not path.endswith(_ENDING):
        return
    mine = f"\n{_OWNER}={_escaped(prefix)}\n".encode()
    edit(path, lambda text: b"" if mine in text else text)


def is_own(path: str, prefix: str) -> bool:
    """Return whether a file is there, and this prefix's."""
    try:
        with open(path, encoding="utf-8") as stream:
            return f"\n{_OWNER}={_escaped(prefix)}\n" in stream.read()
    except (OSError, ValueError):
        return False


def desktop_entry(entry: MenuEntry, prefix: str) -> str:
    """Return the text of a ``.desktop`` file."""
    lines = {
        "Type": "Application",
        "Name": _escaped(entry.name),
        "Comment": _escaped(entry.description),
        "Icon": _escaped(entry.icon),
        # It must not have a variable; the shell goes there.
        "Path": "" if ANY_HOME in entry.working_dir else _escaped(entry.working_dir),
        "Exec": _escaped(_exec(entry, prefix)),
        "Terminal": "true" if entry.terminal else "false",
    }
    for key, value in sorted(entry.details.items()):
        if key in _LISTS:
            items = value if isinstance(value, list) else [value]
            lines[key] = "".join(_escaped(str(item)).replace(";", "\\;") + ";" for item in items)
        elif key in _FLAGS:
            lines[key] = "true" if value else "false"
        elif key in _TEXTS:
            lines[key] = _escaped(str(value))
    lines[_OWNER] = _escaped(prefix)
    text = "".join(f"{key}={value}\n" for key, value in lines.items() if value)
    return f"[Desktop Entry]\n{text}"


def _exec(entry: MenuEntry, prefix: str) -> str:
    """Return the command line; an entry that wants the environment or a home gets a shell that sets it up."""
    taken = next((code for word in entry.command for code in _FILES if word == code), "")
    words = [word for word in entry.command if word == taken or not _FIELD.fullmatch(word)]
    folder = entry.working_dir if ANY_HOME in entry.working_dir else ""
    if not (entry.activate or entry.precommand or folder or any(ANY_HOME in word for word in words)):
        return " ".join(word if word == taken else _argument(word) for word in words)
    program = " ".join('"$@"' if word == taken else _shell_word(word) for word in words)
    steps = [
        environment_lines(prefix) if entry.activate else "",
        f"cd {_shell_word(folder)}" if folder else "",
        entry.precommand.replace(ANY_HOME, "$HOME"),
        f"exec {program}",
    ]
    script = "\n".join(step for step in steps if step)
    return f"/bin/sh -c {_argument(script)} sh {taken}".rstrip()


def _shell_word(text: str) -> str:
    return quoted(text).replace(ANY_HOME, "'\"$HOME\"'")


def environment_lines(prefix: str) -> str:
    """Return shell text that makes the prefix the current environment."""
    folder = quoted(prefix)
    return (
        f"CONDA_PREFIX={folder}; PATH={folder}/bin:$PATH; export CONDA_PREFIX PATH; "
        'for found in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do [ ! -r "$found" ] || . "$found"; done'
    )


def _argument(text: str) -> str:
    """Return an argument of an Exec line: in double quotes, with four characters that need a backslash."""
    text = re.sub(r'(["`$\\])', r"\\\1", text).replace("%", "%%")
    return f'"{text}"'


def _escaped(text: str) -> str:
    """Return a text as a value: on one line."""
    text = text.replace(ANY_HOME, "~")
    for character, name in (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        text = text.replace(character, name)
    return "\\s" + text[1:] if text.startswith(" ") else text

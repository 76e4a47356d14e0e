"""What Linux shows in its menus: ``.desktop`` files, one for each of a release's menu entries.

https://specifications.freedesktop.org/desktop-entry-spec/latest/ says what they may hold.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from .digest import sha256 as digest
from .manifest import Manifest
from .menus import Shortcut, shortcuts

_OWNER = "X-Cuvee-Prefix"
_LISTS = ("Categories", "Implements", "Keywords", "MimeType", "NotShowIn", "OnlyShowIn")
_FLAGS = (
    "DBusActivatable", "Hidden", "NoDisplay", "PrefersNonDefaultGPU", "SingleMainWindow", "StartupNotify",
)  # fmt: skip
_TEXTS = ("GenericName", "StartupWMClass", "TryExec")
_FIELD = re.compile(r"%[a-zA-Z]")
_FILES = ("%f", "%F", "%u", "%U")


def menu_folder(environment: Mapping[str, str]) -> str:
    """Name the folder that desktops read: the user's own, or for root the whole system's; empty for none."""
    if environment.get("XDG_DATA_HOME"):
        return f"{environment['XDG_DATA_HOME']}/applications"
    if os.geteuid() == 0:
        return "/usr/local/share/applications"
    home = environment.get("HOME")
    return f"{home}/.local/share/applications" if home else ""


def planned(prefix: str, manifest: Manifest, folder: str, *, at: str = "") -> dict[str, str]:
    """Give path and text of each ``.desktop`` file of a release at ``prefix``, which is at ``at`` now."""
    if not manifest.platform.startswith("linux-") or not folder:
        return {}
    # Two prefixes may hold the same release, so each file's name tells its prefix.
    start = f"{manifest.distribution}-{digest(os.fsencode(prefix))[:8]}"
    found: dict[str, str] = {}
    for shortcut in shortcuts(prefix, manifest, at=at):
        slug = re.sub(r"[^a-z0-9]+", "-", shortcut.name.lower()).strip("-") or "entry"
        path, number = f"{folder}/{start}-{slug}.desktop", 1
        while path in found:
            number += 1
            path = f"{folder}/{start}-{slug}-{number}.desktop"
        found[path] = entry(shortcut, prefix)
    return found


def remove(path: str, prefix: str) -> None:
    """Remove one, if it is there and this prefix's."""
    try:
        with open(path, encoding="utf-8") as stream:
            mine = f"\n{_OWNER}={_escaped(prefix)}\n" in stream.read()
    except (OSError, ValueError):
        return
    if mine:
        os.unlink(path)


def entry(shortcut: Shortcut, prefix: str) -> str:
    """Give the text of a ``.desktop`` file."""
    lines = {
        "Type": "Application",
        "Name": _escaped(shortcut.name),
        "Comment": _escaped(shortcut.description),
        "Icon": _escaped(shortcut.icon),
        "Path": _escaped(shortcut.working_dir),
        "Exec": _escaped(_exec(shortcut, prefix)),
        "Terminal": "true" if shortcut.terminal else "false",
    }
    for key, value in sorted(shortcut.details.items()):
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


def _exec(shortcut: Shortcut, prefix: str) -> str:
    """Give the command line; where the environment is wanted, a shell sets it up first."""
    taken = next((code for word in shortcut.command for code in _FILES if word == code), "")
    if not shortcut.activate and not shortcut.precommand:
        words = [word for word in shortcut.command if word == taken or not _FIELD.fullmatch(word)]
        return " ".join(word if word == taken else _argument(word) for word in words)
    program = " ".join(
        '"$@"' if word == taken else quoted(word)
        for word in shortcut.command
        if word == taken or not _FIELD.fullmatch(word)
    )
    steps = [environment_lines(prefix)] if shortcut.activate else []
    steps += [shortcut.precommand, f"exec {program}"]
    script = "\n".join(step for step in steps if step)
    return f"/bin/sh -c {_argument(script)} sh {taken}".rstrip()


def environment_lines(prefix: str) -> str:
    """Give shell text that makes the prefix the current environment."""
    place = quoted(prefix)
    return (
        f"CONDA_PREFIX={place}; PATH={place}/bin:$PATH; export CONDA_PREFIX PATH; "
        'for found in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do [ ! -r "$found" ] || . "$found"; done'
    )


def quoted(text: str) -> str:
    """Quote a text for the shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def _argument(text: str) -> str:
    """Quote an argument of an Exec line: in double quotes, with four characters that need a backslash."""
    text = re.sub(r'(["`$\\])', r"\\\1", text).replace("%", "%%")
    return f'"{text}"'


def _escaped(text: str) -> str:
    """Write a text as a value: on one line."""
    for character, name in (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        text = text.replace(character, name)
    return "\\s" + text[1:] if text.startswith(" ") else text

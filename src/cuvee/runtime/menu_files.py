"""Menu entries: what the packages' ``Menu/*.json`` request, in menuinst's first and second form.

Nothing is made here. `desktop_entries` makes what Linux shows, and `windows.start_menu` shortcuts.
The second form is CEP 11, https://conda.org/learn/ceps/cep-0011; the first is for Windows only.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from .payload_manifest import PayloadManifest

_FOLDER = "Menu/"
_ICONS = {"linux": "png", "osx": "icns", "win": "ico"}
ANY_HOME = "\0HOME"
"""What stands for the home of whoever starts an entry of all users, until the entry is written for Linux."""

_DOLLAR = re.compile(r"\$\{(\w+)\}")
_BRACES = re.compile(r"\{\{ *(\w+) *\}\}")


class MenuEntry(NamedTuple):
    """A program that a menu offers; placeholders are filled in, paths are the system's.

    ``command`` is the program and its arguments. ``precommand`` is shell text to be run before it,
    ``activate`` whether it wants the environment's variables, ``terminal`` whether it wants a window for
    text. ``details`` are the keys that only this system has, such as ``Categories`` or ``desktop``.
    """

    name: str
    menu: str
    description: str
    command: list[str]
    icon: str
    working_dir: str
    precommand: str
    activate: bool
    terminal: bool
    details: dict[str, Any]


_COMMON = {*MenuEntry._fields, "precreate"} - {"menu", "details"}


def menu_entries(
    prefix: str, manifest: PayloadManifest, *, at: str = "", shared: bool = False
) -> list[MenuEntry]:
    """Return the menu entries of a release that is or will be at ``prefix``.

    ``at`` is the folder that it is in now, if that is another one. ``shared`` are entries of all users, whose
    home is not that of the one who installs: ``%USERPROFILE%`` on Windows, else `ANY_HOME`. Packages that
    the settings leave out are left out; so is what cannot be understood, see `problems`.
    """
    home = ("%USERPROFILE%" if manifest.system == "win" else ANY_HOME) if shared else os.path.expanduser("~")
    return [found for found in _read(prefix, manifest, at or prefix, home) if isinstance(found, MenuEntry)]


def problems(prefix: str, manifest: PayloadManifest) -> list[str]:
    """Return a line for each menu file of a prefix that cannot be understood."""
    return [found for found in _read(prefix, manifest, prefix, ANY_HOME) if isinstance(found, str)]


def menu_files(manifest: PayloadManifest) -> list[str]:
    """Return the menu files of the packages that the settings choose, relative to the prefix."""
    chosen = manifest.settings.menu_packages
    frames = [
        frame
        for package in manifest.packages
        if chosen is None or package.name in chosen
        for frame in package.frames
    ]
    frames += manifest.extras if chosen is None else []
    paths = {file.path for frame in frames for file in frame.files if file.path.startswith(_FOLDER)}
    return sorted(path for path in paths if path.endswith(".json"))


def _read(prefix: str, manifest: PayloadManifest, at: str, home: str) -> Iterator[MenuEntry | str]:
    system = manifest.system
    fill = _Placeholders(prefix, manifest, home)
    for path in menu_files(manifest):
        try:
            with open(f"{at}/{path}", encoding="utf-8") as stream:
                value = json.load(stream)
            second = "$id" in value or any("platforms" in item for item in value["menu_items"])
            items = _second(value, system, fill) if second else _first(value, system, fill)
            yield from list(items)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            yield f"{path} does not say what menu entry it wants ({error or type(error).__name__})"


class _Placeholders:
    """The values of the placeholders in menu files."""

    def __init__(self, prefix: str, manifest: PayloadManifest, home: str) -> None:
        win = manifest.system == "win"
        join = "\\".join if win else "/".join
        programs = join([prefix, "Scripts" if win else "bin"])
        python = join([prefix, "python.exe"] if win else [programs, "python"])
        version = next((p.version for p in manifest.packages if p.name == "python"), "")
        short = ".".join(version.split(".")[:2])
        library = ["Lib"] if win else ["lib", f"python{short}"]
        name = manifest.distribution
        self.values = {
            **dict.fromkeys(("PREFIX", "BASE_PREFIX", "ROOT_PREFIX"), prefix),
            "DISTRIBUTION_NAME": name[:1].upper() + name[1:],
            "ENV_NAME": prefix.replace("\\", "/").rpartition("/")[2],
            **dict.fromkeys(("PYTHON", "BASE_PYTHON"), python),
            **dict.fromkeys(("PYTHONW", "BASE_PYTHONW"), join([prefix, "pythonw.exe"]) if win else python),
            "PYTHONAPP": join([prefix, "python.app", "Contents", "MacOS", "python"]),
            "MENU_DIR": join([prefix, "Menu"]),
            "BIN_DIR": join([prefix, "Library", "bin"]) if win else programs,
            **dict.fromkeys(("SCRIPTS_DIR", "PYTHON_SCRIPTS"), programs),
            "SP_DIR": join([prefix, *library, "site-packages"]),
            "PY_VER": short,
            **dict.fromkeys(("HOME", "USERPROFILE"), home),
            "PERSONALDIR": join([home, "Documents"]),
            "ICON_EXT": _ICONS[manifest.system],
            "PLATFORM": "(64-bit)",
        }

    def text(self, value: Any, pattern: re.Pattern[str] = _BRACES) -> str:
        """Return a text with its placeholders filled in; an unknown one stays as it is."""
        if value is None:
            return ""
        if not isinstance(value, str):
            raise TypeError(f"{value!r} is not a text")
        return pattern.sub(lambda match: self.values.get(match[1], match[0]), value)

    def all(self, value: Any) -> Any:
        """Return a text, or a list with its texts, filled in; other values stay as they are."""
        if isinstance(value, list):
            return [self.all(item) for item in value]
        return self.text(value) if isinstance(value, str) else value


def _second(value: dict[str, Any], system: str, fill: _Placeholders) -> Iterator[MenuEntry]:
    for written in value["menu_items"]:
        own = written["platforms"].get(system)
        if own is None:
            continue
        item = {**written, **{key: text for key, text in own.items() if text is not None}}
        name = item["name"]
        command = [fill.text(word) for word in item["command"]]
        if not command:
            raise ValueError("no command")
        details = {key: fill.all(item[key]) for key in own if key not in _COMMON and own[key] is not None}
        yield MenuEntry(
            # An installer's prefix is a base environment to conda's tools.
            name=fill.text(name["target_environment_is_base"] if isinstance(name, dict) else name),
            menu=fill.text(value["menu_name"]),
            description=fill.text(item.get("description")),
            command=command,
            icon=fill.text(item.get("icon")),
            working_dir=fill.text(item.get("working_dir")),
            precommand=fill.text(item.get("precommand")),
            activate=bool(item.get("activate", True)),
            terminal=bool(item.get("terminal", False)),
            details=details,
        )


def _first(value: dict[str, Any], system: str, fill: _Placeholders) -> Iterator[MenuEntry]:
    for item in value["menu_items"] if system == "win" else ():
        command, console = _first_command(item, fill)
        words = item.get("scriptarguments") or [word for word in [item.get("scriptargument")] if word]
        yield MenuEntry(
            name=fill.text(item["name"], _DOLLAR),
            menu=fill.text(value["menu_name"], _DOLLAR),
            description=fill.text(item.get("description") or item["name"], _DOLLAR),
            command=[*command, *(fill.text(word, _DOLLAR) for word in words)],
            icon=fill.text(item.get("icon"), _DOLLAR).replace("/", "\\"),
            working_dir=fill.text(item.get("workdir"), _DOLLAR).replace("/", "\\"),
            precommand="",
            activate=True,
            terminal=bool(item.get("terminal", console)),
            details={key: bool(item[key]) for key in ("desktop", "quicklaunch") if key in item},
        )


def _first_command(item: dict[str, Any], fill: _Placeholders) -> tuple[list[str], bool]:
    """Return the program and its first argument, and whether it wants a console."""
    for key, start, console in (
        ("pywscript", [fill.values["PYTHONW"]], False),
        ("pyscript", [fill.values["PYTHON"]], True),
        ("webbrowser", [fill.values["PYTHONW"], "-m", "webbrowser", "-t"], False),
        ("script", [], True),
        ("system", [], False),
    ):
        if key in item:
            text = fill.text(item[key], _DOLLAR)
            return [*start, text if key == "webbrowser" else text.replace("/", "\\")], console
    raise ValueError("no program")

"""Putting a release on the search path: a marked block in the start-up files of the user's shells.

It needs no conda in the prefix. Writing it twice changes nothing, and removing it leaves the rest as it was.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping

from .payload_manifest import PayloadManifest
from .user_files import edit

_FILES = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}
NAMES = frozenset((".bashrc", ".bash_profile", ".zshrc", "config.fish"))
"""The names of all start-up files that are written to."""


def start_up_files(environment: Mapping[str, str], *, system: str) -> list[str]:
    """Return the files to write to: those that exist, and that of the user's own shell."""
    home = environment.get("HOME")
    if not home:
        return []
    names = dict(_FILES)
    if system == "osx":  # where a terminal's bash is a login shell, which reads no .bashrc
        names["bash"] = ".bash_profile"
    paths = {shell: f"{home}/{name}" for shell, name in names.items()}
    paths["zsh"] = f"{environment.get('ZDOTDIR') or home}/.zshrc"
    own = environment.get("SHELL", "").rpartition("/")[2]
    found = [path for shell, path in paths.items() if shell == own or os.path.isfile(path)]
    return found or [paths["bash"]]


def add(path: str, prefix: str, manifest: PayloadManifest) -> None:
    """Write the block, in place of one that is there."""

    def change(before: str) -> str:
        text = _without(before, prefix)
        start = "" if not text or text.endswith("\n") else "\n"
        return text + start + block(path, prefix, manifest)

    _edit(path, change)


def remove(path: str, prefix: str) -> None:
    """Remove the block, if the file has one."""
    _edit(path, lambda before: _without(before, prefix))


def has_block(path: str, prefix: str) -> bool:
    """Return whether a start-up file has the block."""
    try:
        with open(path, "rb") as stream:
            before = stream.read().decode(errors="surrogateescape")
    except OSError:
        return False
    return _without(before, prefix) != before


def block(path: str, prefix: str, manifest: PayloadManifest) -> str:
    """Return the block for a start-up file."""
    first, last = _marks(prefix)
    if path.endswith(".fish"):
        folder = "'" + prefix.replace("\\", "\\\\").replace("'", "\\'") + "'"
        line = f"test -d {folder}/bin; and set -gx PATH {folder}/bin $PATH"
    elif any(package.name == "conda" for package in manifest.packages):
        line = f". {quoted(prefix + '/etc/profile.d/conda.sh')} && conda activate {quoted(prefix)}"
    else:
        line = f'if [ -d {quoted(prefix)}/bin ]; then PATH={quoted(prefix)}/bin:"$PATH"; export PATH; fi'
    title = " ".join(manifest.title.split())
    origin = f"# Written by the installer of {title}, and removed when it is uninstalled."
    return f"{first}\n{origin}\n{line}\n{last}\n"


def quoted(text: str) -> str:
    """Return a text quoted for the shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def _marks(prefix: str) -> tuple[str, str]:
    return f"# >>> cuvee: {prefix} >>>", f"# <<< cuvee: {prefix} <<<"


def _without(text: str, prefix: str) -> str:
    # A block without an end is not one of ours any more.
    first, last = map(re.escape, _marks(prefix))
    return re.sub(rf"(?ms)^{first}\r?\n(?:.*?\n)??{last}(?:\r?\n|\Z)", "", text)


def _edit(path: str, change: Callable[[str], str]) -> None:
    how = "surrogateescape"  # whatever the encoding is
    edit(path, lambda before: change(before.decode(errors=how)).encode(errors=how))

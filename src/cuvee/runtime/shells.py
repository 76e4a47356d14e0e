"""Putting a release on the search path: a marked block in the start-up files of the user's shells.

It needs no conda in the prefix. Writing it twice changes nothing, and removing it leaves the rest as it was.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from .entries import quoted
from .manifest import Manifest
from .placing import write_whole

_FILES = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}


def start_up_files(environment: Mapping[str, str], *, system: str) -> list[str]:
    """Name the files to write to: those that are there, and that of the user's own shell."""
    home = environment.get("HOME")
    if not home:
        return []
    names = dict(_FILES)
    if system == "osx":  # where a terminal's bash is a login shell, which reads no .bashrc
        names["bash"] = ".bash_profile"
    places = {shell: f"{home}/{name}" for shell, name in names.items()}
    places["zsh"] = f"{environment.get('ZDOTDIR') or home}/.zshrc"
    own = environment.get("SHELL", "").rpartition("/")[2]
    found = [path for shell, path in places.items() if shell == own or os.path.isfile(path)]
    return found or [places["bash"]]


def add(path: str, prefix: str, manifest: Manifest) -> None:
    """Write the block, in place of one that is there."""
    before = _read(path)
    text = _without(before, prefix)
    start = "" if not text or text.endswith("\n") else "\n"
    _write(path, before, text + start + block(path, prefix, manifest))


def remove(path: str, prefix: str) -> None:
    """Remove the block, if the file has one."""
    before = _read(path)
    _write(path, before, _without(before, prefix))


def block(path: str, prefix: str, manifest: Manifest) -> str:
    """Give the block for a start-up file."""
    first, last = _marks(prefix)
    if path.endswith(".fish"):
        place = "'" + prefix.replace("\\", "\\\\").replace("'", "\\'") + "'"
        line = f"test -d {place}/bin; and set -gx PATH {place}/bin $PATH"
    elif any(package.name == "conda" for package in manifest.packages):
        line = f". {quoted(prefix + '/etc/profile.d/conda.sh')} && conda activate {quoted(prefix)}"
    else:
        line = f'if [ -d {quoted(prefix)}/bin ]; then PATH={quoted(prefix)}/bin:"$PATH"; export PATH; fi'
    title = " ".join(manifest.title.split())
    origin = f"# Written by the installer of {title}, and removed when it is uninstalled."
    return f"{first}\n{origin}\n{line}\n{last}\n"


def _marks(prefix: str) -> tuple[str, str]:
    return f"# >>> cuvee: {prefix} >>>", f"# <<< cuvee: {prefix} <<<"


def _without(text: str, prefix: str) -> str:
    first, last = _marks(prefix)
    lines = text.splitlines(keepends=True)
    kept: list[str] = []
    inside: list[str] = []
    for line in lines:
        mark = line.rstrip("\r\n")
        if inside:
            inside.append(line)
            if mark == last:
                inside = []
        elif mark == first:
            inside = [line]
        else:
            kept.append(line)
    # A block without an end is not one of ours any more.
    return "".join([*kept, *inside])


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""


def _write(path: str, before: str, text: str) -> None:
    if text == before:
        return
    place = os.path.realpath(path)  # dotfiles are often links
    if not text:
        os.unlink(place)
        return
    mode = stat.S_IMODE(os.stat(place).st_mode) if os.path.exists(place) else 0o644
    write_whole(place, text.encode(errors="surrogateescape"), mode)

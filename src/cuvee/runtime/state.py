"""What a prefix keeps so that its verbs need no installer: the marker, manifest and state."""

from __future__ import annotations

import json
import os
import stat
from typing import Any, NamedTuple

from . import manifest
from .failure import DAMAGED, InstallError

MARKER = "conda-meta/cuvee.json"
KEPT = "conda-meta/cuvee"
MANIFEST = f"{KEPT}/manifest.json.zst"
STATE = f"{KEPT}/state.json"
LOGS = (f"{KEPT}/log.txt", f"{KEPT}/log.jsonl")
INSTALLER = f"{KEPT}/installer" + (".exe" if os.name == "nt" else ".sh")
"""The installer itself, where it is kept for `repair`."""
SAVED = "cuvee-saved"
"""The folder of a prefix where files go that the user had changed; nothing here ever removes it."""
UNPROVED = f"{KEPT}/unproved"
"""There as long as a release waits for its post_install to end; holds the installer's process number."""
_NEW = f"{STATE}.new"
PASSING = (_NEW, *(f"{KEPT}/{n}.{end}" for n in ("post_install", "pre_uninstall") for end in ("sh", "bat")))
"""Files that are there for a moment only."""


class Outside(NamedTuple):
    """What a release has outside of its prefix, see `outside`: all paths are absolute.

    ``menu_folder`` is where its menu entries go, empty if none are wanted; ``entries`` are those that may be
    there, ``shells`` start-up files with lines of ours.
    """

    menu_folder: str = ""
    entries: list[str] = []  # noqa: RUF012 - never changed
    shells: list[str] = []  # noqa: RUF012 - never changed


class State(NamedTuple):
    """What the manifest can not know of a prefix.

    ``late`` holds SHA-256 and size of each file whose bytes depend on the prefix, ``own`` mode, SHA-256 and
    size of each file that is no package's or that post_install changed, ``links`` the links that it made,
    ``gone`` what it removed, ``masks`` what the umasks of those who wrote files took away.
    """

    prefix: str
    installed: str
    masks: list[int]
    manifest_raw: int
    late: dict[str, list[Any]]
    own: dict[str, list[Any]]
    links: dict[str, str] = {}  # noqa: RUF012 - never changed
    gone: list[str] = []  # noqa: RUF012 - never changed
    outside: Outside = Outside()


class Installed(NamedTuple):
    """A release in a prefix; ``sha256`` is that of its manifest."""

    prefix: str
    sha256: str
    manifest: manifest.Manifest
    state: State


def read_marker(prefix: str) -> dict[str, Any] | None:
    """Say which release a prefix holds; `None` if it holds none of ours."""
    try:
        with open(f"{prefix}/{MARKER}", encoding="utf-8") as stream:
            marker = json.load(stream)
        return marker if isinstance(marker["distribution"], str) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def load(prefix: str) -> Installed:
    """Read what the prefix keeps of its release."""
    marker = read_marker(prefix)
    if marker is None:
        raise InstallError(f"{prefix} holds no release that an installer of cuvee made.")
    try:
        state = read(prefix)
        with open(f"{prefix}/{MANIFEST}", "rb") as stream:
            data = stream.read()
        sha256 = marker["manifest_sha256"]
        return Installed(prefix, sha256, manifest.load(data, state.manifest_raw, sha256), state)
    except (OSError, ValueError, KeyError, TypeError, InstallError) as error:
        raise InstallError(
            f"{prefix} has lost the list of its files ({error}). Repair it with its installer.", DAMAGED
        ) from error


def read(prefix: str) -> State:
    """Read the state alone."""
    with open(f"{prefix}/{STATE}", encoding="utf-8") as stream:
        state = State(**json.load(stream))
    return state._replace(outside=Outside(*state.outside))


def write(prefix: str, state: State, data: bytes | None = None) -> None:
    """Keep the manifest's bytes as they are, and the state."""
    if data is not None:
        with open(f"{prefix}/{MANIFEST}", "wb") as stream:
            stream.write(data)
    with open(f"{prefix}/{_NEW}", "w", encoding="utf-8", newline="\n") as text:
        json.dump(state._asdict(), text, separators=(",", ":"), ensure_ascii=False)
    os.replace(f"{prefix}/{_NEW}", f"{prefix}/{STATE}")


def is_ours(place: str) -> bool:
    """Whether nobody else can have made ``place``: where everybody may write, only what we own ourselves is.

    Others could put there what an installer leaves when it is killed, or a release with their own files.
    """
    if os.name != "posix":
        return True
    try:
        found, above = os.lstat(place), os.stat(os.path.dirname(place))
    except OSError:
        return False
    mine = found.st_uid == os.geteuid() and not stat.S_ISLNK(found.st_mode)
    return mine or not above.st_mode & stat.S_IWOTH


def beside(prefix: str, what: str) -> str:
    """Name a file or folder beside the prefix that belongs to it."""
    return os.path.join(os.path.dirname(prefix), f".{os.path.basename(prefix)}.cuvee-{what}")

"""What a prefix keeps so that its verbs need no installer: the marker, the manifest and the state.

It also has the names of all that is in and beside a prefix, and checks who may have made them.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from typing import Any, NamedTuple

from . import payload_manifest
from .failure import DAMAGED, InstallError
from .prefix_tree import PrefixTree, is_inside

KEPT = "conda-meta/cuvee"
MARKER = f"{KEPT}/release.json"
"""Which release this is. Not in `conda-meta` itself: conda's tools take each JSON file there for a record."""
OLD_MARKER = "conda-meta/cuvee.json"
"""Where earlier releases have it."""
MANIFEST = f"{KEPT}/manifest.json.zst"
STATE = f"{KEPT}/state.json"
LOGS = (f"{KEPT}/log.txt", f"{KEPT}/log.jsonl")
HISTORY = "conda-meta/history"
INSTALLER = f"{KEPT}/installer" + (".exe" if os.name == "nt" else ".sh")
"""The installer itself, where it is kept for `repair`."""
SAVED = "cuvee-saved"
"""The folder of a prefix for files that the user had changed; nothing here ever removes it."""
UNPROVED = f"{KEPT}/unproved"
"""There as long as a release waits for its post_install to end; the text is the number of its installer."""
_SCRIPTS = tuple(
    f"{KEPT}/{name}.{end}" for name in ("post_install", "pre_uninstall") for end in ("sh", "bat")
)
_MOST_MASK = 0o777
TRANSIENT = (f"{STATE}.new", f"{MANIFEST}.new", *_SCRIPTS, *(f"{path}.new" for path in _SCRIPTS))
"""Files that are there for a moment only."""
UNLISTED = frozenset((MARKER, OLD_MARKER, MANIFEST, STATE, UNPROVED, *LOGS, *TRANSIENT))
"""Files that no list of a release names, since they are written after it."""
LAST = (HISTORY, INSTALLER, *TRANSIENT, *LOGS, MANIFEST, STATE, OLD_MARKER, MARKER)
"""What a removal removes last, so that it can be started again."""


class OutsideFiles(NamedTuple):
    """What a release has outside of its prefix, see `outside_files`: all paths are absolute.

    ``menu_folder`` is where its menu entries go, empty if there are none; ``entries`` are those that may
    be there, ``shells`` start-up files with a block of ours. ``former`` are places where the prefix was
    before, see `moved_prefix`: what names them may be left.
    """

    menu_folder: str = ""
    entries: list[str] = []  # noqa: RUF012 - never changed
    shells: list[str] = []  # noqa: RUF012 - never changed
    former: list[str] = []  # noqa: RUF012 - never changed


class PrefixState(NamedTuple):
    """What the manifest cannot know of a prefix.

    ``late`` has SHA-256 and size of each file whose bytes depend on the prefix, ``own`` mode, SHA-256 and
    size of each file that is not a package's or that post_install changed, ``links`` the links that it made,
    ``gone`` what it removed, ``masks`` the bits that umasks or default ACLs took away when files were made.
    """

    prefix: str
    installed: str
    masks: list[int]
    manifest_raw: int
    late: dict[str, tuple[str, int]]
    own: dict[str, tuple[int, str, int]]
    links: dict[str, str] = {}  # noqa: RUF012 - never changed
    gone: list[str] = []  # noqa: RUF012 - never changed
    outside: OutsideFiles = OutsideFiles()


class InstalledRelease(NamedTuple):
    """A release in a prefix; ``sha256`` is that of its manifest."""

    prefix: str
    sha256: str
    manifest: payload_manifest.PayloadManifest
    state: PrefixState


class ReleaseMarker(NamedTuple):
    """Which release a prefix holds, as far as an installer must know before it reads more."""

    distribution: str
    version: str
    title: str
    manifest_sha256: str


def read_marker(prefix: str) -> ReleaseMarker | None:
    """Return which release a prefix holds; `None` if it holds none of ours."""
    for path in (MARKER, OLD_MARKER):
        try:
            value = json.loads(PrefixTree(prefix).read(path))
            if isinstance(value["distribution"], str):
                return ReleaseMarker(*(str(value.get(name, "")) for name in ReleaseMarker._fields))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return None


def load(prefix: str) -> InstalledRelease:
    """Return the release in a prefix, from what the prefix keeps of it."""
    marker = read_marker(prefix)
    if marker is None:
        raise InstallError(f"{prefix} holds no release that an installer of cuvee made.")
    try:
        state = read_state(prefix)
        data = PrefixTree(prefix).read(MANIFEST)
        sha256 = marker.manifest_sha256
        manifest = payload_manifest.load(data, state.manifest_raw, sha256)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InstallError) as error:
        raise InstallError(
            f"{prefix} has lost the list of its files ({error}). Repair it with its installer.", DAMAGED
        ) from error
    return InstalledRelease(prefix, sha256, manifest, state)


def read_state(prefix: str) -> PrefixState:
    """Return the state of a prefix; raise `ValueError` if it is not one, or names a file outside."""
    value: dict[str, Any] = json.loads(PrefixTree(prefix).read(STATE))
    state = PrefixState(**value)
    outside = OutsideFiles(*state.outside)
    for path in [*state.late, *state.own, *state.links, *state.gone]:
        if not is_inside(path):
            raise ValueError(f"it names a file outside the prefix, {path!r}")
    masks = [mask for mask in state.masks if isinstance(mask, int) and 0 <= mask <= _MOST_MASK]
    texts = [outside.menu_folder, *outside.entries, *outside.shells, *outside.former, state.prefix]
    if not masks or not all(isinstance(text, str) for text in texts):
        raise ValueError("it is not the state of a prefix")
    late = {path: (str(sha256), int(size)) for path, (sha256, size) in state.late.items()}
    own = {path: (int(mode), str(sha256), int(size)) for path, (mode, sha256, size) in state.own.items()}
    return state._replace(late=late, own=own, masks=masks, outside=outside)


def write_state(prefix: str, state: PrefixState, manifest: bytes | None = None) -> None:
    """Write the state of a prefix, and the compressed manifest if it is given."""
    tree = PrefixTree(prefix)
    if manifest is not None:
        tree.write(MANIFEST, manifest)
    # In ASCII, since a file's name need not be UTF-8.
    tree.write(STATE, json.dumps(state._asdict(), separators=(",", ":")).encode())


def is_ours(path: str) -> bool:
    """Return whether no other user can have made ``path``: where all may write, it must be our own.

    Other users could put there what an installer leaves when it is killed, or a release with their own files.
    """
    if os.name != "posix":
        return True
    try:
        found, above = os.lstat(path), os.stat(os.path.dirname(path))
    except OSError:
        return False
    mine = found.st_uid == os.geteuid() and not stat.S_ISLNK(found.st_mode)
    return mine or not above.st_mode & stat.S_IWOTH


def belongs(prefix: str) -> bool:
    """Return whether a prefix is its caller's or root's, so that what it says of itself is believed."""
    if os.name != "posix":
        return True
    owners = set()
    for path in ("", "conda-meta", KEPT):
        with contextlib.suppress(FileNotFoundError):
            owners.add(os.stat(f"{prefix}/{path}").st_uid)
    return is_ours(prefix) and owners <= {0, os.geteuid()}


def beside(prefix: str, name: str) -> str:
    """Return the path of a file or folder beside the prefix that belongs to it."""
    return os.path.join(os.path.dirname(prefix), f".{os.path.basename(prefix)}.cuvee-{name}")

"""A prefix that was moved or copied since its release was installed: its files name another place.

What a release has outside of its prefix names the place where it was installed too. It is still this
release's if no release is there any more: then the prefix was moved. Otherwise it is a copy, or another
release was installed there since, and all that names that place belongs to the one that is there.
"""

from __future__ import annotations

import contextlib
import os

from . import prefix_swap
from .failure import InstallError
from .prefix_lock import hold
from .prefix_state import (
    MARKER,
    OLD_MARKER,
    STATE,
    InstalledRelease,
    PrefixState,
    belongs,
    beside,
    read_marker,
    read_state,
)


def moved_from(installed: InstalledRelease) -> str:
    """Return where a release was installed, unless that leads to where it is now; then an empty text."""
    recorded, prefix = installed.state.prefix, installed.prefix
    return "" if recorded == prefix or _is_same(recorded, prefix) else recorded


def refuse_moved(installed: InstalledRelease) -> None:
    """Raise if a release was installed elsewhere: only an upgrade writes all of its files again."""
    if moved_from(installed):
        raise InstallError(f"{explanation(installed)} Nothing was changed.")


def explanation(installed: InstalledRelease) -> str:
    """Return what to do with a release that was moved."""
    options = f"/D={installed.prefix}" if os.name == "nt" else f"-u -p {installed.prefix}"
    return (
        f"{installed.prefix} was moved or copied: its programs name {installed.state.prefix}, where it was "
        f"installed. Run its installer, or a newer one, with {options}: that installs all of it again."
    )


def names(prefix: str, state: PrefixState) -> list[str]:
    """Return the prefix, and the places where its release was before, as far as none is there now."""
    before = [place for place in (state.prefix, *state.outside.former) if os.path.isabs(place)]
    own = {os.path.normpath(place) for place in before if _is_same(place, prefix) or not is_taken(place)}
    return [prefix, *sorted(own - {prefix})]


def known_names(prefix: str) -> list[str]:
    """Return the `names` of the release in a prefix, or only the prefix if it has no state."""
    try:
        return names(prefix, read_state(prefix))
    except (OSError, ValueError, TypeError, AttributeError):
        return [prefix]


def kept_elsewhere(installed: InstalledRelease) -> dict[str, str]:
    """Return the older releases of this one that are kept where its prefix was before, by that place."""
    if not belongs(installed.prefix):
        return {}
    found = {place: beside(place, "kept") for place in names(installed.prefix, installed.state)[1:]}
    return {place: kept for place, kept in found.items() if _is_kept(kept, installed.manifest.distribution)}


def remove_kept(found: dict[str, str]) -> None:
    """Remove what `kept_elsewhere` has found, as far as that is possible."""
    for place, kept in found.items():
        with contextlib.suppress(InstallError, OSError), hold(place):
            prefix_swap.discard(kept, beside(place, "0.partial"))


def is_taken(place: str) -> bool:
    """Return whether a release is at a place, or this cannot be known.

    On Windows, all that is there counts. Other users may be able to write in a prefix for all users, and
    could name any folder in its state: an administrator would remove it from PATH.
    """
    if os.name == "nt" and os.path.lexists(place):
        return True
    for path in (MARKER, OLD_MARKER, STATE):
        try:
            os.lstat(f"{place}/{path}")
        except (FileNotFoundError, NotADirectoryError, ValueError):
            continue
        except OSError:
            return True
        return True
    return False


def _is_same(place: str, prefix: str) -> bool:
    """Return whether a path leads to the prefix."""
    try:
        return os.path.samestat(os.stat(place), os.stat(prefix))
    except (OSError, ValueError):  # of values: a path with a NUL
        return False


def _is_kept(folder: str, distribution: str) -> bool:
    marker = read_marker(folder)
    return marker is not None and marker.distribution == distribution and belongs(folder)

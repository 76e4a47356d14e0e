"""The one name of a prefix, under which it is installed, registered and removed."""

from __future__ import annotations

import os

from .prefix_state import read_state


def known_name(prefix: str) -> str:
    """Return the name that the release in a prefix was installed under, if that still leads there.

    A folder may have several names, through links. What its programs, start-up files and menu entries name
    must not depend on which one is given later. A state that another user may have written is not believed.
    """
    try:
        recorded, found = read_state(prefix).prefix, os.stat(prefix)
        mine = os.name != "posix" or found.st_uid == os.geteuid()
        if mine and os.path.isabs(recorded) and not os.path.islink(recorded):
            return recorded if os.path.samestat(os.stat(recorded), found) else prefix
    except (OSError, ValueError, TypeError):
        pass
    return prefix

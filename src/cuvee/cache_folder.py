"""The user's cache folder, to which only its user may write: its contents end up in what is signed.

Downloads and frames are checked against the hashes that they are named by. Byte code, converted wheels and
packed interpreters are named by what they were made from, so their digests are recorded beside them. That
finds damage, but not somebody who replaces both.
"""

import os
import stat
from pathlib import Path

from cuvee.errors import UsageError

_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def default_cache() -> Path:
    """Return the folder that ``CUVEE_CACHE_DIR`` names, or the one that the system has for caches."""
    named = os.environ.get("CUVEE_CACHE_DIR")
    if named:
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("cuvee", appauthor=False)


def own_cache(folder: Path) -> Path:
    """Return a cache folder; it is made for this user only if there is none.

    Raises
    ------
    UsageError
        If somebody else can write to it.
    """
    if os.name == "nt":
        return folder
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError:
        return folder  # who needs it says so, with what is to be written there
    if found.st_uid not in {os.geteuid(), 0}:
        raise UsageError(
            f"The cache {folder} belongs to another user, who could change what is released from it",
            hint="Name another folder with --cache or CUVEE_CACHE_DIR.",
        )
    if found.st_mode & _OTHERS:
        raise UsageError(
            f"Other users can write to the cache {folder}, and so change what is released from it",
            hint=f"Run `chmod go-w {folder}`, or name another folder with --cache or CUVEE_CACHE_DIR.",
        )
    return folder

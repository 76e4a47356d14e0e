"""Paths within a prefix, as text: no disk is asked."""

import posixpath


def inside(folder: str, path: str) -> str | None:
    """Give where ``path``, relative to ``folder``, leads within the prefix; `None` if it leaves it.

    Both use ``/``; the prefix itself is ``""`` as a folder and ``.`` as a result.
    """
    if path.startswith("/"):
        return None
    joined = posixpath.normpath(posixpath.join(folder, path))
    return None if joined == ".." or joined.startswith("../") else joined

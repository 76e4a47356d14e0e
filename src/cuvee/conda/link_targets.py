"""Where symbolic links of a prefix lead, through other links of the same prefix."""

import re
from collections.abc import Iterable, Mapping

from cuvee.platforms import System

OUTSIDE = ".."
"""The end of a link that leaves the prefix, at any step."""

_MOST_LINKS = 255
"""More than any system follows in one path; Linux follows 40, Windows 63:
https://man7.org/linux/man-pages/man7/path_resolution.7.html."""

_DRIVE = re.compile(r"[A-Za-z]:")


def by_key(links: Iterable[tuple[str, str]], system: System) -> dict[str, str]:
    """Return the target of each symbolic link by its path as the file systems of a system compare it."""
    return {_key(path, system): target for path, target in links}


def link_end(link: str, links: Mapping[str, str], system: System) -> str | None:
    """Return the path that a link leads to as a system follows it, part by part; it need not exist.

    Text by itself does not tell: if ``up`` is a link to ``../..``, then ``a/up/../x`` is not ``a/x``.

    Parameters
    ----------
    link
        A path of ``links``, relative to the prefix.
    links
        The target of each symbolic link of the prefix, from `by_key`.

    Returns
    -------
    str or None
        Relative to the prefix, which itself is ``""``; `OUTSIDE` if it leaves the prefix; `None` if it
        follows more links than any system does, as in a loop.
    """
    todo, followed = link.split("/")[::-1], 0
    done: list[str] = []
    while todo:
        part = todo.pop()
        if part == "..":
            if not done:
                return OUTSIDE
            done.pop()
        elif part not in {"", "."}:
            done.append(part)
            target = links.get(_key("/".join(done), system))
            if target is None:
                continue
            if system == "win":
                target = target.replace("\\", "/")
            if target.startswith("/") or (system == "win" and _DRIVE.match(target)):
                return OUTSIDE
            followed += 1
            if followed > _MOST_LINKS:
                return None
            done.pop()
            todo += target.split("/")[::-1]
    return "/".join(done)


def _key(path: str, system: System) -> str:
    return path if system == "linux" else path.casefold()

"""The roles of a site's metadata, what each may sign, and for how long: https://theupdateframework.github.io

``root`` says who may sign what. ``targets`` delegates to one role per support track, and to ``site``, which
signs what all releases share. A track delegates to each of its releases. So a key of ``edge`` cannot sign a
file of ``stable``, and a release's list is written once.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from cuvee.errors import IntegrityError, ToolMissingError
from cuvee.manifest.model import Track

if TYPE_CHECKING:
    from tuf.api.metadata import Key

ROOT, TARGETS, SNAPSHOT, TIMESTAMP, SITE = "root", "targets", "snapshot", "timestamp", "site"
TOP_ROLES = (ROOT, TARGETS, SNAPSHOT, TIMESTAMP)
TRACKS = tuple(track.value for track in Track)
ROLES = (*TOP_ROLES, *TRACKS, SITE)
"""All roles that keys are given to."""

RELEASES = "releases"
INDEX = "index.json"
"""The list of a track's releases is ``releases/<track>/index.json``."""

_DEEPEST = 8
_DAYS: Mapping[str, int] = MappingProxyType(
    {ROOT: 365, TARGETS: 365, SNAPSHOT: 14, TIMESTAMP: 14, SITE: 30, "edge": 30, "stable": 180, "lts": 365}
)
_PART = re.compile(r"[^\x00-\x1f\x7f/\\:*?\"<>|#%]+")
_RELEASE = re.compile(r"[a-z0-9][a-z0-9_.-]*-[0-9]{4}\.(?:0?[1-9]|1[0-2])\.[0-9]+")


def lifetime(role: str) -> dt.timedelta:
    """Return for how long what a role signs is believed; for a release, that of its track."""
    return dt.timedelta(days=_DAYS[role])


def paths_of_site() -> list[str]:
    """Return the patterns of the paths that ``site`` may sign; ``*`` does not match ``/``."""
    return ["*", "channel/*/*", "channel/*/shards/*", "errata/*", "errata/*/*", f"{RELEASES}/*", "log/*"]


def paths_of_track(track: str) -> list[str]:
    """Return the patterns of the paths that a track may sign."""
    return [f"{RELEASES}/{track}/{'/'.join('*' * depth)}" for depth in range(1, _DEEPEST + 1)]


def paths_of_release(track: str, release: str) -> list[str]:
    """Return the patterns of the paths that the list of a release may have."""
    return [f"{RELEASES}/{track}/{release}/{'/'.join('*' * depth)}" for depth in range(1, _DEEPEST)]


def is_release_name(name: str) -> bool:
    """Whether a text is ``<distribution>-<version>``, and so a safe name of a file."""
    return _RELEASE.fullmatch(name) is not None


def check_path(path: str) -> None:
    """Raise unless a target's path stays in its folder on every system, and has no pattern in it.

    Raises
    ------
    IntegrityError
        If it is absolute, leaves the folder, or has characters that Windows or URLs take for something else.
    """
    parts = path.split("/")
    bad = [
        part
        for part in parts
        if part in {"", ".", ".."} or not _PART.fullmatch(part) or part[-1] in ". " or part != part.strip()
    ]
    if bad or len(parts) > _DEEPEST + 2:
        raise IntegrityError(
            f"{path!r} is not a path that a site may have",
            hint="Nothing of it was used. A path has no `..`, no `\\`, no `:`, and at most "
            f"{_DEEPEST + 2} parts.",
        )


def require_tuf() -> None:
    """Raise if the libraries of the extra ``trust`` are missing.

    Raises
    ------
    ToolMissingError
        With the command that installs them.
    """
    try:
        import securesystemslib.signer  # noqa: F401  only whether it is there
        import tuf.ngclient  # noqa: F401
    except ImportError as error:
        raise ToolMissingError(
            f"Signed sites need python-tuf, and it cannot be imported: {error}",
            hint="Install it with `pip install 'cuvee[trust]'`.",
        ) from error


def key_value(key: "Key") -> bytes:
    """Return what a key is, whatever its id: the bytes of its public value."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_public_key,
    )

    public = str(key.keyval.get("public", ""))
    try:
        if key.scheme == "ed25519":
            return bytes.fromhex(public)
        return load_pem_public_key(public.encode()).public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
    except (ValueError, UnsupportedAlgorithm):
        return public.encode(errors="surrogatepass")


def check_distinct(role: str, keys: Iterable["Key"]) -> None:
    """Raise if a role has one key under two ids: TUF would count it twice.

    Raises
    ------
    IntegrityError
        With both ids.
    """
    seen: dict[bytes, str] = {}
    for key in keys:
        other = seen.setdefault(key_value(key), key.keyid)
        if other != key.keyid:
            raise IntegrityError(
                f"The role {role} has one key under two ids, {short(other)} and {short(key.keyid)}",
                hint="One person would count twice. Give each key once.",
            )


def short(keyid: str) -> str:
    """Return the beginning of a key's id, for messages."""
    return keyid[:12]

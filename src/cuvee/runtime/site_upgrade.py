"""The verb `upgrade --from`: the newest release of a signed site, or of its mirror in a folder.

The site is verified from a root that the administrator names once. A delta is taken if one fits, or else the
whole installer. What comes is then checked by the key of the installed release as any other installer. What
was seen of a site is kept per user, outside of the prefix.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from . import installer_handover
from .failure import MISSING, USAGE, InstallError
from .hashing import algorithm
from .payload_manifest import PayloadManifest
from .prefix_state import load
from .signed_metadata import refused
from .site_reader import Fetch, LocatedFile, SiteReader

_TRACKS = ("lts", "stable")
_MOST_ROOT, _MOST_INDEX, _CHUNK = 512_000, 5_000_000, 1 << 18
_STALL, _WINDOW, _SLOWEST = 60, 60.0, 16 << 10


def upgrade(prefix: str, site: str, options: frozenset[str]) -> int:
    """Upgrade the release at ``prefix`` to the newest one of ``site``, a URL or a folder."""
    installed = load(prefix)
    name = installed.manifest.distribution
    state = _state_folder(name)
    root = _root(state, options)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    reader = SiteReader(_metadata(site), os.path.join(state, "metadata"), now)
    reader.refresh(root)
    _keep_root(state, root)
    found = _newest(reader, site, installed.manifest)
    if found is None:
        print(f"{site} has no newer release of {name} than {installed.manifest.version}.")  # noqa: T201
        return 0
    folder = os.path.join(state, "installers")
    installer = _fetch_delta(site, found.delta, folder, prefix) if found.delta is not None else None
    if installer is None:
        installer = _fetch_installer(site, found.installer, folder)
    rest = frozenset(option for option in options if not option.startswith("--root="))
    return installer_handover.upgrade(prefix, installer, rest, is_verified=True)


def _state_folder(distribution: str) -> str:
    base = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    folder = os.path.join(base, "cuvee", "sites", distribution)
    os.makedirs(folder, 0o700, exist_ok=True)
    if hasattr(os, "geteuid") and os.stat(folder).st_uid != os.geteuid():
        raise InstallError(f"{folder} belongs to another user. Set HOME or XDG_STATE_HOME.", USAGE)
    return folder


def _root(state: str, options: frozenset[str]) -> bytes:
    named = [option.partition("=")[2] for option in options if option.startswith("--root=")]
    path = named[0] if named else os.path.join(state, "root.json")
    try:
        with open(path, "rb") as stream:
            return stream.read(_MOST_ROOT)
    except OSError as error:
        if named:
            raise InstallError(f"{path} cannot be read: {error.strerror}.", USAGE) from None
        raise InstallError(
            "It is not known whose signatures count: name the root that the distribution hands out, "
            "with --root=FILE.",
            MISSING,
        ) from None


def _keep_root(state: str, root: bytes) -> None:
    beside = os.path.join(state, f"root.json.{os.getpid()}.part")
    with open(beside, "wb") as stream:
        stream.write(root)
    os.replace(beside, os.path.join(state, "root.json"))


class _Newest(NamedTuple):
    """The newest release of a site: its `.sh`, and a delta to it, if there is one."""

    installer: LocatedFile
    delta: LocatedFile | None


def _newest(reader: SiteReader, site: str, installed: PayloadManifest) -> _Newest | None:
    """Return the newest release that is newer than the installed one."""
    best, path, delta = _number(installed.version), "", ""
    for track in _TRACKS:
        index = f"releases/{track}/index.json"
        listed = reader.find(index) if reader.has_list(track) else None
        if listed is None:
            continue
        data = b"".join(_pieces(site, f"targets/{listed.stored}", min(listed.length, _MOST_INDEX)))
        listed.check(len(data), _digests(data))
        try:
            for release in json.loads(data)["releases"]:
                number = _number(release["version"])
                if release["distribution"] != installed.distribution or number <= best:
                    continue
                folder = f"releases/{track}/{release['name']}"
                for item in _of_system(release["installers"], installed):
                    best, path, delta = number, f"{folder}/{item['path']}", ""
                    for other in _of_system(release.get("deltas", ()), installed):
                        delta = f"{folder}/{other['path']}" if other["base"] == installed.version else delta
        except (ValueError, LookupError, TypeError, AttributeError):
            raise refused(f"{index} of the site cannot be read.") from None
    if not path:
        return None
    return _Newest(_located(reader, path), _located(reader, delta) if delta else None)


def _of_system(items: Iterable[dict[str, Any]], installed: PayloadManifest) -> list[dict[str, Any]]:
    return [item for item in items if item["platform"] == installed.platform and item["format"] == "sh"]


def _located(reader: SiteReader, path: str) -> LocatedFile:
    found = reader.find(path)
    if found is None:
        raise refused(f"The site has no {path} that is signed by those who may sign it.")
    return found


def _fetch_delta(site: str, wanted: LocatedFile, folder: str, prefix: str) -> str | None:
    """Return the path of a delta, complete and verified; `None` if it is not there, or does not fit."""
    name = wanted.path.rpartition("/")[2]
    try:
        path = _fetch_installer(site, wanted, folder)
    except FileNotFoundError:
        reason = f"{site} does not have it."
    else:
        try:
            installer_handover.refuse_delta(prefix, path)
        except InstallError as error:
            reason = error.message
        else:
            return path
    print(f"{name} is not used. {reason}\nThe whole installer is fetched instead.")  # noqa: T201
    return None


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _fetch_installer(site: str, wanted: LocatedFile, folder: str) -> str:
    """Return the path of the installer, complete and verified."""
    os.makedirs(folder, 0o700, exist_ok=True)
    name = wanted.path.rpartition("/")[2]
    if name in {"", ".", ".."} or any(char in name for char in "\\:\0"):
        raise refused(f"{wanted.path!r} is not a path that a site may have.")
    for other in os.listdir(folder):
        if other not in {name, f"{name}.part"}:
            os.unlink(os.path.join(folder, other))
    target, beside = os.path.join(folder, name), os.path.join(folder, f"{name}.part")
    sha256, sha512, length = algorithm("sha256")(b""), algorithm("sha512")(b""), 0
    with open(beside, "wb") as stream:
        for piece in _pieces(site, f"targets/{wanted.stored}", wanted.length):
            stream.write(piece)
            sha256.update(piece)
            sha512.update(piece)
            length += len(piece)
    try:
        wanted.check(length, {"sha256": sha256.hexdigest(), "sha512": sha512.hexdigest()})
    except InstallError:
        os.unlink(beside)
        raise
    os.replace(beside, target)
    return target


def _digests(data: bytes) -> dict[str, str]:
    return {name: algorithm(name)(data).hexdigest() for name in ("sha256", "sha512")}


def _metadata(site: str) -> Fetch:
    def fetch(name: str, most: int) -> bytes | None:
        try:
            return b"".join(_pieces(site, f"metadata/{name}", most))
        except FileNotFoundError:
            return None

    return fetch


def _pieces(site: str, name: str, most: int) -> Iterator[bytes]:
    """Yield a file of a site, of at most so many bytes; raise `FileNotFoundError` if there is none."""
    received = 0
    since, mark = time.monotonic(), 0
    with _opened(site, name) as stream:
        while piece := stream.read(_CHUNK):
            received += len(piece)
            if received > most:
                raise refused(f"{name} of the site has more than {most} bytes.")
            yield piece
            if time.monotonic() - since >= _WINDOW:
                if received - mark < _SLOWEST:
                    raise InstallError(f"The site sends less than {_SLOWEST} bytes in {_WINDOW:.0f} s.")
                since, mark = time.monotonic(), received


def _opened(site: str, name: str) -> Any:
    if not site.startswith(("https://", "http://")):
        path = os.path.join(site, *name.split("/"))
        top = os.path.realpath(site)
        if os.path.exists(path) and not os.path.realpath(path).startswith(f"{top}{os.sep}"):
            raise refused(f"{path} is a link that leads out of the site.")
        return open(path, "rb")
    from urllib.error import HTTPError, URLError
    from urllib.parse import quote
    from urllib.request import urlopen

    try:
        return urlopen(f"{site.rstrip('/')}/{quote(name)}", timeout=_STALL)  # noqa: S310 - see above
    except HTTPError as error:
        error.close()
        if error.code in {403, 404}:
            raise FileNotFoundError(name) from None
        raise InstallError(f"{site} answers {error.code} to {name}.") from None
    except URLError as error:
        raise InstallError(f"{site} cannot be reached: {error.reason}.") from None

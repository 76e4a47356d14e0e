"""Reading a signed site: the workflow of a client of The Update Framework, from the root that is known.

https://theupdateframework.github.io/specification/latest/#detailed-client-workflow. What was seen is kept in
a folder, so that an older state is refused later.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from .hashing import algorithm
from .signed_metadata import Signed, check_quorum, parse, refused, role_of

ROOT, TIMESTAMP, SNAPSHOT, TARGETS = "root", "timestamp", "snapshot", "targets"
_MOST = {ROOT: 512_000, TIMESTAMP: 16_384, SNAPSHOT: 2_000_000, TARGETS: 5_000_000}
_MOST_ROOTS, _MOST_LISTS = 256, 32

Fetch = Callable[[str, int], "bytes | None"]
"""Returns a file of ``metadata/`` of at most so many bytes; `None` if the site has none."""


def _quoted(name: str) -> str:
    """Return a role's name as files of metadata are named by it; installers have no `urllib`."""
    from urllib.parse import quote

    return quote(name, "")


class LocatedFile(NamedTuple):
    """What is signed of a file: where it is below ``targets/``, its length, and its hashes by algorithm."""

    path: str
    length: int
    hashes: dict[str, str]
    stored: str

    def check(self, length: int, digests: dict[str, str]) -> None:
        """Raise unless a file has this length and these hashes."""
        if length != self.length or any(digests.get(name) != text for name, text in self.hashes.items()):
            raise refused(f"{self.path} is not the file that was signed.")


class SiteReader:
    """What a site says, verified.

    ``folder`` has what was seen, ``now`` is the time, as ``2026-11-30T00:00:00Z``.
    """

    def __init__(self, fetch: Fetch, folder: str, now: str) -> None:
        self._fetch = fetch
        self._folder = folder
        self._now = now
        self._loaded: dict[tuple[str, str], Signed] = {}
        self.root: Signed
        self.timestamp: Signed
        self.snapshot: Signed

    def refresh(self, root: bytes) -> None:
        """Bring all but the lists of tracks up to date, beginning with a root that is trusted."""
        self._read_root(root)
        self._read_timestamp()
        self._read_snapshot()
        self._list(TARGETS, self.root)

    def _read_root(self, data: bytes) -> None:
        self.root = parse(data, ROOT)
        check_quorum(self.root, role_of(self.root, ROOT))
        try:
            for _ in range(_MOST_ROOTS):
                name = f"{self.root.version + 1}.root.json"
                found = self._known(f"root_history/{name}")
                newer = found if found is not None and self._follows(found) else None
                if newer is None:
                    newer = self._fetch(name, _MOST[ROOT])
                if newer is None:
                    break
                signed = parse(newer, ROOT)
                check_quorum(signed, role_of(self.root, ROOT))
                check_quorum(signed, role_of(signed, ROOT))
                if signed.version != self.root.version + 1:
                    raise refused(f"{name} of the site is version {signed.version}.")
                self.root, data = signed, newer
                self._keep(f"root_history/{name}", newer)
        finally:
            self._keep("root.json", data)
        self._check_date(self.root, ROOT)

    def _follows(self, data: bytes) -> bool:
        try:
            signed = parse(data, ROOT)
            check_quorum(signed, role_of(self.root, ROOT))
        except Exception:  # noqa: BLE001 - a damaged copy is fetched again
            return False
        return signed.version == self.root.version + 1

    def _read_timestamp(self) -> None:
        known = self._trusted(TIMESTAMP)
        data = self._fetch("timestamp.json", _MOST[TIMESTAMP])
        if data is None:
            raise refused("The site has no metadata/timestamp.json.")
        found = parse(data, TIMESTAMP)
        check_quorum(found, role_of(self.root, TIMESTAMP))
        if known is not None:
            if found.version < known.version:
                raise refused("The site is older than what this release has seen: timestamp.json.")
            if found.version == known.version:
                found = known
            if _meta(found, SNAPSHOT)["version"] < _meta(known, SNAPSHOT)["version"]:
                raise refused("The site is older than what this release has seen: snapshot.json.")
        _meta(found, SNAPSHOT)
        self._check_date(found, TIMESTAMP)
        self.timestamp = found
        if found is not known:
            self._keep("timestamp.json", data)

    def _read_snapshot(self) -> None:
        meta, known = _meta(self.timestamp, SNAPSHOT), self._trusted(SNAPSHOT)
        if known is not None and known.version == meta["version"] and self._fits("snapshot.json", meta):
            found = known
        else:
            found = self._fetched(SNAPSHOT, SNAPSHOT, meta, self.root)
            for name, old in known.value["meta"].items() if known is not None else ():
                if _meta(found, name.removesuffix(".json"))["version"] < old["version"]:
                    raise refused(f"The site is older than what this release has seen: {name}.")
        for name in found.value["meta"]:
            _meta(found, str(name).removesuffix(".json"))
        self.snapshot = found
        self._check_date(found, SNAPSHOT)
        if found is not known:
            self._keep("snapshot.json", self._last)

    def _list(self, name: str, delegator: Signed) -> Signed:
        """Return a list of files, by who delegates to it."""
        key = (name, str(delegator.value.get("_type")) + str(id(delegator)))
        if key in self._loaded:
            return self._loaded[key]
        meta, file = _meta(self.snapshot, name), f"{_quoted(name)}.json"
        found = None
        if self._fits(file, meta):
            found = self._valid(file, TARGETS, delegator, name)
        if found is None or found.version != meta["version"]:
            found = self._fetched(name, TARGETS, meta, delegator)
            self._check_date(found, name)
            self._keep(file, self._last)
        self._check_date(found, name)
        self._loaded[key] = found
        return found

    def has_list(self, name: str) -> bool:
        """Return whether the snapshot names a list."""
        return f"{name}.json" in self.snapshot.value["meta"]

    def find(self, path: str) -> LocatedFile | None:
        """Return what is signed of a path by a role that may sign it; `None` if there is none."""
        waiting: list[tuple[str, Signed]] = [(TARGETS, self.root)]
        seen: set[str] = set()
        while waiting and len(seen) <= _MOST_LISTS:
            name, delegator = waiting.pop()
            if name in seen:
                continue
            signed = self._list(name, delegator)
            seen.add(name)
            try:
                if path in signed.value["targets"]:
                    return self._file(path, signed.value["targets"][path])
                inner = []
                for role in (signed.value.get("delegations") or {}).get("roles") or ():
                    if _may_sign(role, path):
                        inner.append((str(role["name"]), signed))
                        if role["terminating"] is True:
                            waiting.clear()
                            break
            except (LookupError, TypeError, AttributeError):
                raise refused(f"The list {name} of the site cannot be read.") from None
            waiting += reversed(inner)
        return None

    def _file(self, path: str, value: Any) -> LocatedFile:
        length, hashes = value["length"], value["hashes"]
        folder, slash, name = path.rpartition("/")
        usable = {str(kind): str(text) for kind, text in hashes.items() if kind in {"sha256", "sha512"}}
        if type(length) is not int or length < 0 or not usable:
            raise TypeError
        first = next(iter(hashes.values()))
        prefix = f"{first}." if self.root.value.get("consistent_snapshot") is True else ""
        return LocatedFile(path, length, usable, f"{folder}{slash}{prefix}{name}")

    # --- bytes -------------------------------------------------------------------------------------------

    def _fetched(self, name: str, kind: str, meta: dict[str, Any], delegator: Signed) -> Signed:
        version = f"{meta['version']}." if self.root.value.get("consistent_snapshot") is True else ""
        file = f"{version}{_quoted(name)}.json"
        data = self._fetch(file, meta.get("length") or _MOST[kind])
        if data is None:
            raise refused(f"The site has no metadata/{file}.")
        if not _has_hashes(data, meta):
            raise refused(f"metadata/{file} is not the file that was signed.")
        found = parse(data, kind)
        check_quorum(found, role_of(delegator, name))
        if found.version != meta["version"]:
            raise refused(f"metadata/{file} is version {found.version}.")
        self._last = data
        return found

    def _trusted(self, kind: str) -> Signed | None:
        """Return what was seen before, if the keys of now have signed it."""
        return self._valid(f"{kind}.json", kind, self.root, kind)

    def _valid(self, file: str, kind: str, delegator: Signed, name: str) -> Signed | None:
        data = self._known(file)
        if data is None:
            return None
        try:
            found = parse(data, kind)
            check_quorum(found, role_of(delegator, name))
        except Exception:  # noqa: BLE001 - what cannot be used is fetched again
            return None
        return found

    def _fits(self, file: str, meta: dict[str, Any]) -> bool:
        data = self._known(file)
        return data is not None and _has_hashes(data, meta)

    def _known(self, file: str) -> bytes | None:
        try:
            with open(os.path.join(self._folder, file), "rb") as stream:
                return stream.read(_MOST[TARGETS])
        except OSError:
            return None

    def _keep(self, file: str, data: bytes) -> None:
        path = os.path.join(self._folder, file)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        beside = f"{path}.{os.getpid()}.part"
        with open(beside, "wb") as stream:
            stream.write(data)
        os.replace(beside, path)

    def _check_date(self, signed: Signed, name: str) -> None:
        if signed.expires <= self._now:
            raise refused(
                f"{name} of the site has expired on {signed.expires}, and the clock says {self._now}. If the "
                "clock is right, the site was not renewed, or somebody serves an old one."
            )


def _meta(signed: Signed, name: str) -> dict[str, Any]:
    try:
        found = signed.value["meta"][f"{name}.json"]
        version, length = found["version"], found.get("length", 1)
        if type(version) is not int or version < 1 or type(length) is not int or length < 1:
            raise TypeError  # noqa: TRY301
        dict(found.get("hashes") or {})
    except (LookupError, TypeError, AttributeError, ValueError):
        raise refused(f"{signed.kind} of the site does not name {name}.json.") from None
    return dict(found)


def _has_hashes(data: bytes, meta: dict[str, Any]) -> bool:
    if meta.get("length") not in {None, len(data)}:
        return False
    hashes = meta.get("hashes") or {}
    return all(
        name in {"sha256", "sha512"} and algorithm(name)(data).hexdigest() == text
        for name, text in hashes.items()
    )


def _may_sign(role: dict[str, Any], path: str) -> bool:
    """Return whether a delegation is for a path; ``*`` does not match ``/``."""
    prefixes = role.get("path_hash_prefixes")
    if prefixes is not None:
        digest = algorithm("sha256")(path.encode()).hexdigest()
        return any(digest.startswith(text) for text in prefixes)
    parts = path.split("/")
    for pattern in role["paths"]:
        wanted = pattern.split("/")
        if len(wanted) == len(parts) and all(map(fnmatch.fnmatchcase, parts, wanted)):
            return True
    return False

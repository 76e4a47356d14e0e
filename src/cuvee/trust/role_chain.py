"""The links from a root to the list of a release: who may sign, and who has. Pure: bytes in, links out."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cuvee.errors import IntegrityError
from cuvee.report.human_units import plural
from cuvee.trust.chain_links import ChainWalk
from cuvee.trust.site_metadata import SignedFile, files_of, key_title, published_at, serialized
from cuvee.trust.site_roles import ROOT, SITE, SNAPSHOT, TARGETS, TIMESTAMP, TRACKS
from cuvee.trust.trusted_roots import parse, trusted_roots, verified

if TYPE_CHECKING:
    from tuf.api.metadata import Metadata

ROOT_FILE = re.compile(r"([1-9][0-9]*)\.root\.json")
_TOLERANCE = dt.timedelta(days=1)
_NEWER = "If the clock is right, get the newest one, or name with --at the day for which you want to know it."


@dataclass(slots=True, kw_only=True)
class RoleChain:
    """The roles that hold, from the root on.

    Attributes
    ----------
    metadata
        Files of ``metadata/`` by name, from whoever hands them over.
    now
        The time for which it is asked.
    fresh
        Whether the timestamp, the snapshot and ``site`` must not have expired: of a site, but not of a
        bundle, which is what a site was when it was published.
    roles
        What was verified, by name.
    used
        The files of which each byte was verified.
    """

    walk: ChainWalk
    metadata: Mapping[str, bytes]
    now: dt.datetime
    fresh: bool
    roles: "dict[str, Metadata[Any]]" = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def begin(self, root: bytes) -> None:
        """Walk from the root that the reader has to ``targets`` and ``site``."""
        self._root(root)
        self._timestamp()
        self._listed(SNAPSHOT, self.roles[ROOT].signed, 1, expires=self.fresh)
        self._listed(TARGETS, self.roles[ROOT].signed, 1)
        self._listed(SITE, self.roles[TARGETS].signed, 2, expires=self.fresh)

    def track(self, track: str) -> None:
        """Walk to a track."""
        if track not in self.roles:
            self._listed(track, self.roles[TARGETS].signed, 2, name=f"track {track}")

    def release(self, track: str, release: str) -> None:
        """Walk to the list of a release of a track."""
        self.track(track)
        if release not in self.roles:
            self._listed(release, self.roles[track].signed, 3)

    def files(self, role: str) -> dict[str, SignedFile]:
        """Return what a role has signed."""
        return files_of(self.roles[role].signed)

    @property
    def tracks(self) -> tuple[str, ...]:
        """The tracks of which there are lists."""
        meta = self.roles[SNAPSHOT].signed.meta
        return tuple(track for track in reversed(TRACKS) if f"{track}.json" in meta)

    def releases(self, track: str) -> tuple[str, ...]:
        """Return the releases of a track that was walked to."""
        delegations = self.roles[track].signed.delegations
        return tuple(delegations.roles or ()) if delegations is not None else ()

    def _root(self, given: bytes) -> None:
        with self.walk.link(ROOT, 0) as note:
            mine = parse(given, ROOT).signed.version
            versions = sorted(int(match[1]) for name in self.metadata if (match := ROOT_FILE.fullmatch(name)))
            if not versions:
                raise IntegrityError("There is no root in it", hint="Is it what `cuvee publish` wrote?")
            if mine > versions[-1]:
                raise IntegrityError(
                    f"Your root is version {mine}, and this has only version {versions[-1]}",
                    hint="It is older than your root: get a newer one.",
                )
            there = {version: self.metadata[f"{version}.root.json"] for version in versions}
            if there.get(mine, given) != given:
                raise IntegrityError(
                    f"Version {mine} of its root is not the root that you gave",
                    hint="It is the metadata of another distribution, or somebody changed it.",
                )
            roots = trusted_roots(tuple(data for _, data in sorted({mine: given, **there}.items())))
            before = roots.parsed[0]
            for data, item in zip(roots.data, roots.parsed, strict=True):
                name = f"{item.signed.version}.root.json"
                _check_form(item, data, name, {**before.signed.keys, **item.signed.keys})
                self.used.add(name)
                before = item
            newest = self.roles[ROOT] = roots.newest
            self._check_date(newest, ROOT)
            after = f", and {newest.signed.version} follows from it" if newest.signed.version > mine else ""
            note.text = f"version {mine} is yours{after}; {_until(newest)}"
            note.signers = self._signers(newest, newest.signed, ROOT)

    def _timestamp(self) -> None:
        with self.walk.link(TIMESTAMP, 1) as note:
            name, root = f"{TIMESTAMP}.json", self.roles[ROOT].signed
            data = self.metadata.get(name)
            if data is None:
                raise IntegrityError(f"metadata/{name} is missing", hint=_AGAIN)
            found = self.roles[TIMESTAMP] = verified(data, TIMESTAMP, root)
            _check_form(found, data, name, {i: root.keys[i] for i in root.roles[TIMESTAMP].keyids})
            self.used.add(name)
            when = published_at(found.signed.unrecognized_fields)
            if when is not None and self.now < when - _TOLERANCE:
                now = f"{self.now:%Y-%m-%d %H:%M}"
                raise IntegrityError(
                    f"It was published at {when:%Y-%m-%d %H:%M} UTC, and this machine's clock says {now}",
                    hint="Set the clock: with a wrong one, old metadata cannot be told from new.",
                )
            if self.fresh:
                self._check_date(found, TIMESTAMP)
            note.text = f"version {found.signed.version}"
            note.text += f", published {when:%Y-%m-%d %H:%M} UTC" if when is not None else ""
            note.signers = self._signers(found, root, TIMESTAMP)

    def _listed(self, role: str, delegator: Any, depth: int, *, name: str = "", expires: bool = True) -> None:
        with self.walk.link(name or role, depth) as note:
            meta = self._meta(role)
            file = f"{meta.version}.{role}.json"
            data = self.metadata.get(file)
            if data is None:
                raise IntegrityError(f"metadata/{file} is missing", hint=_AGAIN)
            _check_hash(meta, data, file)
            found = self.roles[role] = verified(data, role, delegator)
            if found.signed.version != meta.version:
                raise IntegrityError(f"metadata/{file} is version {found.signed.version}", hint=_AGAIN)
            self.used.add(file)
            if expires:
                self._check_date(found, role)
            count = len(getattr(found.signed, "targets", ()))
            files = f", {plural(count, 'file')}" if count else ""
            note.text = f"version {found.signed.version}{files}; {_until(found)}"
            note.signers = self._signers(found, delegator, role)

    def _meta(self, role: str) -> Any:
        if role == SNAPSHOT:
            return self.roles[TIMESTAMP].signed.snapshot_meta
        meta = self.roles[SNAPSHOT].signed.meta.get(f"{role}.json")
        if meta is None:
            raise IntegrityError(f"The snapshot does not name {role}", hint="Is it published?")
        return meta

    def _check_date(self, found: "Metadata[Any]", role: str) -> None:
        if found.signed.expires <= self.now:
            raise IntegrityError(
                f"What {role} has signed expired on {found.signed.expires:%Y-%m-%d}, and this machine's "
                f"clock says {self.now:%Y-%m-%d}",
                hint=_NEWER,
            )

    def _signers(self, found: "Metadata[Any]", delegator: Any, role: str) -> tuple[str, ...]:
        result = delegator.get_verification_result(role, found.signed_bytes, found.signatures)
        return tuple(sorted(key_title(key) for key in result.signed.values()))


def _until(found: "Metadata[Any]") -> str:
    return f"until {found.signed.expires:%Y-%m-%d}"


def _check_hash(meta: Any, data: bytes, file: str) -> None:
    from tuf.api.exceptions import LengthOrHashMismatchError

    try:
        meta.verify_length_and_hashes(data)
    except LengthOrHashMismatchError as error:
        raise IntegrityError(
            f"metadata/{file} is not the file that was signed: {error}", hint=_AGAIN
        ) from error


def _check_form(found: "Metadata[Any]", data: bytes, file: str, keys: Mapping[str, Any]) -> None:
    """Raise unless each byte of a file is as cuvee writes it, and each signature in it holds.

    Nothing has the hash of these files, so a signature beyond the quorum could be changed in them.
    """
    from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError

    if serialized(found) != data:
        raise IntegrityError(f"metadata/{file} is not in the form that cuvee writes", hint=_AGAIN)
    for keyid, signature in found.signatures.items():
        problem = f"metadata/{file} has a signature that does not hold, by {keyid[:12]}"
        if keyid not in keys or signature.signature != signature.signature.lower():
            raise IntegrityError(problem, hint=_AGAIN)
        try:
            keys[keyid].verify_signature(signature, found.signed_bytes)
        except (UnverifiedSignatureError, VerificationError) as error:
            raise IntegrityError(problem, hint=_AGAIN) from error


_AGAIN = "It was changed, or copied incompletely. Get it again from where it was published."

"""The metadata of a site: what was signed before, and what is to be signed now. Bytes in, bytes out."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cuvee.conda.printable_text import printable
from cuvee.errors import IntegrityError, UsageError
from cuvee.trust.checked_signatures import add_signature
from cuvee.trust.site_roles import (
    ROOT,
    SITE,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
    check_path,
    lifetime,
    paths_of_release,
    short,
)
from cuvee.trust.trusted_roots import Roots, parse, verified

if TYPE_CHECKING:
    from securesystemslib.signer import Key, Signer
    from tuf.api.metadata import DelegatedRole, Metadata, Targets

PUBLISHED = "x-cuvee-published"
"""A field of the timestamp: when the site was published, by which readers notice a wrong clock."""

Read = Callable[[str], bytes | None]
"""Returns a file of ``metadata/`` by its name; `None` if there is none."""

Signers = Mapping[str, "Signer"]
"""Signers by the id of their key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedFile:
    """What is signed of a file."""

    length: int
    sha256: str


Files = Mapping[str, SignedFile]
"""By path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a site has signed until now, of which all signatures hold; it may be expired.

    Attributes
    ----------
    roles
        ``targets``, ``site``, tracks and releases, by name.
    """

    timestamp: "Metadata[Any]"
    snapshot: "Metadata[Any]"
    roles: "Mapping[str, Metadata[Targets]]"

    def files(self, role: str) -> dict[str, SignedFile]:
        """Return what a role has signed; nothing if there is no such role."""
        found = self.roles.get(role)
        return {} if found is None else files_of(found.signed)

    @property
    def releases(self) -> dict[str, tuple[str, ...]]:
        """The releases of each track."""
        return {
            track: tuple(found.signed.delegations.roles)
            for track, found in self.roles.items()
            if found.signed.delegations is not None and found.signed.delegations.roles and track != TARGETS
        }

    @property
    def when(self) -> dt.datetime | None:
        """When it was published."""
        return published_at(self.timestamp.signed.unrecognized_fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFiles:
    """What is to be signed: all of ``site``, and of each track its index and the releases that are new."""

    site: Files
    indexes: Mapping[str, Files] = field(default_factory=dict)
    releases: Mapping[str, Mapping[str, Files]] = field(default_factory=dict)


def published_at(fields: Mapping[str, Any]) -> dt.datetime | None:
    """Return when a timestamp says that its site was published."""
    try:
        found = dt.datetime.fromisoformat(fields[PUBLISHED])
    except (KeyError, TypeError, ValueError):
        return None
    return found if found.tzinfo else None


def read_published(read: Read, roots: Roots) -> Published | None:
    """Return what a site has signed; `None` if it has signed nothing yet.

    Raises
    ------
    IntegrityError
        If a file is missing, damaged, or not signed by those who may sign it.
    """
    data = read(f"{TIMESTAMP}.json")
    if data is None:
        return None
    root = roots.of_site(read)
    timestamp = verified(data, TIMESTAMP, root.signed)
    name = f"{timestamp.signed.snapshot_meta.version}.{SNAPSHOT}.json"
    snapshot = verified(_named(read, name, timestamp.signed.snapshot_meta), SNAPSHOT, root.signed)
    roles: dict[str, Metadata[Targets]] = {}

    def add(role: str, delegator: Any) -> "Metadata[Targets]":
        meta = snapshot.signed.meta.get(f"{role}.json")
        if meta is None:
            raise IntegrityError(f"{name} does not name {role}.json", hint=_RESTORE)
        roles[role] = verified(_named(read, f"{meta.version}.{role}.json", meta), role, delegator)
        return roles[role]

    pending = [TARGETS]
    delegators: dict[str, Any] = {TARGETS: root.signed}
    while pending:
        role = pending.pop()
        found = add(role, delegators[role])
        for inner in _delegated(found.signed):
            if f"{inner}.json" in snapshot.signed.meta and inner not in roles:
                delegators[inner] = found.signed
                pending.append(inner)
    return Published(timestamp=timestamp, snapshot=snapshot, roles=roles)


_RESTORE = "Restore the folder metadata of the site from a copy, or publish to an empty folder."


def _delegated(targets: "Targets") -> tuple[str, ...]:
    return tuple(targets.delegations.roles or ()) if targets.delegations is not None else ()


def _named(read: Read, name: str, meta: Any) -> bytes:
    data = read(name)
    if data is None:
        raise IntegrityError(f"metadata/{name} is missing", hint=_RESTORE)
    from tuf.api.exceptions import LengthOrHashMismatchError

    try:
        meta.verify_length_and_hashes(data)
    except LengthOrHashMismatchError as error:
        raise IntegrityError(f"metadata/{name} is not what was signed: {error}", hint=_RESTORE) from error
    return data


def files_of(targets: "Targets") -> dict[str, SignedFile]:
    """Return what a list has signed, by path."""
    return {
        path: SignedFile(length=item.length, sha256=item.hashes["sha256"])
        for path, item in targets.targets.items()
    }


@dataclass(slots=True)
class _Signing:
    """Signs roles that have changed, whose keys have changed, or of whose lifetime half is over."""

    now: dt.datetime
    signers: Signers
    before: Published | None
    written: dict[str, bytes] = field(default_factory=dict)
    current: dict[str, "Metadata[Any]"] = field(default_factory=dict)

    def sign(self, role: str, signed: Any, delegator: Any, *, life: dt.timedelta, old: Any) -> None:
        """Make a role's metadata current: the old one, or a new version of it."""
        from tuf.api.metadata import Metadata

        delegated = delegator.get_delegated_role(role)
        if old is not None and self._is_good(old, signed, role, delegator, life):
            self.current[role] = old
            return
        signed.version = old.signed.version + 1 if old is not None else 1
        signed.expires = self.now + life
        made: Metadata[Any] = Metadata(signed)
        for keyid in delegated.keyids:
            if keyid in self.signers:
                add_signature(made, self.signers[keyid])
        _check_quorum(role, made, delegated, delegator)
        self.current[role] = made
        name = f"{role}.json" if role == TIMESTAMP else f"{signed.version}.{role}.json"
        self.written[name] = serialized(made)

    def _is_good(self, old: Any, signed: Any, role: str, delegator: Any, life: dt.timedelta) -> bool:
        """Whether what was signed before says the same, still holds, and is not due for renewal."""
        from tuf.api.exceptions import RepositoryError

        try:
            delegator.verify_delegate(role, old.signed_bytes, old.signatures)
        except (RepositoryError, ValueError):
            return False
        if not old.signatures.keys() <= {*delegator.get_delegated_role(role).keyids}:
            return False  # of a key that was taken away
        return _content(old.signed) == _content(signed) and old.signed.expires - self.now > life / 2


def _content(signed: Any) -> dict[str, Any]:
    found: dict[str, Any] = signed.to_dict()
    return {name: value for name, value in found.items() if name not in {"version", "expires", PUBLISHED}}


def _check_quorum(role: str, made: Any, delegated: Any, delegator: Any) -> None:
    if len(made.signatures) >= delegated.threshold:
        return
    missing = [item for item in delegated.keyids if item not in made.signatures]
    names = ", ".join(name_of(delegator, keyid) for keyid in sorted(missing))
    raise UsageError(
        f"{role} needs {delegated.threshold} of {len(delegated.keyids)} signatures, and has "
        f"{len(made.signatures)}; nothing was published",
        hint=f"Name more of its keys with --key: {names}.",
    )


def name_of(delegator: Any, keyid: str) -> str:
    """Return how people call a key: its name, if the metadata has one, and the beginning of its id."""
    keys = delegator.keys if hasattr(delegator, "keys") else delegator.delegations.keys
    return key_name(keys[keyid]) if keyid in keys else short(keyid)


def key_name(key: "Key") -> str:
    """Return how people call a key."""
    name = key.unrecognized_fields.get(KEY_NAME)
    return f"{printable(name)} ({short(key.keyid)})" if isinstance(name, str) else short(key.keyid)


def key_title(key: "Key") -> str:
    """Return whose key it is, with the organisation that they stand for: ``Ada Lovelace (acme)``."""
    name, organisation = (key.unrecognized_fields.get(field) for field in (KEY_NAME, KEY_ORGANISATION))
    if not isinstance(name, str):
        return f"key {short(key.keyid)}"
    whose = organisation if isinstance(organisation, str) else short(key.keyid)
    return f"{printable(name)} ({printable(whose)})"


KEY_NAME, KEY_ORGANISATION = "x-cuvee-name", "x-cuvee-organisation"
"""Fields of a key: what people call its owner, and the organisation that they stand for."""


def serialized(metadata: "Metadata[Any]") -> bytes:
    """Return metadata as it is written: JSON without blanks, with sorted keys."""
    from tuf.api.serialization.json import JSONSerializer

    return metadata.to_bytes(JSONSerializer(compact=True))


def next_metadata(
    before: Published | None,
    new: NewFiles,
    roots: Roots,
    targets: "Metadata[Targets]",
    *,
    signers: Signers,
    now: dt.datetime,
) -> dict[str, bytes]:
    """Return the files to be written into ``metadata/``, ``timestamp.json`` last; none if all is up to date.

    Parameters
    ----------
    roots
        All versions of the root; those that the site lacks are among the files.
    targets
        What its quorum has signed: who may sign each track, and ``site``.
    signers
        Those of the keys that are at hand, by key id.

    Raises
    ------
    UsageError
        If a role needs more signatures than the signers give, or a track has no role.
    """
    now = now.astimezone(dt.UTC).replace(microsecond=0)
    _check_clock(before, now)
    _check_dates((ROOT, roots.newest), (TARGETS, targets), now=now)
    signing = _Signing(now=now, signers=signers, before=before)
    signing.current[TARGETS] = targets
    old = before.roles if before is not None else {}
    _check_targets(targets, old.get(TARGETS))
    life = lifetime(SITE)
    signing.sign(SITE, _targets_of(new.site), targets.signed, life=life, old=old.get(SITE))
    known = before.releases if before is not None else {}
    for track in sorted({*known, *new.indexes, *new.releases}):
        _sign_track(track, signing, new, targets, before)
    _sign_top(signing, roots.newest.signed, before, now)
    files = dict(roots.files())
    if signing.written or before is None:
        files[f"{targets.signed.version}.{TARGETS}.json"] = serialized(targets)
    last = signing.written.pop(f"{TIMESTAMP}.json", None)
    files |= signing.written
    return files if last is None else {**files, f"{TIMESTAMP}.json": last}


def _check_clock(before: Published | None, now: dt.datetime) -> None:
    when = None if before is None else before.when
    if when is not None and now < when:
        raise UsageError(
            f"This machine's clock says {now:%Y-%m-%d %H:%M}, and the site was published at "
            f"{when:%Y-%m-%d %H:%M} UTC; nothing was published",
            hint="Set the clock.",
        )


def _check_dates(*signed: "tuple[str, Metadata[Any]]", now: dt.datetime) -> None:
    """Raise if the trust folder has expired: readers would believe nothing that it signs."""
    for role, item in signed:
        if item.signed.expires <= now:
            raise UsageError(
                f"What {role} has signed in the trust folder expired on {item.signed.expires:%Y-%m-%d}, and "
                f"this machine's clock says {now:%Y-%m-%d}; nothing was published",
                hint="If the clock is right, renew it: `cuvee keys rotate TRUST`, and let its quorum sign.",
            )


def _check_targets(targets: "Metadata[Targets]", old: "Metadata[Targets] | None") -> None:
    if old is not None and targets.signed.version < old.signed.version:
        raise UsageError(
            f"The trust folder has version {targets.signed.version} of {TARGETS}, and the site has "
            f"{old.signed.version}",
            hint="Use the newest trust folder.",
        )


def role_signers(targets: "Metadata[Targets]", role: str, signers: Signers) -> "tuple[Signer, ...]":
    """Return those of the signers that may sign a role, in the order of its keys."""
    delegations = targets.signed.delegations
    found = (delegations.roles or {}).get(role) if delegations is not None else None
    return tuple(signers[keyid] for keyid in found.keyids if keyid in signers) if found is not None else ()


def _targets_of(files: Files) -> "Targets":
    from tuf.api.metadata import TargetFile, Targets

    for path in files:
        check_path(path)
    return Targets(
        targets={
            path: TargetFile(item.length, {"sha256": item.sha256}, path)
            for path, item in sorted(files.items())
        }
    )


def _sign_track(
    track: str, signing: _Signing, new: NewFiles, targets: "Metadata[Targets]", before: Published | None
) -> None:
    from tuf.api.metadata import DelegatedRole, Delegations

    delegations = targets.signed.delegations
    role = (delegations.roles or {}).get(track) if delegations is not None else None
    if delegations is None or role is None:
        raise UsageError(
            f"The trust folder says nothing of the track {track}",
            hint=f"`cuvee keys begin` takes `--role {track}=...`.",
        )
    old = before.roles if before is not None else {}
    known = before.releases.get(track, ()) if before is not None else ()
    added = new.releases.get(track, {})
    index = new.indexes.get(track) or (before.files(track) if before is not None else {})
    signed = _targets_of(index)
    names = sorted({*known, *added})
    roles = {
        name: DelegatedRole(
            name, list(role.keyids), role.threshold, terminating=True, paths=paths_of_release(track, name)
        )
        for name in names
    }
    signed.delegations = Delegations(_keys(role, delegations.keys), roles)
    for name in names:
        files = added.get(name) or (before.files(name) if before is not None else {})
        signing.sign(name, _targets_of(files), signed, life=lifetime(track), old=old.get(name))
    signing.sign(track, signed, targets.signed, life=lifetime(track), old=old.get(track))


def _keys(role: "DelegatedRole", keys: "Mapping[str, Key]") -> "dict[str, Key]":
    return {keyid: keys[keyid] for keyid in role.keyids}


def _sign_top(signing: _Signing, root: Any, before: Published | None, now: dt.datetime) -> None:
    from tuf.api.metadata import MetaFile, Snapshot, Timestamp

    def described(metadata: Any) -> "MetaFile":
        data = serialized(metadata)
        return MetaFile.from_data(metadata.signed.version, data, ["sha256"])

    meta = {f"{role}.json": described(item) for role, item in sorted(signing.current.items())}
    old_snapshot, old_timestamp = (before.snapshot, before.timestamp) if before is not None else (None, None)
    signing.sign(SNAPSHOT, Snapshot(meta=meta), root, life=lifetime(SNAPSHOT), old=old_snapshot)
    timestamp = Timestamp(
        snapshot_meta=described(signing.current[SNAPSHOT]),
        unrecognized_fields={PUBLISHED: now.isoformat()},
    )
    signing.sign(TIMESTAMP, timestamp, root, life=lifetime(TIMESTAMP), old=old_timestamp)


def signed_files(paths: Iterable[tuple[str, bytes]]) -> dict[str, SignedFile]:
    """Return what is to be signed of contents, by path."""
    from cuvee.files import sha256_bytes

    return {path: SignedFile(length=len(data), sha256=sha256_bytes(data)) for path, data in paths}


def parsed_targets(data: bytes) -> "Metadata[Targets]":
    """Return metadata of ``targets``; who has signed it is not checked here."""
    return parse(data, TARGETS)

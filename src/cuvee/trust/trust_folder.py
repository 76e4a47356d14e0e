"""The root ceremony: who may sign what, agreed by people who need not meet.

A trust folder has ``1.root.json``, ``2.root.json`` and so on, and ``targets.json``. A new version is written
without signatures; then everybody adds theirs, on their own machine, to the folder or to a copy of it. The
functions take the files of a folder by name, and return those that are new.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cuvee.errors import IntegrityError, UsageError
from cuvee.trust.checked_signatures import add_signature
from cuvee.trust.site_metadata import KEY_NAME, KEY_ORGANISATION, name_of, parsed_targets, serialized
from cuvee.trust.site_roles import (
    ROLES,
    ROOT,
    SITE,
    TARGETS,
    TOP_ROLES,
    TRACKS,
    check_distinct,
    lifetime,
    paths_of_site,
    paths_of_track,
)
from cuvee.trust.trusted_roots import Roots, parse, trusted_roots

if TYPE_CHECKING:
    from securesystemslib.signer import Key, Signer
    from tuf.api.metadata import Metadata, Root, Targets

TARGETS_FILE = f"{TARGETS}.json"
_ROOT_FILE = re.compile(r"([1-9][0-9]{0,8})\.root\.json")
Files = Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleKeys:
    """The keys of a role, and how many of them must sign."""

    threshold: int
    keys: "tuple[Key, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A file that lacks signatures.

    Attributes
    ----------
    quorum
        Whose quorum: ``root``, ``targets``, or ``the root before``.
    missing
        Keys that have not signed; ``needed`` more of them must.
    """

    name: str
    quorum: str
    needed: int
    missing: tuple[str, ...]


def is_trust_file(name: str) -> bool:
    """Whether a file name is one of a trust folder."""
    return name == TARGETS_FILE or _ROOT_FILE.fullmatch(name) is not None


def begin(roles: Mapping[str, RoleKeys], now: dt.datetime) -> dict[str, bytes]:
    """Return the first root and the first targets, without signatures.

    Raises
    ------
    UsageError
        If a role is unknown or missing, or cannot reach its threshold.
    """
    unknown = sorted(set(roles) - set(ROLES))
    missing = [role for role in (*TOP_ROLES, SITE) if role not in roles]
    if unknown or missing or not set(TRACKS) & set(roles):
        what = f"Unknown roles: {', '.join(unknown)}" if unknown else f"No keys for {', '.join(missing)}"
        if not unknown and not missing:
            what = "No keys for a track"
        raise UsageError(what, hint=f"The roles are {', '.join(ROLES)}; of the tracks one is enough.")
    for role, given in roles.items():
        _check_role(role, given)
    return _written(_new_root(roles, 1, now), _new_targets(roles, 1, now))


def _check_role(role: str, given: RoleKeys) -> None:
    try:
        check_distinct(role, given.keys)
    except IntegrityError as error:
        raise UsageError(error.message, hint=error.hint) from error
    ids = {key.keyid for key in given.keys}
    if len(ids) != len(given.keys):
        raise UsageError(f"The role {role} names a key twice", hint="Give each key once.")
    if not 1 <= given.threshold <= len(ids):
        raise UsageError(
            f"The role {role} has {len(ids)} keys, of which {given.threshold} must sign",
            hint="At least one must sign, and no more than there are.",
        )


def _new_root(roles: Mapping[str, RoleKeys], version: int, now: dt.datetime) -> "Root":
    from tuf.api.metadata import Role, Root

    root = Root(
        version=version,
        expires=now.replace(microsecond=0) + lifetime(ROOT),
        roles={role: Role([], roles[role].threshold) for role in TOP_ROLES},
        consistent_snapshot=True,
    )
    for role in TOP_ROLES:
        for key in roles[role].keys:
            root.add_key(key, role)
    return root


def _new_targets(roles: Mapping[str, RoleKeys], version: int, now: dt.datetime) -> "Targets":
    from tuf.api.metadata import DelegatedRole, Delegations, Targets

    named = [role for role in (*reversed(TRACKS), SITE) if role in roles]
    delegations = Delegations(
        {key.keyid: key for role in named for key in roles[role].keys},
        {
            role: DelegatedRole(
                role,
                [key.keyid for key in roles[role].keys],
                roles[role].threshold,
                terminating=True,
                paths=paths_of_site() if role == SITE else paths_of_track(role),
            )
            for role in named
        },
    )
    expires = now.replace(microsecond=0) + lifetime(TARGETS)
    return Targets(version=version, expires=expires, delegations=delegations)


def _written(root: "Root", targets: "Targets") -> dict[str, bytes]:
    from tuf.api.metadata import Metadata

    return {
        f"{root.version}.{ROOT}.json": serialized(Metadata(root)),
        TARGETS_FILE: serialized(Metadata(targets)),
    }


def roles_of(files: Files) -> dict[str, RoleKeys]:
    """Return the roles of the newest version, with their keys."""
    root, targets = _newest(files)
    found = {
        name: RoleKeys(threshold=role.threshold, keys=tuple(root.signed.keys[i] for i in role.keyids))
        for name, role in root.signed.roles.items()
        if role.keyids
    }
    delegations = targets.signed.delegations
    if delegations is not None:
        for name, delegated in (delegations.roles or {}).items():
            keys = tuple(delegations.keys[i] for i in delegated.keyids)
            found[name] = RoleKeys(threshold=delegated.threshold, keys=keys)
    return found


def renewed(
    files: Files, now: dt.datetime, *, old: "Key | None" = None, new: "Key | None" = None
) -> dict[str, bytes]:
    """Return the next version of a folder, without signatures.

    Parameters
    ----------
    old
        A key that no role has any more; `None` to renew the dates only.
    new
        The key in whose place it comes.

    Raises
    ------
    UsageError
        If no role has the old key, the new one is there already, or a role would lack keys.
    """
    root, targets = _newest(files)
    if pending(files):
        raise UsageError(
            "The newest version is not signed by its quorum yet",
            hint="Sign it first, or remove it: `cuvee keys sign`.",
        )
    roles = roles_of(files)
    if old is not None:
        roles = {name: _replaced(name, role, old, new) for name, role in roles.items()}
        if roles == roles_of(files):
            raise UsageError("No role has this key", hint="`cuvee keys roles` lists them.")
    for name, role in roles.items():
        _check_role(name, role)
    new_root = _new_root(roles, root.signed.version + 1, now)
    return _written(new_root, _new_targets(roles, targets.signed.version + 1, now))


def _replaced(name: str, role: RoleKeys, old: "Key", new: "Key | None") -> RoleKeys:
    keys = tuple(key for key in role.keys if key.keyid != old.keyid)
    if keys == role.keys:
        return role
    if new is not None:
        keys += (new,)
    if len(keys) < role.threshold:
        raise UsageError(
            f"{name} needs {role.threshold} signatures, and would have {len(keys)} keys",
            hint="Replace the key instead: `cuvee keys rotate`.",
        )
    return RoleKeys(threshold=role.threshold, keys=keys)


def _versions(files: Files) -> list[int]:
    found = [_ROOT_FILE.fullmatch(name) for name in files]
    return sorted(int(match[1]) for match in found if match is not None)


def _newest(files: Files) -> "tuple[Metadata[Root], Metadata[Targets]]":
    versions = _versions(files)
    if not versions or TARGETS_FILE not in files:
        raise UsageError(
            "This is not a trust folder: it has no root or no targets.json", hint="Run `cuvee keys begin`."
        )
    return parse(files[f"{versions[-1]}.{ROOT}.json"], ROOT), parsed_targets(files[TARGETS_FILE])


def signed_by(files: Files, signer: "Signer") -> dict[str, bytes]:
    """Return the files that a key has to sign, with its signature.

    Raises
    ------
    UsageError
        If it has nothing to sign, does not sign, or is another key.
    """
    written = {}
    for name, metadata, delegators in _open_files(files):
        may = any(
            signer.public_key.keyid in delegator.get_delegated_role(role).keyids
            for role, delegator, _ in delegators
        )
        if may and signer.public_key.keyid not in metadata.signatures:
            add_signature(metadata, signer)
            written[name] = serialized(metadata)
    if not written:
        raise UsageError(
            "This key has nothing to sign here: it has no part in the newest version, or has signed it",
            hint="`cuvee keys roles` says who may sign what.",
        )
    return written


def _open_files(files: Files) -> "list[tuple[str, Metadata[Any], list[tuple[str, Any, str]]]]":
    """Return the newest root and targets, each with whose quorums it needs."""
    root, targets = _newest(files)
    quorums = [(ROOT, root.signed, ROOT)]
    before = files.get(f"{root.signed.version - 1}.{ROOT}.json")
    if before is not None:
        quorums.insert(0, (ROOT, parse(before, ROOT).signed, "the root before"))
    return [
        (f"{root.signed.version}.{ROOT}.json", root, quorums),
        (TARGETS_FILE, targets, [(TARGETS, root.signed, TARGETS)]),
    ]


def pending(files: Files) -> tuple[Pending, ...]:
    """Return what lacks signatures, and whose."""
    found = []
    for name, metadata, quorums in _open_files(files):
        for role, delegator, quorum in quorums:
            result = delegator.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
            if not result.verified:
                found.append(
                    Pending(
                        name=name,
                        quorum=quorum,
                        needed=result.threshold - len(result.signed),
                        missing=tuple(sorted(name_of(delegator, keyid) for keyid in result.unsigned)),
                    )
                )
    return tuple(found)


def merged(files: Files, others: Iterable[Files]) -> dict[str, bytes]:
    """Return the files of a folder with the signatures of its copies that hold.

    Raises
    ------
    IntegrityError
        If a copy has another file of the same name.
    """
    written, copies = {}, tuple(others)
    for name, metadata, quorums in _open_files(files):
        before = dict(metadata.signatures)
        for other in copies:
            if name not in other:
                continue
            found = parse(other[name], ROOT if name != TARGETS_FILE else TARGETS)
            if found.signed_bytes != metadata.signed_bytes:
                raise IntegrityError(
                    f"{name} of the copy says something else", hint="Merge only copies of this folder."
                )
            for role, delegator, _ in quorums:
                result = delegator.get_verification_result(role, found.signed_bytes, found.signatures)
                metadata.signatures.update(
                    (keyid, found.signatures[keyid]) for keyid in result.signed if keyid not in before
                )
        if metadata.signatures != before:
            written[name] = serialized(metadata)
    return written


def complete(files: Files) -> "tuple[Roots, Metadata[Targets]]":
    """Return the roots and the targets of a folder, if all quorums have signed.

    Raises
    ------
    UsageError
        If signatures are missing; the message names the keys.
    IntegrityError
        If a file is damaged.
    """
    open_ = pending(files)
    if open_:
        lines = [
            f"  {item.name}, by {item.quorum}: {item.needed} of {', '.join(item.missing)}" for item in open_
        ]
        raise UsageError(
            "Signatures are missing in the trust folder:\n" + "\n".join(lines),
            hint="`cuvee keys sign` adds one.",
        )
    roots = trusted_roots(tuple(files[f"{version}.{ROOT}.json"] for version in _versions(files)))
    return roots, parsed_targets(files[TARGETS_FILE])


def named_key(key: "Key", name: str, organisation: str = "") -> "Key":
    """Return a key with what people call its owner, and the organisation that they stand for."""
    key.unrecognized_fields[KEY_NAME] = name
    if organisation:
        key.unrecognized_fields[KEY_ORGANISATION] = organisation
    return key

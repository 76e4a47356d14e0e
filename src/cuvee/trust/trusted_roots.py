"""The versions of a root, each signed by the quorum of the one before and by its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cuvee.errors import IntegrityError
from cuvee.files import parse_json
from cuvee.trust.site_roles import ROOT, check_distinct

if TYPE_CHECKING:
    from tuf.api.metadata import Metadata, Root

_OTHER = "Is it the metadata of another distribution? Compare the trust folder with the site."


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """The versions of a root that are signed, from the first on, as bytes and as they are read."""

    data: tuple[bytes, ...]
    parsed: "tuple[Metadata[Root], ...]"

    @property
    def newest(self) -> "Metadata[Root]":
        """The one that says who may sign now."""
        return self.parsed[-1]

    def files(self) -> Mapping[str, bytes]:
        """Return the files of ``metadata/`` that they are."""
        return {
            f"{item.signed.version}.{ROOT}.json": data
            for data, item in zip(self.data, self.parsed, strict=True)
        }

    def of_site(self, read: Callable[[str], bytes | None]) -> "Metadata[Root]":
        """Return the newest version that a site has, which must be one of these.

        Raises
        ------
        IntegrityError
            If the site has another root.
        """
        found = None
        for data, item in zip(self.data, self.parsed, strict=True):
            name = f"{item.signed.version}.{ROOT}.json"
            there = read(name)
            if there is None:
                break
            if there != data:
                raise IntegrityError(
                    f"metadata/{name} of the site is not that of the trust folder", hint=_OTHER
                )
            found = item
        if found is None:
            first = f"{self.parsed[0].signed.version}.{ROOT}.json"
            raise IntegrityError(f"metadata/{first} is missing in the site", hint=_OTHER)
        if read(f"{found.signed.version + 1}.{ROOT}.json") is not None:
            raise IntegrityError(
                f"The site has version {found.signed.version + 1} of the root, and the trust folder has not",
                hint="Use the newest trust folder.",
            )
        return found


def trusted_roots(data: tuple[bytes, ...]) -> Roots:
    """Return the versions of a root, verified: the first by itself, each other by the one before, too.

    Raises
    ------
    IntegrityError
        If one is damaged, skipped, or lacks signatures.
    """
    parsed: list[Metadata[Root]] = []
    for item in data:
        found: Metadata[Root] = parse(item, ROOT)
        if parsed:
            before = parsed[-1].signed
            if found.signed.version != before.version + 1:
                raise IntegrityError(
                    f"Version {found.signed.version} of the root follows version {before.version}",
                    hint="Each version must be there.",
                )
            _verify(found, ROOT, before)
        _verify(found, ROOT, found.signed)
        parsed.append(found)
    if not parsed:
        raise IntegrityError("There is no root", hint="`cuvee keys begin` writes the first one.")
    return Roots(data=data, parsed=tuple(parsed))


def parse(data: bytes, role: str) -> "Metadata[Any]":
    """Return the metadata of a role; who has signed it is not checked here.

    Raises
    ------
    IntegrityError
        If it is not that.
    """
    from tuf.api.metadata import Metadata
    from tuf.api.serialization import DeserializationError

    try:
        parse_json(data)  # it refuses what is nested too deeply
        found: Metadata[Any] = Metadata.from_bytes(data)
    except (DeserializationError, ValueError) as error:
        reason = error.__cause__ or error
        raise IntegrityError(
            f"{role}.json is not metadata of TUF: {reason}", hint="Nothing of it was used."
        ) from error
    kind = role if role in {"root", "snapshot", "timestamp"} else "targets"
    if found.signed.type != kind:
        raise IntegrityError(
            f"{role}.json is metadata of the kind {found.signed.type}", hint="Nothing of it was used."
        )
    return found


def verified(data: bytes, role: str, delegator: Any) -> "Metadata[Any]":
    """Return the metadata of a role that a quorum of its keys has signed; it may be expired.

    Raises
    ------
    IntegrityError
        If it is damaged, or lacks signatures.
    """
    found = parse(data, role)
    _verify(found, role, delegator)
    return found


def _verify(found: "Metadata[Any]", role: str, delegator: Any) -> None:
    from tuf.api.exceptions import RepositoryError

    try:
        delegator.verify_delegate(role, found.signed_bytes, found.signatures)
    except (RepositoryError, ValueError) as error:
        raise IntegrityError(f"{role}.json lacks signatures: {error}", hint=_OTHER) from error
    check_keys(found.signed)


def check_keys(signed: Any) -> None:
    """Raise if a role that metadata gives keys to has one of them under two ids.

    Raises
    ------
    IntegrityError
        With both ids.
    """
    if signed.type == ROOT:
        roles, keys = signed.roles, signed.keys
    elif getattr(signed, "delegations", None) is not None:
        roles, keys = signed.delegations.roles or {}, signed.delegations.keys
    else:
        return
    for name, role in roles.items():
        check_distinct(name, [keys[keyid] for keyid in role.keyids if keyid in keys])

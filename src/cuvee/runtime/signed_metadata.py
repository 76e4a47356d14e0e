"""Metadata of The Update Framework: reading it, and counting the keys that have signed it.

https://theupdateframework.github.io/specification/latest/#document-formats. Everything that is read was
written by a stranger until enough keys have signed it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any, NamedTuple

from .ed25519 import verify as verify_ed25519
from .failure import DAMAGED, InstallError

_TIME = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z")
_MOST_KEYS = 256


class Signed(NamedTuple):
    """A document, the bytes of it that are signed, and its signatures by the ids of their keys."""

    kind: str
    version: int
    expires: str
    value: dict[str, Any]
    payload: bytes
    signatures: dict[str, bytes]


class Role(NamedTuple):
    """Which keys may sign for a role, by their ids, and how many of them must."""

    name: str
    keys: dict[str, dict[str, Any]]
    threshold: int


def refused(message: str) -> InstallError:
    """Return the error for a site that cannot be believed."""
    return InstallError(f"{message} Nothing was installed.", DAMAGED)


def parse(data: bytes, kind: str) -> Signed:
    """Return a document; who has signed it is not checked here."""
    try:
        document = json.loads(data.decode(), parse_constant=_no_number, object_pairs_hook=_distinct)
        value, listed = document["signed"], document["signatures"]
        signatures = {item["keyid"]: bytes.fromhex(item["sig"]) for item in listed}
        if len(signatures) != len(listed):
            raise ValueError("a key has signed it twice")  # noqa: TRY301
        version, expires = value["version"], value["expires"]
        if value["_type"] != kind or not re.fullmatch(r"1(\.[0-9]+)+", value["spec_version"]):
            raise ValueError("it is of another kind or version")  # noqa: TRY301
        if type(version) is not int or version < 1 or not _TIME.fullmatch(expires):
            raise ValueError("its version or its date is not valid")  # noqa: TRY301
        payload = _canonical(value).encode()
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise refused(f"The site's {kind} cannot be read: {error}.") from None
    return Signed(kind, version, expires, value, payload, signatures)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key of an object is there twice")
    return found


def _canonical(value: Any) -> str:
    """Return canonical JSON: http://wiki.laptop.org/go/Canonical_JSON"""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return f"[{','.join(map(_canonical, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{_canonical(key)}:{_canonical(value[key])}" for key in sorted(value)) + "}"
    raise ValueError("it has a number with a point")


def role_of(signed: Signed, name: str) -> Role:
    """Return a role of a root, or one that a list delegates to; its keys are distinct."""
    try:
        if signed.kind == "root":
            keys, role = signed.value["keys"], signed.value["roles"][name]
        else:
            delegations = signed.value["delegations"]
            keys = delegations["keys"]
            role = next(item for item in delegations["roles"] if item["name"] == name)
        ids, threshold = role["keyids"], role["threshold"]
        if len(set(ids)) != len(ids) or len(ids) > _MOST_KEYS:
            raise ValueError  # noqa: TRY301
        if type(threshold) is not int or threshold < 1:
            raise ValueError  # noqa: TRY301
        found = {str(item): keys[item] for item in ids if item in keys}
        values = [str(key["keyval"]["public"]).strip() for key in found.values()]
    except (LookupError, TypeError, ValueError, StopIteration):
        raise refused(f"The site does not say properly who may sign {name}.") from None
    if len(set(values)) != len(values):
        raise refused(f"The site gives one key of {name} two ids, so that it would count twice.")
    return Role(name, found, threshold)


def check_quorum(signed: Signed, role: Role) -> None:
    """Raise unless enough keys of a role have signed a document."""
    have = [
        name
        for name, key in role.keys.items()
        if name in signed.signatures and _has_signed(key, signed.payload, signed.signatures[name])
    ]
    if len(have) < role.threshold:
        raise refused(
            f"{role.name} is signed by {len(have)} of its keys, and {role.threshold} must sign: is it "
            "another distribution, or are keys stolen or revoked?"
        )


def _has_signed(key: dict[str, Any], message: bytes, signature: bytes) -> bool:
    try:
        scheme, public = str(key["scheme"]), str(key["keyval"]["public"])
        if scheme == "ed25519":
            return verify_ed25519(bytes.fromhex(public), message, signature)
        return _verify_with_library(scheme, public.encode(), message, signature)
    except (LookupError, TypeError, ValueError):
        return False


def _verify_with_library(scheme: str, public: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether a signature holds, by the release's own cryptography; not if it has none."""
    _find_packages()
    try:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError:
        raise InstallError(
            f"The site is signed with {scheme}, which needs the package cryptography in this release.",
            DAMAGED,
        ) from None
    try:
        key, digest = load_pem_public_key(public), hashes.SHA256()
        if scheme == "ecdsa-sha2-nistp256" and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(digest))
        elif scheme == "rsassa-pss-sha256" and isinstance(key, rsa.RSAPublicKey):
            space = padding.PSS(mgf=padding.MGF1(digest), salt_length=padding.PSS.AUTO)
            key.verify(signature, message, space, digest)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _find_packages() -> None:
    """Let the packages of the release be found, which the runtime otherwise does without."""
    folder = os.path.join(os.path.dirname(os.path.abspath(os.__file__)), "site-packages")
    if folder not in sys.path:
        sys.path.append(folder)

"""The file format of certificates: JSON with a line per record and step, which has its own hash."""

import json
from collections.abc import Iterable
from dataclasses import replace

from cuvee.codec import Json, decode, encode
from cuvee.files import sha256_bytes
from cuvee.graph.certificate.model import Certificate, require_sha256

FORMAT = 2
_WITHOUT_METAPACKAGES = 1
"""The first format, which releases cut earlier have."""
_BLANK = "0" * 64
_DEPTH = 4
"""Levels of the file that have a line per entry; deeper ones share the line."""


class MalformedCertificate(Exception):  # noqa: N818 - becomes a line of an error
    """Why a certificate cannot be read."""


def to_bytes(certificate: Certificate) -> bytes:
    """Return the file of a certificate, with its hash; two of them can be compared line by line."""
    blank = "".join(_lines(encode(replace(certificate, sha256=_BLANK)), 0)).encode() + b"\n"
    return blank.replace(_BLANK.encode(), sha256_bytes(blank).encode(), 1)


def from_bytes(data: bytes) -> Certificate:
    """Read a certificate, and compare it with its own hash and its format.

    Raises
    ------
    MalformedCertificate
        If it differs from what was written.
    """
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise MalformedCertificate(f"it cannot be read: {error}") from None
    version = value.get("certificate") if isinstance(value, dict) else None
    if type(version) is not int or version not in {_WITHOUT_METAPACKAGES, FORMAT}:
        raise MalformedCertificate(f"its format is {version!r}, and this cuvee reads {FORMAT}")
    try:
        certificate = decode(Certificate, value)
        require_sha256(certificate.sha256, "sha256")
    except ValueError as error:
        raise MalformedCertificate(str(error)) from None
    if not certificate.inputs.manifests:
        raise MalformedCertificate("inputs.manifests: it names no manifest")
    if _encoded(certificate) != value:
        raise MalformedCertificate("it lacks keys of its format")
    if sha256_bytes(data.replace(certificate.sha256.encode(), _BLANK.encode(), 1)) != certificate.sha256:
        raise MalformedCertificate("its content does not have the SHA-256 that it states")
    return certificate


def _encoded(certificate: Certificate) -> Json:
    """Return the value that the file of a certificate must have, by its format."""
    left_out = {"metapackages"} if certificate.certificate == _WITHOUT_METAPACKAGES else set[str]()
    return encode(certificate, without=frozenset(left_out))


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"it has the key {max(keys, key=keys.count)!r} twice")
    return value


def _lines(value: Json, depth: int) -> Iterable[str]:
    """Yield JSON with a line per entry down to `_DEPTH`, keys in the order that they are given in."""
    if depth == _DEPTH or not isinstance(value, dict | list) or not value:
        yield json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    yield opening
    for number, item in enumerate(value.items() if isinstance(value, dict) else value):
        yield ("," if number else "") + "\n" + " " * (depth + 1)
        if isinstance(item, tuple):
            yield json.dumps(item[0], ensure_ascii=False) + ": "
        yield from _lines(item[1] if isinstance(item, tuple) else item, depth + 1)
    yield "\n" + " " * depth + closing

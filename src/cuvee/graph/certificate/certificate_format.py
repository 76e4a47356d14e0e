"""The format of a certificate: every key, every type, nothing else."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cuvee.files import sha256_bytes

FORMAT = 1
_SHA256 = re.compile("[0-9a-f]{64}")
_NUMBERS = 1 << 64


class MalformedCertificate(Exception):  # noqa: N818 - no error of its own: it becomes a line of one
    """Why a certificate can not be read any further."""


def read(data: bytes) -> Mapping[str, Any]:
    """Read a certificate, and hold it against its own hash and its format.

    Raises
    ------
    Refused
        If it is not what was written.
    """
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedCertificate(f"it can not be read: {error}") from None
    _object(
        value, {"certificate", "sha256", "release", "inputs", "channels", "not_certified", "platforms"}, ""
    )
    if type(value["certificate"]) is not int or value["certificate"] != FORMAT:
        raise MalformedCertificate(f"its format is {value['certificate']!r}, and this cuvee reads {FORMAT}")
    own = _hash(value["sha256"], "sha256")
    if sha256_bytes(data.replace(own.encode(), b"0" * 64, 1)) != own:
        raise MalformedCertificate(
            "it is not what was written: its content does not have the SHA-256 that it states"
        )
    _text(value["release"], "release")
    _texts(value["channels"], "channels")
    _inputs(value["inputs"])
    for platform, reasons in _mapping(value["not_certified"], "not_certified").items():
        _texts(reasons, f"not_certified.{platform}")
    for platform, section in _mapping(value["platforms"], "platforms").items():
        _platform(section, platform)
    found: Mapping[str, Any] = value
    return found


def _inputs(value: Any) -> None:
    _object(value, {"manifests", "lock", "repodata"}, "inputs")
    _hash(value["lock"], "inputs.lock")
    for key in ("manifests", "repodata"):
        for name, digest in _mapping(value[key], f"inputs.{key}").items():
            _hash(digest, f"inputs.{key}.{name}")
    if not value["manifests"]:
        raise MalformedCertificate("inputs.manifests: it names no manifest")


def _platform(value: Any, where: str) -> None:
    _object(
        value,
        {"virtual_packages", "requirements", "constraints", "records", "edges", "constrains", "files"},
        where,
    )
    for entry in _entries(value["virtual_packages"], {"name", "version", "build"}, where):
        _all_text(entry, ("name", "version", "build"), f"{where}.virtual_packages")
    for key in ("requirements", "constraints"):
        for entry in _entries(value[key], {"spec", "met_by"}, f"{where}.{key}"):
            _step(entry, "spec", "met_by", f"{where}.{key}")
    for key in ("edges", "constrains"):
        for entry in _entries(value[key], {"from", "spec", "to"}, f"{where}.{key}"):
            _text(entry["from"], f"{where}.{key}")
            _step(entry, "spec", "to", f"{where}.{key}")
    keys = {"name", "version", "build", "build_number", "subdir", "sha256", "url", "depends", "constrains"}
    for entry in _entries(value["records"], keys, f"{where}.records"):
        _record(entry, f"{where}.records")
    _object(value["files"], {"checks", "collisions"}, f"{where}.files")
    _texts(value["files"]["checks"], f"{where}.files.checks")
    _texts(value["files"]["collisions"], f"{where}.files.collisions")
    if value["files"]["collisions"] and not value["files"]["checks"]:
        raise MalformedCertificate(f"{where}.files: collisions, but nothing looked for them")


def _record(entry: Mapping[str, Any], where: str) -> None:
    _all_text(entry, ("name", "version", "build", "subdir", "url"), where)
    where = f"{where}.{entry['name']}"
    _hash(entry["sha256"], f"{where}.sha256")
    number = entry["build_number"]
    if type(number) is not int or not 0 <= number < _NUMBERS:
        raise MalformedCertificate(f"{where}.build_number is not a number of a build: {number!r}")
    _texts(entry["depends"], f"{where}.depends")
    _texts(entry["constrains"], f"{where}.constrains")


def _step(entry: Mapping[str, Any], spec: str, target: str, where: str) -> None:
    _text(entry[spec], where)
    if entry[target] is not None:
        _text(entry[target], where)


def _entries(value: Any, keys: set[str], where: str) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, list):
        raise MalformedCertificate(f"{where} is not a list")
    for entry in value:
        _object(entry, keys, where)
    return value


def _object(value: Any, keys: set[str], where: str) -> None:
    if not isinstance(value, dict):
        raise MalformedCertificate(f"{where or 'it'} is not an object")
    wrong = sorted(keys ^ value.keys())
    if wrong:
        what = "lacks" if wrong[0] in keys else "has an unknown key,"
        raise MalformedCertificate(f"{where or 'it'} {what} {wrong[0]!r}")


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MalformedCertificate(f"{where} is not an object")
    return value


def _texts(value: Any, where: str) -> None:
    if not isinstance(value, list):
        raise MalformedCertificate(f"{where} is not a list")
    for item in value:
        _text(item, where)


def _all_text(entry: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
    for key in keys:
        _text(entry[key], f"{where}: {key}")


def _text(value: Any, where: str) -> None:
    if not isinstance(value, str) or not value:
        raise MalformedCertificate(f"{where}: {value!r} is not a text")


def _hash(value: Any, where: str) -> str:
    if not isinstance(value, str) or _SHA256.fullmatch(value) is None:
        raise MalformedCertificate(f"{where}: {str(value)[:80]!r} is no SHA-256")
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {max(keys, key=keys.count)!r} is there twice")
    return value


def _constant(text: str) -> None:
    raise ValueError(f"{text} is no number")

"""The verb `status`: the known errata that a release lacks fixes for, by what its publisher signed.

Nothing is fetched. The file names releases and platforms, so that no versions are compared here.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from .ed25519 import SIGNATURE, verify
from .failure import DAMAGED, FAILED, MISSING, USAGE, InstallError
from .installer_log import show
from .prefix_state import InstalledRelease

FORMAT = 1
_MOST = 32 << 20  # bytes; a thousand errata have less than 1 MB


class KnownErratum(NamedTuple):
    """An erratum whose fix a release lacks; ``packages`` are those that it has with the flaw."""

    number: str
    title: str
    severity: str
    summary: str
    workaround: str
    cves: list[str]
    packages: list[str]
    fixed: list[str]


def status(installed: InstalledRelease, path: str, options: frozenset[str]) -> int:
    """List the errata that concern a release; return exit code 1 if there is one."""
    value = _read(installed, path)
    manifest = installed.manifest
    try:
        entries = value["distributions"].get(manifest.distribution)
        found = [] if entries is None else _concerning(entries, manifest.version, manifest.platform)
        updated, known = str(value["updated"]), ", ".join(map(str, value["distributions"]))
    except (KeyError, TypeError, AttributeError, ValueError):
        raise InstallError(
            f"{path} is signed, but has no errata that this release can read.", USAGE
        ) from None
    if entries is None:
        raise InstallError(f"{path} is about {known or 'nothing'}, not about {manifest.distribution}.", USAGE)
    texts = [text for item in found for text in _lines(item)]
    count = f"{len(found)} {'erratum' if len(found) == 1 else 'errata'}"
    has = f"lacks the fixes of {count}" if found else "lacks no fix of a known erratum"
    texts.append(f"{manifest.label} {has}, as known on {updated}")
    document = {
        "distribution": manifest.distribution,
        "version": manifest.version,
        "platform": manifest.platform,
        "updated": updated,
        "errata": [item._asdict() for item in found],
    }
    return show(document, texts, options) or (FAILED if found else 0)


def _read(installed: InstalledRelease, path: str) -> Any:
    """Return the value of a file; raise unless the key signed it that signed the release."""
    key = installed.manifest.key
    if key is None:
        raise InstallError(
            f"{installed.manifest.label} is not signed, so it is not known whose errata to believe.", MISSING
        )
    data, signature = _content(path, _MOST), _content(f"{path}.sig", SIGNATURE)
    try:
        is_good = verify(bytes.fromhex(key[0]), data, signature)
    except (IndexError, TypeError, ValueError):
        is_good = False
    if not is_good:
        raise InstallError(f"{path} is not signed by {key[0]}, which signed this release.", DAMAGED)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or value.get("errata") != FORMAT:
        raise InstallError(f"{path} has no errata that this release can read. Use a newer one.", USAGE)
    return value


def _content(path: str, most: int) -> bytes:
    try:
        with open(path, "rb") as stream:
            data = stream.read(most + 1)
    except OSError as error:
        raise InstallError(f"{path} cannot be read: {error.strerror}.", USAGE) from None
    if len(data) > most:
        raise InstallError(f"{path} is too large.", DAMAGED)
    return data


def _concerning(entries: list[dict[str, Any]], version: str, platform: str) -> list[KnownErratum]:
    found = []
    for entry in entries:
        packages = entry["affected"].get(version, {}).get(platform)
        if packages is not None:
            number, title, severity, summary, workaround = (str(entry[n]) for n in KnownErratum._fields[:5])
            cves, have = [str(text) for text in entry["cves"]], [str(text) for text in packages]
            fixed = _newer(entry["fixed"], version)
            found.append(KnownErratum(number, title, severity, summary, workaround, cves, have, fixed))
    return found


def _newer(versions: list[str], version: str) -> list[str]:
    """Return the releases that an upgrade can go to."""

    def number(text: str) -> tuple[int, ...]:
        return tuple(map(int, text.split(".")))

    return [text for text in versions if number(text) > number(version)]


def _lines(item: KnownErratum) -> list[str]:
    facts = ", ".join((item.severity, *item.cves))
    lines = [f"{item.number} ({facts}): {item.title}"]
    lines.append(f"  has: {', '.join(item.packages)}; fixed in: {', '.join(item.fixed) or 'no release yet'}")
    return lines + ([f"  workaround: {item.workaround}"] if item.workaround else [])

"""Explicit lists: the archives of one platform, as ``conda create --file`` takes them.

Format: https://github.com/conda/ceps/blob/main/cep-0023.md
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cuvee.conda.package_record import LockedPackage

EXPLICIT = "@EXPLICIT"
"""The line that makes a list of specs a list of archives."""

_DIGEST = re.compile(r"(?:md5:)?(?P<md5>[0-9a-f]{32})|(?:sha256:)?(?P<sha256>[0-9a-f]{64})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplicitArchive:
    """One line of an explicit list.

    Attributes
    ----------
    url
        The archive's URL or path, without a hash.
    md5, sha256
        Hex digests; empty if the list does not state them.
    """

    url: str
    md5: str = ""
    sha256: str = ""


def parse_explicit_line(line: str) -> ExplicitArchive:
    """Return the archive of a line ``URL``, ``URL#md5`` or ``URL#sha256:…``.

    Raises
    ------
    ValueError
        If what follows ``#`` is not a digest.
    """
    url, _, digest = line.partition("#")
    match = _DIGEST.fullmatch(digest)
    if digest and match is None:
        raise ValueError(f"{digest[:80]!r} is neither an MD5 nor a SHA-256")
    md5, sha256 = match.group("md5", "sha256") if match else ("", "")
    return ExplicitArchive(url=url, md5=(md5 or "").lower(), sha256=(sha256 or "").lower())


def explicit_list(
    packages: Iterable[LockedPackage], platform: str, *, comments: Sequence[str], release: str
) -> str:
    """Return the list of the archives' URLs.

    Parameters
    ----------
    comments
        The first lines, without ``#``.
    release
        The URL or path of the release folder, to which those of the release's own channel are relative.
    """
    lines = [*(f"# {comment}" for comment in comments), f"# platform: {platform}", EXPLICIT]
    for package in packages:
        url = f"{release}/{package.url}" if package.is_local else package.url
        # conda checks the MD5 behind the hash sign.
        lines.append(f"{url}#{package.md5}" if package.md5 else url)
    return "\n".join(lines) + "\n"

"""The texts of packages' licences in the cache, by the hash of their archive."""

import json
from collections.abc import Callable
from pathlib import Path

from cuvee import checked_cache
from cuvee.conda.package_archive import INFO_LIMIT, archive_errors, member_data, members
from cuvee.files import parse_json
from cuvee.folder_hashes import code_fingerprint
from cuvee.progress import Reporter

_FOLDER = "info/licenses/"


def cached_licenses(
    archive: Callable[[], Path], sha256: str, cache: Path, reporter: Reporter
) -> dict[str, str]:
    """Return the texts below ``info/licenses/`` of an archive, by path.

    Parameters
    ----------
    archive
        Returns the archive, whose hash has been checked; called if the cache has nothing.

    Raises
    ------
    IntegrityError
        If it cannot be read.
    """
    path = cache / "licenses" / sha256[:2] / f"{sha256}-{code_fingerprint()[:16]}"
    content = checked_cache.load(path, reporter)
    if content is not None:
        texts: dict[str, str] = parse_json(bytes(content))
        return texts
    file = archive()
    texts = {}
    with archive_errors(file):
        for tar, member in members(file, "info"):
            if member.isreg() and member.name.startswith(_FOLDER):
                texts[member.name] = member_data(tar, member, INFO_LIMIT).decode(errors="replace")
    checked_cache.save(path, json.dumps(texts, separators=(",", ":")).encode())
    return texts

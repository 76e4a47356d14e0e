"""The metadata of packages in the cache, by the hash of their archive: unchanged ones are not opened."""

import json
from dataclasses import replace
from pathlib import Path

from cuvee.codec import decode, encode
from cuvee.conda.package_info import PackageInfo, read_info
from cuvee.files import parse_json
from cuvee.folder_hashes import code_fingerprint
from cuvee.image import checked_cache
from cuvee.progress import Reporter


def cached_info(archive: Path, sha256: str, cache: Path, reporter: Reporter) -> PackageInfo:
    """Return the metadata of an archive, whose hash has been checked; for errors see `read_info`."""
    path = cache / "infos" / sha256[:2] / f"{sha256}-{code_fingerprint()[:16]}"
    content = checked_cache.load(path, reporter)
    if content is not None:
        return replace(decode(PackageInfo, parse_json(bytes(content))), archive=archive)
    info = read_info(archive)
    # The archive may be elsewhere the next time.
    value = encode(replace(info, archive=Path(archive.name)))
    checked_cache.save(path, json.dumps(value, separators=(",", ":")).encode())
    return info

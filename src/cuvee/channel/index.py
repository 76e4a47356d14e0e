"""Indexing a folder of packages as a channel.

``rattler.index`` writes the same, but also the time of indexing, so the same packages would not give the
same bytes, and the solver would prefer one run's build to another's.
"""

import io
import json
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import zstandard

from cuvee.channel.package import archive_hashes
from cuvee.errors import IntegrityError
from cuvee.files import write_json

_LARGEST_INDEX = 64 << 20


def index_channel(folder: Path, subdirs: Iterable[str]) -> None:
    """Write ``<subdir>/repodata.json`` for ``noarch`` and each of ``subdirs``, even an empty one.

    Raises
    ------
    IntegrityError
        If an archive there is not a conda package.
    """
    for subdir in sorted({"noarch", *subdirs}):
        records = {path.name: _record(path) for path in sorted((folder / subdir).glob("*.conda"))}
        write_json(
            folder / subdir / "repodata.json",
            {"info": {"subdir": subdir}, "packages": {}, "packages.conda": records, "repodata_version": 1},
        )


def _record(path: Path) -> dict[str, Any]:
    index = json.loads(read_info(path, "index.json"))
    sha256, md5, size = archive_hashes(path)
    return {**index, "sha256": sha256, "md5": md5, "size": size}


def read_info(path: Path, name: str) -> bytes:
    """Read ``info/<name>`` of a ``.conda`` archive.

    Raises
    ------
    IntegrityError
        If the archive is damaged or has no such member.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            member = next(item for item in archive.namelist() if item.startswith("info-"))
            data = archive.read(member)
        with (
            zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)) as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            for item in tar:
                if item.name == f"info/{name}" and item.isfile() and item.size <= _LARGEST_INDEX:
                    content = tar.extractfile(item)
                    if content is not None:
                        return content.read()
    except (zipfile.BadZipFile, tarfile.TarError, zstandard.ZstdError, StopIteration) as error:
        raise IntegrityError(f"{path.name} is not a conda package: {error or 'no info archive'}") from error
    raise IntegrityError(f"{path.name} has no info/{name}")

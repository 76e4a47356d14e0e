"""Indexing a folder of packages as a channel.

``rattler.index`` writes the same, but also the time of indexing, so the same packages would not give the
same bytes, and the solver would prefer one run's build to another's.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cuvee.channel.package_writer import archive_hashes
from cuvee.conda.package_archive import archive_errors, read_info_files
from cuvee.files import write_json


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


def _index(path: Path) -> dict[str, Any]:
    files = read_info_files(path, ["index.json"])
    with archive_errors(path):
        index = json.loads(files["index.json"])
    return dict(index)


def _record(path: Path) -> dict[str, Any]:
    index = _index(path)
    sha256, md5, size = archive_hashes(path)
    return {**index, "sha256": sha256, "md5": md5, "size": size}

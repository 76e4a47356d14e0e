"""Indexing a folder of packages as a channel: https://github.com/conda/ceps/blob/main/cep-0036.md

``rattler.index`` writes the same, but also the time of indexing: the same packages would not give the same
bytes, and a solver would prefer one run's build to another's.
"""

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cuvee.conda.package_archive import archive_errors, archive_hashes, read_info_files
from cuvee.files import parse_json, sha256_file, write_json

Record = Mapping[str, object]
"""What repodata says of one archive."""


def index_channel(
    folder: Path,
    subdirs: Iterable[str],
    *,
    without: Collection[Path] = (),
    known: dict[str, Record] | None = None,
) -> None:
    """Write ``<subdir>/repodata.json`` for ``noarch`` and each of ``subdirs``, even an empty one.

    Parameters
    ----------
    without
        Archives that are not listed.
    known
        Records by SHA-256: archives that are among them are hashed and not opened, and others are added.

    Raises
    ------
    IntegrityError
        If an archive is not a conda package.
    """
    earlier = dict(known or {})
    with ThreadPoolExecutor() as threads:  # hashlib releases the GIL
        for subdir in sorted({"noarch", *subdirs}):
            found = []
            for pattern in ("*.conda", "*.tar.bz2"):
                paths = sorted(set((folder / subdir).glob(pattern)).difference(without))
                records = threads.map(lambda path: _known_record(path, earlier), paths)
                found.append({path.name: record for path, record in zip(paths, records, strict=True)})
            if known is not None:
                known |= {str(record["sha256"]): record for part in found for record in part.values()}
            write_repodata(folder, subdir, *found)


def _known_record(path: Path, known: Mapping[str, Record]) -> Record:
    record = known.get(sha256_file(path)) if known else None
    return record if record is not None else record_of(path)


Records = Mapping[str, Record]
"""What repodata says of each archive, by its file name."""


def write_repodata(folder: Path, subdir: str, records: Records, older: Records | None = None) -> None:
    """Write ``<subdir>/repodata.json``: records of ``.conda`` files, and of ``older`` ``.tar.bz2`` ones."""
    write_json(
        folder / subdir / "repodata.json",
        {
            "info": {"subdir": subdir},
            "packages": older or {},
            "packages.conda": records,
            "repodata_version": 1,
        },
    )


def record_of(path: Path) -> Record:
    """Return what repodata says of an archive; for errors see `index_channel`."""
    files = read_info_files(path, ["index.json"])
    with archive_errors(path):
        index = dict(parse_json(files["index.json"]))  # every key, also those that `IndexJson` does not have
    sha256, md5, size = archive_hashes(path)
    return index | {"sha256": sha256, "md5": md5, "size": size}

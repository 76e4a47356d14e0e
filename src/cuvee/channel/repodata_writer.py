"""Indexing a folder of packages as a channel: https://github.com/conda/ceps/blob/main/cep-0036.md

``rattler.index`` writes the same, but also the time of indexing: the same packages would not give the same
bytes, and a solver would prefer one run's build to another's.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from cuvee.conda.package_archive import archive_errors, archive_hashes, read_info_files
from cuvee.files import parse_json, write_json


def index_channel(folder: Path, subdirs: Iterable[str], *, without: Collection[Path] = ()) -> None:
    """Write ``<subdir>/repodata.json`` for ``noarch`` and each of ``subdirs``, even an empty one.

    Archives in ``without`` are not listed.

    Raises
    ------
    IntegrityError
        If an archive is not a conda package.
    """
    for subdir in sorted({"noarch", *subdirs}):
        archives = sorted((folder / subdir).glob("*.conda")), sorted((folder / subdir).glob("*.tar.bz2"))
        records, older = (
            {path.name: record_of(path) for path in paths if path not in without} for paths in archives
        )
        write_repodata(folder, subdir, records, older)


Records = Mapping[str, Mapping[str, object]]
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


def record_of(path: Path) -> Mapping[str, object]:
    """Return what repodata says of an archive; for errors see `index_channel`."""
    files = read_info_files(path, ["index.json"])
    with archive_errors(path):
        index = dict(parse_json(files["index.json"]))  # every key, also those that `IndexJson` does not have
    sha256, md5, size = archive_hashes(path)
    return index | {"sha256": sha256, "md5": md5, "size": size}

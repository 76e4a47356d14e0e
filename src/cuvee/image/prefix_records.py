"""``conda-meta`` records, from which conda clients know the packages of a prefix and their files."""

import json
from collections.abc import Mapping, Sequence

from cuvee.conda.package_info import IndexJson
from cuvee.conda.package_record import LockedPackage
from cuvee.files import sha256_bytes
from cuvee.image.frames import Part
from cuvee.image.model import FileKind, PlannedFile, ReleaseLabel

_COPY = 3
"""``LinkType.copy`` of conda."""


def record_part(
    package: LockedPackage,
    index: IndexJson,
    files: Sequence[PlannedFile],
    links: Mapping[str, str],
    *,
    release: ReleaseLabel,
    requested: Mapping[str, str],
) -> Part:
    """Return the record of a package as a file of the image.

    Parameters
    ----------
    files
        Its linked files with their digests, byte code included.
    links
        Path to target of each symbolic link.
    requested
        The specs of requested packages, by name.

    Returns
    -------
    Part
        Its ``extra`` names the record's paths for which the runtime fills in the hash, since their bytes
        depend on the prefix: ``[[index, path], …]``.
    """
    record = _package_record(package, index)
    record |= _origin(package, release)
    record["requested_specs"] = [requested[package.name]] if package.name in requested else []
    if package.name in requested:
        record["requested_spec"] = requested[package.name]
    record["files"] = [file.path for file in files if file.kind is not FileKind.DIRECTORY]
    record["paths_data"] = {"paths_version": 1, "paths": [_path(file, links) for file in files]}
    record["link"] = {"source": "", "type": _COPY}
    late = [[number, file.path] for number, file in enumerate(files) if file.kind.is_relocated]
    data = (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode()
    path = f"conda-meta/{package.stem}.json"
    return Part(path=path, mode=0o644, data=data, how="record" if late else "plain", extra=late or None)


def _package_record(package: LockedPackage, index: IndexJson) -> dict[str, object]:
    record: dict[str, object] = {
        "build": package.build,
        "build_number": package.build_number,
        "depends": list(package.depends),
        "name": package.name,
        "sha256": package.sha256,
        "size": package.size,
        "subdir": package.subdir,
        "version": package.version,
    }
    optional = {
        "arch": index.arch,
        "features": index.features,
        "license_family": index.license_family,
        "platform": index.platform,
        "python_site_packages_path": index.python_site_packages_path,
        "track_features": " ".join(index.track_features),
        "constrains": list(package.constrains),
        "license": package.license,
        "md5": package.md5,
        "noarch": package.noarch,
        "timestamp": package.timestamp,
    }
    record |= {key: value for key, value in optional.items() if value}
    return dict(sorted(record.items()))


def _origin(package: LockedPackage, release: ReleaseLabel) -> dict[str, str]:
    """Return the package's source; for local packages, without paths of the machine that cut the release.

    The URL ends with the file name, as conda writes it: a channel may have ``%2B`` for ``+``.
    """
    url, channel = f"{package.url.rpartition('/')[0]}/{package.file_name}", package.channel
    if package.is_local:
        base = f"file:///{release.release_name}"
        url, channel = f"{base}/{url}", f"{base}/{channel}/"
    return {"fn": package.file_name, "url": url, "channel": channel}


def _path(file: PlannedFile, links: Mapping[str, str]) -> dict[str, object]:
    entry: dict[str, object] = {"_path": file.path}
    if file.original_path is not None:
        entry["original_path"] = file.original_path
    entry["path_type"] = file.path_type
    if file.no_link:
        entry["no_link"] = True
    if file.sha256 is not None:
        entry["sha256"] = file.sha256
    if file.kind is FileKind.LINK:
        entry["sha256_in_prefix"] = sha256_bytes(links[file.path].encode())
    elif file.source is not None and file.sha256 is not None:
        # As conda writes it, whose `doctor` compares with it; the runtime has that of relocated files.
        entry["sha256_in_prefix"] = file.sha256
    if file.size is not None:
        entry["size_in_bytes"] = file.size
    if file.placeholder is not None and not file.is_entry_point:
        entry |= {"file_mode": file.file_mode, "prefix_placeholder": file.placeholder}
    return entry

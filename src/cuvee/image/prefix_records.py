"""``conda-meta`` records, from which conda clients know the packages of a prefix and their files."""

import json
from collections.abc import Mapping

from cuvee.conda.package_info import IndexJson
from cuvee.conda.package_record import LockedPackage
from cuvee.image.frames import Part
from cuvee.image.linked_files import LinkedFiles
from cuvee.image.model import ReleaseLabel

_COPY = 3
"""``LinkType.copy`` of conda."""


def record_part(
    package: LockedPackage,
    index: IndexJson,
    files: LinkedFiles,
    *,
    release: ReleaseLabel,
    requested: Mapping[str, str],
) -> Part:
    """Return the record of a package as a file of the image.

    Parameters
    ----------
    requested
        The specs of requested packages, by name.

    Returns
    -------
    Part
        Its ``extra`` is `LinkedFiles.late`.
    """
    record = _package_record(package, index)
    record |= _origin(package, release)
    record["requested_specs"] = [requested[package.name]] if package.name in requested else []
    if package.name in requested:
        record["requested_spec"] = requested[package.name]
    link = {"link": {"source": "", "type": _COPY}}
    head, end = (json.dumps(value, indent=2, ensure_ascii=False) for value in (record, link))
    data = f"{head[:-2]},{files.record},{end[1:]}\n".encode()
    late: list[list[object]] = [list(item) for item in files.late]
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

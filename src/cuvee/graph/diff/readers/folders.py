"""Readers of release folders, and of installed environments by their `conda-meta`."""

import json
from dataclasses import replace
from pathlib import Path

from cuvee.conda.package_info import IndexJson, parse_index
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.url_secrets import without_secrets
from cuvee.graph.diff.model import METADATA
from cuvee.graph.diff.readers.prefix_files import changed_files, recorded_files, unrecorded_projects
from cuvee.graph.diff.snapshot import Snapshot, lock_of, package, platform_of, read_bytes, unreadable
from cuvee.lock.pixi_lock import read_lock

_MOST_BYTES = 256 << 20
_NOT_REQUESTED = {"", "None", None}
"""What conda and mamba write as ``requested_spec`` of packages that were not requested."""


def read_locked(folder: Path) -> Snapshot:
    """Read the lock of a release folder; what is requested is in its record, which it need not have yet."""
    return Snapshot(
        title=folder.resolve().name,
        kind="pixi.lock",
        lock=read_lock(folder / "lock" / "pixi.lock"),
        knows=METADATA,
    )


def read_prefix(folder: Path, *, with_files: bool = False) -> Snapshot:
    """Read the records of an installed environment, by its folder or its `conda-meta`.

    Python projects that no record has are packages too. ``with_files`` compares the files with the records.
    """
    meta = folder if folder.name == "conda-meta" else folder / "conda-meta"
    found: list[tuple[Path, IndexJson, dict[str, object]]] = []
    requested, is_stated = set(), False
    # Records are named NAME-VERSION-BUILD.json; installers keep other files beside them.
    for path in sorted(meta.glob("*-*-*.json")):
        index, record = _record(path)
        found.append((path, index, record))
        several = record.get("requested_specs")
        specs = [record.get("requested_spec"), *(several if isinstance(several, list) else ())]
        is_stated = is_stated or "requested_spec" in record or "requested_specs" in record
        if any(spec not in _NOT_REQUESTED for spec in specs):
            requested.add(index.name)
    if not found:
        raise unreadable(meta, None, "it has no record of an installed package")
    platform = platform_of({index.subdir or "" for _, index, _ in found})
    packages = [_package(path, index, record, platform) for path, index, record in found]
    files = {index.name: recorded_files(record) for _, index, record in found}
    paths = {file.path for several in files.values() for file in several}
    projects = unrecorded_projects(meta.parent, paths)
    modified, note = changed_files(meta.parent, files) if with_files else ({}, "")
    return Snapshot(
        title=str(folder),
        kind="environment",
        lock=lock_of(meta, [*packages, *(replace(item, platform=platform) for item in projects)]),
        requested=frozenset(requested) if is_stated and requested else None,
        knows=METADATA,
        modified=modified,
        notes=(note,) if note else (),
    )


def _record(path: Path) -> tuple[IndexJson, dict[str, object]]:
    """Return a record as the ``index.json`` that it extends, and as a whole."""
    data = read_bytes(path, _MOST_BYTES)
    try:
        return parse_index(data), json.loads(data)
    except json.JSONDecodeError as error:
        raise unreadable(path, error.lineno, f"it is not JSON: {error.msg}") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise unreadable(path, None, "it is not the record of a package") from None


def _package(path: Path, index: IndexJson, record: dict[str, object], platform: str) -> LockedPackage:
    url = without_secrets(str(record.get("url", "")))
    return package(
        path,
        None,
        name=index.name,
        version=index.version,
        build=index.build,
        platform=platform,
        subdir=index.subdir or "",
        url=url,
        channel=url.rsplit("/", 2)[0] if "/" in url else str(record.get("channel", "")),
        sha256=str(record.get("sha256") or ""),
        md5=str(record["md5"]) if record.get("md5") else None,
        build_number=index.build_number,
        depends=index.depends,
        constrains=index.constrains,
        license=index.license,
        noarch=index.noarch,
        track_features=index.track_features,
    )

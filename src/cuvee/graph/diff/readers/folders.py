"""Readers of release folders, and of installed environments by their `conda-meta`."""

import json
from pathlib import Path
from typing import Literal

from cuvee.conda.package_record import LockedPackage
from cuvee.conda.url_secrets import without_secrets
from cuvee.files import storage_errors
from cuvee.graph.diff.model import METADATA
from cuvee.graph.diff.snapshot import Snapshot, lock_of, package, platform_of, unreadable
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


def read_prefix(folder: Path, meta: Path) -> Snapshot:
    """Read the records of an installed environment."""
    found, requested, is_stated = [], set(), False
    # Records are named NAME-VERSION-BUILD.json; installers keep other files beside them.
    for path in sorted(meta.glob("*-*-*.json")):
        record = _record(path)
        found.append((path, record))
        specs = [record.get("requested_spec"), *_list(record, "requested_specs")]
        is_stated = is_stated or "requested_spec" in record or "requested_specs" in record
        if any(spec not in _NOT_REQUESTED for spec in specs):
            requested.add(str(record.get("name")))
    if not found:
        raise unreadable(meta, None, "it has no record of an installed package")
    platform = platform_of({str(record.get("subdir", "")) for _, record in found})
    packages = [_package(path, record, platform) for path, record in found]
    return Snapshot(
        title=str(folder),
        kind="environment",
        lock=lock_of(meta, packages),
        requested=frozenset(requested) if is_stated and requested else None,
        knows=METADATA,
    )


def _record(path: Path) -> dict[str, object]:
    with storage_errors(path):
        if path.stat().st_size > _MOST_BYTES:
            raise unreadable(path, None, f"it has more than {_MOST_BYTES:,} bytes")
        data = path.read_bytes()
    try:
        record = json.loads(data)
    except json.JSONDecodeError as error:
        raise unreadable(path, error.lineno, f"it is not JSON: {error.msg}") from None
    except (UnicodeDecodeError, RecursionError):
        raise unreadable(path, None, "it is not readable JSON") from None
    if not isinstance(record, dict) or not isinstance(record.get("name"), str):
        raise unreadable(path, None, "it is not the record of a package")
    return record


def _package(path: Path, record: dict[str, object], platform: str) -> LockedPackage:
    url = without_secrets(str(record.get("url", "")))
    noarch: dict[str, Literal["python", "generic"]] = {"python": "python", "generic": "generic"}
    features = record.get("track_features")
    return package(
        path,
        None,
        name=str(record["name"]),
        version=str(record.get("version", "")),
        build=str(record.get("build", "")),
        platform=platform,
        subdir=str(record.get("subdir", "")),
        url=url,
        channel=url.rsplit("/", 2)[0] if "/" in url else str(record.get("channel", "")),
        sha256=str(record.get("sha256") or ""),
        md5=str(record["md5"]) if record.get("md5") else None,
        build_number=number if isinstance(number := record.get("build_number"), int) else 0,
        depends=tuple(map(str, _list(record, "depends"))),
        constrains=tuple(map(str, _list(record, "constrains"))),
        license=str(record["license"]) if record.get("license") else None,
        noarch=noarch.get(str(record.get("noarch"))),
        track_features=tuple(
            features.split() if isinstance(features, str) else map(str, _list(record, "track_features"))
        ),
    )


def _list(record: dict[str, object], key: str) -> list[object]:
    value = record.get(key)
    return value if isinstance(value, list) else []

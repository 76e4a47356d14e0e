"""The verbs `list`, `info` and `licenses`: what an installer or a prefix holds."""

# Stage 0 has no pathlib.
# ruff: noqa: PTH112

from __future__ import annotations

import json
import os
from typing import Any

from .job import Job
from .manifest import Manifest
from .output import show
from .state import Installed, beside, read_marker
from .verify import Findings

SCRIPTS = ("pre_install", "post_install", "pre_uninstall")


def list_packages(manifest: Manifest, findings: Findings | None, *, as_json: bool) -> int:
    """Name the release's packages, and those that were added to it."""
    rows: list[dict[str, Any]] = [
        {
            "name": package.name,
            "version": package.version,
            "build": package.build,
            "subdir": package.subdir,
            "sha256": package.sha256,
            "added": None,
        }
        for package in manifest.packages
    ]
    added = findings.added if findings is not None else []
    rows += [{"name": one.name, "version": one.version, "added": one.by} for one in added]
    rows.sort(key=lambda row: str(row["name"]).lower())
    texts = [
        f"{row['name']} {row['version']} " + (f"added with {row['added']}" if row["added"] else row["build"])
        for row in rows
    ]
    return show(rows, texts, as_json=as_json)


def describe(manifest: Manifest, sha256: str, installed: Installed | None, *, as_json: bool) -> int:
    """Say what a release is, and where."""
    frames = [*manifest.frames(), *manifest.records]
    files = {file.path for frame in frames for file in frame.files}
    value: dict[str, Any] = {
        "distribution": manifest.distribution,
        "version": manifest.version,
        "title": manifest.title,
        "platform": manifest.platform,
        "packages": len(manifest.packages),
        "files": len(files) + len(manifest.stage0),
        "bytes": manifest.raw_size,
        "longest_prefix": manifest.prefix_limit,
        "requested": manifest.requested,
        "scripts": [name for name in SCRIPTS if getattr(manifest.settings, name)],
        "manifest_sha256": sha256,
        "signed_by": None if manifest.key is None else manifest.key[0],
    }
    if installed is not None:
        kept = beside(installed.prefix, "kept")
        marker = read_marker(kept) if os.path.isdir(kept) else None
        value |= {
            "prefix": installed.prefix,
            "installed": installed.state.installed,
            "kept": marker["version"] if marker else None,
        }
    texts = [f"{name}: {_flat(item)}" for name, item in value.items() if item is not None]
    return show(value, texts, as_json=as_json)


def licenses(job: Job, manifest: Manifest, *, as_json: bool) -> int:
    """Name each package's licence, and the files that carry its text, as its record tells."""
    rows: list[dict[str, Any]] = []
    reader = job.open_reader()
    for frame in manifest.records:
        raw = reader.read(frame)
        for file in frame.files:
            record = json.loads(raw[file.start : file.start + file.size])
            texts = [path for path in record["files"] if _is_license(path)]
            rows.append(
                {
                    "name": record["name"],
                    "version": record["version"],
                    "license": record.get("license"),
                    "files": texts,
                }
            )
    reader.close()
    rows.sort(key=lambda row: str(row["name"]))
    lines = [f"{row['name']} {row['version']}: {row['license'] or 'not stated'}" for row in rows]
    return show(rows, lines, as_json=as_json)


def _flat(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _is_license(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name.startswith(("licen", "copying", "notice")) and not name.endswith((".py", ".pyc"))

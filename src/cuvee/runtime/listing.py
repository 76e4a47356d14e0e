"""The verbs `list`, `info`, `licenses` and `sbom`: what an installer or a prefix holds."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from .added import Added
from .digest import sha256 as digest
from .failure import DAMAGED, MISSING, InstallError
from .job import Job
from .log import show
from .manifest import File, Frame, Manifest
from .state import INSTALLER, KEPT, Installed, beside, read_marker
from .verify import verify

SBOM = f"{KEPT}/sbom.cdx.json"
SCRIPTS = ("pre_install", "post_install", "pre_uninstall")


def list_packages(job: Job, manifest: Manifest) -> int:
    """Name an installer's packages."""
    return _list(manifest, [], job.options)


def list_installed(installed: Installed, options: frozenset[str]) -> int:
    """Name the release's packages, and those that were added to it."""
    return _list(installed.manifest, verify(installed, hashes=False).added, options)


def _list(manifest: Manifest, added: list[Added], options: frozenset[str]) -> int:
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
    rows += [{"name": one.name, "version": one.version, "added": one.by} for one in added]
    rows.sort(key=lambda row: str(row["name"]).lower())
    texts = [
        f"{row['name']} {row['version']} " + (f"added with {row['added']}" if row["added"] else row["build"])
        for row in rows
    ]
    return show(rows, texts, as_json="--json" in options)


def describe(job: Job, manifest: Manifest) -> int:
    """Say what an installer holds."""
    return _describe(manifest, job.manifest_sha256, {}, job.options)


def describe_installed(installed: Installed, options: frozenset[str]) -> int:
    """Say what a release is, where, and what is kept to repair it or to go back."""
    prefix = installed.prefix
    older = read_marker(beside(prefix, "kept"))
    place = f"{prefix}/{INSTALLER}"
    there = {
        "prefix": prefix,
        "installed": installed.state.installed,
        "kept": older["version"] if older else None,
        "installer": place if os.path.isfile(place) else None,
    }
    return _describe(installed.manifest, installed.sha256, there, options)


def _describe(manifest: Manifest, sha256: str, there: dict[str, Any], options: frozenset[str]) -> int:
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
    value |= there
    texts = [f"{name}: {_flat(item)}" for name, item in value.items() if item is not None]
    return show(value, texts, as_json="--json" in options)


def licenses(job: Job, manifest: Manifest) -> int:
    """Name each package's licence, and the files that carry its text, as its record tells."""
    rows: list[dict[str, Any]] = []
    for frame, raw in job.read(manifest.records):
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
    rows.sort(key=lambda row: str(row["name"]))
    lines = [f"{row['name']} {row['version']}: {row['license'] or 'not stated'}" for row in rows]
    return show(rows, lines, as_json="--json" in job.options)


def bill(job: Job, manifest: Manifest) -> int:
    """Print the bill of materials."""
    frame, file = _find_bill(manifest)
    ((_, raw),) = job.read([frame])
    return _print_bill(raw[file.start : file.start + file.size], file)


def bill_installed(installed: Installed, _: frozenset[str]) -> int:
    """Print that of a prefix, if it is the one that was installed."""
    file = _find_bill(installed.manifest)[1]
    try:
        with open(f"{installed.prefix}/{SBOM}", "rb") as stream:
            data = stream.read()
    except FileNotFoundError:
        data = b""
    return _print_bill(data, file)


def _find_bill(manifest: Manifest) -> tuple[Frame, File]:
    for frame in manifest.extras:
        for file in frame.files:
            if file.path == SBOM:
                return frame, file
    raise InstallError("This release carries no bill of materials.", MISSING)


def _print_bill(data: bytes, file: File) -> int:
    if digest(data) != file.sha256:
        raise InstallError(f"{SBOM} has been changed. Repair the release.", DAMAGED)
    sys.stdout.write(data.decode())
    return 0


def _flat(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _is_license(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name.startswith(("licen", "copying", "notice")) and not name.endswith((".py", ".pyc"))

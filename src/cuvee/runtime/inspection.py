"""What an installer or a prefix holds: `check`, `extract`, `dry-run`, `list`, `info`, `licenses`, `sbom`."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from . import prefix_swap
from .added_packages import AddedPackage, misfits
from .crash_recovery import recover
from .delta_base import refuse_base
from .failure import DAMAGED, MISSING, InstallError, damaged
from .file_operations import CREATE, remove_tree
from .hashing import sha256 as hash_of
from .image_signature import demand_same
from .install_checks import check_length, holds_older_release, is_same, refuse_downgrade
from .install_scripts import NAMES
from .installer_log import labelled, show
from .installer_run import InstallerRun
from .moved_prefix import moved_from
from .neighbours import find_other
from .payload_manifest import Frame, PayloadFile, PayloadManifest
from .prefix_lock import hold
from .prefix_metadata import changed_packages
from .prefix_state import INSTALLER, KEPT, InstalledRelease, beside, load, read_marker
from .prefix_writer import PrefixWriter
from .verify import verify

SBOM = f"{KEPT}/sbom.cdx.json"


def check(run: InstallerRun, manifest: PayloadManifest) -> int:
    """Check and decompress every frame, and check every file in it."""
    frames = [*manifest.frames(), *manifest.records]

    def compare(frame: Frame, raw: bytes) -> None:
        for file in frame.files:
            if hash_of(raw[file.start : file.start + file.size]) != file.sha256:
                raise damaged(file.path)

    run.read_all(frames, compare, "Checking")
    text = f"{manifest.label}: all {len(frames)} parts of this installer are whole"
    return show({"good": True, "parts": len(frames)}, [text], run.options)


def extract(run: InstallerRun, manifest: PayloadManifest) -> int:
    """Write the files to a new folder, as they are before the prefix is put into them."""
    with hold(run.prefix):
        recover(run.prefix, run.staged)
        holds_older_release(run.prefix, manifest.distribution, replace=False)
        _extract(run, manifest)
    return show({"folder": run.prefix}, [f"{manifest.label} was extracted to {run.prefix}"], run.options)


def _extract(run: InstallerRun, manifest: PayloadManifest) -> None:
    writer = PrefixWriter(run.staged, None, manifest)
    writer.begin()
    run.read_all(manifest.frames(), writer.write_frame, "Extracting")
    writer.make_links()
    for frame, raw in run.read(manifest.records):
        for file in frame.files:
            with open(os.open(f"{run.staged}/{file.path}", CREATE, 0o644), "wb") as stream:
                stream.write(raw[file.start : file.start + file.size])
    remove_tree(f"{run.staged}/.cuvee")
    writer.open_folder()
    prefix_swap.move_in(run.staged, run.prefix)


def dry_run(run: InstallerRun, manifest: PayloadManifest) -> int:
    """Describe what an installation would do; nothing is written."""
    check_length(run.prefix, manifest)
    delta = run.read_index()
    action, before, found, moved = "install", None, None, ""
    gone, new = changed_packages(None, manifest)
    if holds_older_release(run.prefix, manifest.distribution, replace="--replace" in run.options):
        old = load(run.prefix)
        if delta is not None and not is_same(run, old):
            refuse_base(delta, manifest, run.prefix, old)
        before, found = old.manifest.version, verify(old)
        gone, new = changed_packages(old, manifest)
        demand_same(old.manifest, manifest, run.options)
        refuse_downgrade(before, manifest.version, run.options)
        action, moved = "none" if is_same(run, old) else "upgrade", moved_from(old)
    lists = {
        "gone": gone,
        "new": new,
        "changed": found.changed if found else [],
        "carried": found.extra if found else [],
        "misfits": misfits(found.added, manifest) if found else [],
    }
    value = {"action": action, "prefix": run.prefix, "version": manifest.version, "before": before}
    value["moved_from"] = moved or None
    other = find_other(run, manifest) if delta is None and action != "none" else ""
    value["shares_with"] = other or None
    texts = [f"{manifest.label} in {run.prefix}: {action}"] + (labelled(**lists) if found else [])
    texts += [f"all files are installed again, since it was moved from {moved}"] if moved else []
    texts += [f"equal files are shared with {other}, where the file system can do that"] if other else []
    return show({**value, **lists}, texts, run.options)


def list_installed(installed: InstalledRelease, options: frozenset[str]) -> int:
    """List the release's packages, and those that were added to it."""
    return list_packages(installed.manifest, verify(installed, only=()).added, options)


def list_packages(manifest: PayloadManifest, added: list[AddedPackage], options: frozenset[str]) -> int:
    """List a release's packages, and those that were ``added``."""
    keys = ("name", "version", "build", "subdir", "sha256")
    rows: list[dict[str, str | None]] = [
        {**{key: getattr(package, key) for key in keys}, "added": None} for package in manifest.packages
    ]
    rows += [{"name": one.name, "version": one.version, "added": one.by} for one in added]
    rows.sort(key=lambda row: str(row["name"]).lower())
    texts = [
        f"{row['name']} {row['version']} "
        + (f"added with {row['added']}" if row["added"] else f"{row['build']}")
        for row in rows
    ]
    return show(rows, texts, options)


def describe_installed(installed: InstalledRelease, options: frozenset[str]) -> int:
    """Describe an installed release, and what is kept to repair it or to go back."""
    prefix = installed.prefix
    older = read_marker(beside(prefix, "kept"))
    installer = f"{prefix}/{INSTALLER}"
    where = {
        "prefix": prefix,
        "installed": installed.state.installed,
        "kept": older.version if older else None,
        "installer": installer if os.path.isfile(installer) else None,
    }
    return describe(installed.manifest, installed.sha256, where, options)


def describe(
    manifest: PayloadManifest, sha256: str, where: dict[str, str | None], options: frozenset[str]
) -> int:
    """Describe a release; ``where`` is what there is to say of its prefix."""
    frames = [*manifest.frames(), *manifest.records]
    files = {file.path for frame in frames for file in frame.files} | manifest.compiled().keys()
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
        "scripts": [name for name in NAMES if getattr(manifest.settings, name)],
        "manifest_sha256": sha256,
        "signed_by": None if manifest.key is None else manifest.key[0],
        **where,
    }
    texts = [
        f"{name}: {', '.join(map(str, item)) if isinstance(item, list) else item}"
        for name, item in value.items()
        if item is not None
    ]
    return show(value, texts, options)


def licenses(run: InstallerRun, manifest: PayloadManifest) -> int:
    """List each package's licence, and the files with its text, by conda's records."""
    rows: list[dict[str, Any]] = []
    for frame, raw in run.read(manifest.records):
        for file in frame.files:
            record = json.loads(raw[file.start : file.start + file.size])
            rows.append(
                {
                    "name": record["name"],
                    "version": record["version"],
                    "license": record.get("license"),
                    "files": [path for path in record["files"] if _is_license(path)],
                }
            )
    rows.sort(key=lambda row: str(row["name"]))
    lines = [f"{row['name']} {row['version']}: {row['license'] or 'not stated'}" for row in rows]
    return show(rows, lines, run.options)


def print_sbom(run: InstallerRun, manifest: PayloadManifest) -> int:
    """Print the bill of materials."""
    frame, file = _find_sbom(manifest.extras)
    ((_, raw),) = run.read([frame])
    return _print_sbom(raw[file.start : file.start + file.size], file)


def print_installed_sbom(installed: InstalledRelease, _: frozenset[str]) -> int:
    """Print the bill of materials of a prefix; raise if it is not the one that was installed."""
    file = _find_sbom(installed.manifest.extras)[1]
    try:
        with open(f"{installed.prefix}/{SBOM}", "rb") as stream:
            data = stream.read()
    except FileNotFoundError:
        data = b""
    return _print_sbom(data, file)


def _find_sbom(frames: list[Frame]) -> tuple[Frame, PayloadFile]:
    for frame in frames:
        for file in frame.files:
            if file.path == SBOM:
                return frame, file
    raise InstallError("This release carries no bill of materials.", MISSING)


def _print_sbom(data: bytes, file: PayloadFile) -> int:
    if hash_of(data) != file.sha256:
        raise InstallError(f"{SBOM} has been changed. Repair the release.", DAMAGED)
    sys.stdout.write(data.decode())
    return 0


def _is_license(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name.startswith(("licen", "copying", "notice")) and not name.endswith((".py", ".pyc"))

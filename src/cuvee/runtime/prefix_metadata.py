"""What makes a folder of files an environment and a release: records, history, runtime, state and marker."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import time

from . import outside_files
from .file_operations import files_below, remove_tree
from .hashing import sha256 as hash_of
from .hashing import sha256_of
from .imposed_modes import FOLDER, change
from .installer_run import InstallerRun
from .payload_manifest import FORMAT, Frame, PayloadManifest
from .prefix_state import (
    HISTORY,
    KEPT,
    MARKER,
    UNLISTED,
    InstalledRelease,
    PrefixState,
    belongs,
    write_state,
)
from .prefix_tree import PrefixTree
from .prefix_writer import PrefixWriter
from .shell_startup import quoted

_LAUNCHER = """#!/bin/sh
# Administers {title} {version}; made by its installer. `{distribution}-admin help` says more.
unset LD_LIBRARY_PATH
# By where it is, not by where it was installed: the release may have been moved, or copied.
self=$0
while [ -L "$self" ]; do
    next=$(readlink "$self") || exit 1
    case $next in
        /*) self=$next ;;
        *) case $self in */*) self=${{self%/*}}/$next ;; *) self=$next ;; esac ;;
    esac
done
case $self in */*) ;; *) self=./$self ;; esac
exec "${{self%/*}}"/../{python} -I -S -B -X utf8 "${{self%/*}}"/../{runtime} "$@"
"""


def write_metadata(
    run: InstallerRun, writer: PrefixWriter, data: bytes, old: InstalledRelease | None
) -> None:
    """Write all other metadata of a prefix whose files are there; ``old`` is the release that is upgraded."""
    _write_history(writer, old)
    keep_runtime(writer)
    remove_tree(f"{run.staged}/.cuvee")
    write_description(run, writer, data, old, at=writer.folder)


def write_description(
    run: InstallerRun, writer: PrefixWriter, data: bytes, old: InstalledRelease | None, *, at: str
) -> None:
    """Write the state of a release that is in the folder ``at`` now, the manifest's ``data``, and the marker.

    The marker tells a later installer that the prefix is its own, and which release it holds.
    """
    manifest = writer.manifest
    state = PrefixState(
        prefix=run.prefix,
        installed=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        masks=sorted({writer.imposed.mask, *writer.masks}),
        manifest_raw=run.manifest_raw,
        late=dict(sorted(writer.late.items())),
        own={path: described(f"{writer.folder}/{path}") for path in _own_files(writer)},
        outside=outside_files.plan(run.prefix, manifest, run.options, old, at=at),
    )
    write_state(writer.folder, state, data)
    marker = {
        "format": FORMAT,
        "distribution": manifest.distribution,
        "version": manifest.version,
        "title": manifest.title,
        "platform": manifest.platform,
        "manifest_sha256": run.manifest_sha256,
        "packages": [package.stem for package in manifest.packages],
    }
    text = json.dumps(marker, indent=2, ensure_ascii=False) + "\n"
    _write(f"{writer.folder}/{MARKER}", text, sync=True)


def write_records(run: InstallerRun, writer: PrefixWriter, records: list[Frame]) -> None:
    """Write conda's records, after the files whose digests some of them wait for."""
    for frame, raw in run.read(records):
        writer.write_frame(frame, raw)
        for file in frame.files:
            if file.how != "record" or not writer.wants(file.path):
                continue
            record = json.loads(raw[file.start : file.start + file.size])
            lines = record["paths_data"]["paths"]
            for number, path in file.extra:  # the number of a line, and that line's file
                line = lines[number]
                key = "sha256" if "entry_point" in line["path_type"] else "sha256_in_prefix"
                line[key], line["size_in_bytes"] = writer.late[path]
            text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
            data = text.encode()
            writer.late[file.path] = (hash_of(data), len(data))
            _write(f"{writer.folder}/{file.path}", text)


def _write_history(writer: PrefixWriter, old: InstalledRelease | None) -> None:
    """Continue conda's history with what was unlinked and linked, and with what was requested.

    The format is that of https://github.com/conda/conda/blob/main/conda/history.py.
    """
    manifest, before = writer.manifest, ""
    gone, new = changed_packages(old, manifest)
    if old is not None and belongs(old.prefix):
        with contextlib.suppress(OSError):
            before = PrefixTree(old.prefix).read(HISTORY).decode(errors="replace")
    lines = [
        f"==> {time.strftime('%Y-%m-%d %H:%M:%S')} <==",
        f"# cmd: {manifest.distribution} {manifest.version} installer",
        *(f"-{name}" for name in gone),
        *(f"+{name}" for name in new),
    ]
    if manifest.requested:
        lines.append(f"# update specs: {json.dumps(manifest.requested)}")
    _write(f"{writer.folder}/{HISTORY}", before + "\n".join(lines) + "\n")


def changed_packages(old: InstalledRelease | None, new: PayloadManifest) -> tuple[list[str], list[str]]:
    """Return the packages that only the old or only the new release has."""
    before, after = set() if old is None else old.manifest.listed(), new.listed()
    return sorted(before - after), sorted(after - before)


def keep_runtime(writer: PrefixWriter) -> None:
    """Move the runtime to where it stays in the prefix, and write the command that starts it there."""
    staged, kept = f"{writer.folder}/.cuvee/runtime", f"{writer.folder}/{KEPT}"
    os.makedirs(kept, FOLDER, exist_ok=True)
    if os.path.isdir(staged):  # on Windows it runs, and is kept, elsewhere
        os.rename(staged, f"{kept}/runtime")
        writer.imposed.apply(kept, [(f"runtime/{path}", 0o644) for path in files_below(f"{kept}/runtime")])
    manifest = writer.manifest
    if manifest.system == "win":
        return
    command = f"{writer.folder}/{manifest.command}"
    text = launcher(
        title=manifest.title,
        version=manifest.version,
        distribution=manifest.distribution,
        interpreter=manifest.interpreter,
    )
    _write(command, text)
    change(command, 0o755 & ~writer.imposed.mask)


def launcher(*, title: str, version: str, distribution: str, interpreter: str) -> str:
    """Return the command of a prefix that starts the runtime there."""
    return _LAUNCHER.format(
        title=" ".join(title.split()),
        version=version,
        distribution=distribution,
        python=quoted(interpreter),
        runtime=f"{KEPT}/runtime/__main__.py",
    )


def _own_files(writer: PrefixWriter) -> list[str]:
    """Return the files of a finished prefix that belong to no package: the runtime, its command."""
    manifest, folder = writer.manifest, writer.folder
    packaged = {file.path for frame in manifest.frames() for file in frame.files}
    packaged.update(entry.path for entry in manifest.stage0)
    packaged.update(manifest.links())
    found = [name for name in os.listdir(folder) if os.path.isfile(f"{folder}/{name}")]
    for parent, _, names in os.walk(f"{folder}/{KEPT}"):
        relative = os.path.relpath(parent, folder).replace(os.sep, "/")
        found += [f"{relative}/{name}" for name in names]
    found += [manifest.command] if os.path.isfile(f"{folder}/{manifest.command}") else []
    return sorted(set(found) - packaged - UNLISTED)


def described(path: str) -> tuple[int, str, int]:
    """Return a file's mode, SHA-256 and size."""
    with open(path, "rb") as stream:
        found = os.stat(path)
        return stat.S_IMODE(found.st_mode), sha256_of(stream.read, found.st_size), found.st_size


def _write(path: str, text: str, *, sync: bool = False) -> None:
    # Whatever the umask is, only the owner may change it: that is the mode that `verify` expects.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with open(handle, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        if sync:
            stream.flush()
            os.fsync(stream.fileno())

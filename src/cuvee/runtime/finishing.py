"""What makes a folder of files an environment and a release: records, history, and what its verbs need."""

from __future__ import annotations

import json
import os
import stat
import time

from . import outside, state
from .digest import sha256 as digest
from .digest import sha256_of
from .entries import quoted
from .job import Job
from .manifest import FORMAT, Frame
from .placing import remove_tree
from .writing import Prefix

_LAUNCHER = """#!/bin/sh
# Administers {title} {version}; made by its installer. `{distribution}-admin help` tells more.
unset LD_LIBRARY_PATH
exec {python} -I -S -B -X utf8 {runtime} "$@"
"""


def finish(
    job: Job,
    prefix: Prefix,
    data: bytes,
    *,
    history: tuple[str, list[str], list[str]],
    before: state.Outside | None = None,
) -> None:
    """Write all that makes a folder of files an environment and a release.

    ``before`` is what the release that is upgraded has outside of the prefix.
    """
    prefix.only = None
    write_records(job, prefix)
    write_history(prefix, *history)
    keep_runtime(prefix, job.prefix)
    remove_tree(f"{job.staged}/.cuvee")
    there = outside.plan(
        job.prefix, prefix.manifest, job.options, before or state.Outside(), at=prefix.folder
    )
    write_state(prefix, job.prefix, data, job.manifest_raw, there)
    write_marker(prefix, job.manifest_sha256)


def write_records(job: Job, prefix: Prefix) -> None:
    """Write conda's records, after the files whose digests some of them wait for."""
    for frame, raw in job.read(prefix.manifest.records):
        prefix.write_frame(frame, raw)
        complete_records(prefix, frame, raw)


def complete_records(prefix: Prefix, frame: Frame, raw: bytes) -> None:
    """Write the records that had to wait for the digests of relocated files.

    A record's ``extra`` lists pairs: the number of a line in its ``paths``, and that line's file.
    """
    for file in frame.files:
        if file.how != "record" or not prefix.wants(file.path):
            continue
        record = json.loads(raw[file.start : file.start + file.size])
        lines = record["paths_data"]["paths"]
        for number, path in file.extra:
            line = lines[number]
            key = "sha256" if "entry_point" in line["path_type"] else "sha256_in_prefix"
            line[key], line["size_in_bytes"] = prefix.late[path]
        text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
        data = text.encode()
        prefix.late[file.path] = (digest(data), len(data))
        _write(f"{prefix.folder}/{file.path}", text)


def write_history(prefix: Prefix, before: str, gone: list[str], new: list[str]) -> None:
    """Continue conda's history with what was unlinked and linked, and with what was asked for."""
    manifest = prefix.manifest
    lines = [
        f"==> {time.strftime('%Y-%m-%d %H:%M:%S')} <==",
        f"# cmd: {manifest.distribution} {manifest.version} installer",
        *(f"-{name}" for name in gone),
        *(f"+{name}" for name in new),
    ]
    if manifest.requested:
        lines.append(f"# update specs: {json.dumps(manifest.requested)}")
    _write(f"{prefix.folder}/conda-meta/history", before + "\n".join(lines) + "\n")


def keep_runtime(prefix: Prefix, target: str) -> None:
    """Let the runtime stay in the prefix, with a command that starts it there."""
    staged, kept = f"{prefix.folder}/.cuvee/runtime", f"{prefix.folder}/{state.KEPT}"
    os.makedirs(kept, exist_ok=True)
    if os.path.isdir(staged):  # on Windows it runs, and is kept, elsewhere
        os.rename(staged, f"{kept}/runtime")
    manifest = prefix.manifest
    if manifest.platform.startswith("win-"):
        return
    text = _LAUNCHER.format(
        title=" ".join(manifest.title.split()),
        version=manifest.version,
        distribution=manifest.distribution,
        python=quoted(f"{target}/{manifest.interpreter}"),
        runtime=quoted(f"{target}/{state.KEPT}/runtime/__main__.py"),
    )
    command = f"{prefix.folder}/bin/{manifest.distribution}-admin"
    _write(command, text)
    os.chmod(command, 0o755)  # noqa: S103 - a command that everybody may run


def write_state(prefix: Prefix, target: str, data: bytes, raw: int, there: state.Outside) -> None:
    """Keep the manifest's bytes ``data`` and what the verbs must know besides."""
    mask = os.umask(0o022)
    os.umask(mask)
    value = state.State(
        prefix=target,
        installed=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        masks=sorted({mask, *prefix.masks}),
        manifest_raw=raw,
        late={path: list(pair) for path, pair in sorted(prefix.late.items())},
        own={path: described(f"{prefix.folder}/{path}") for path in own_files(prefix)},
        outside=there,
    )
    state.write(prefix.folder, value, data)


def own_files(prefix: Prefix) -> list[str]:
    """Name the files of a finished prefix that belong to no package: the runtime, its command."""
    manifest, folder = prefix.manifest, prefix.folder
    told = {file.path for frame in manifest.frames() for file in frame.files}
    told.update(early.path for early in manifest.stage0)
    told.update(path for package in manifest.packages for path, _ in package.links)
    found = [name for name in os.listdir(folder) if os.path.isfile(f"{folder}/{name}")]
    for parent, _, names in os.walk(f"{folder}/{state.KEPT}"):
        relative = os.path.relpath(parent, folder).replace(os.sep, "/")
        found += [f"{relative}/{name}" for name in names]
    commands = (f"bin/{manifest.distribution}-admin", f"Scripts/{manifest.distribution}-admin.cmd")
    found += [command for command in commands if os.path.isfile(f"{folder}/{command}")]
    return sorted(set(found) - told - {state.STATE, state.MANIFEST, *state.LOGS})


def write_marker(prefix: Prefix, manifest_sha256: str) -> None:
    """Write what tells a later installer that the prefix is its own, and which release it holds."""
    manifest = prefix.manifest
    marker = {
        "format": FORMAT,
        "distribution": manifest.distribution,
        "version": manifest.version,
        "title": manifest.title,
        "platform": manifest.platform,
        "manifest_sha256": manifest_sha256,
        "packages": [package.stem for package in manifest.packages],
    }
    text = json.dumps(marker, indent=2, ensure_ascii=False) + "\n"
    _write(f"{prefix.folder}/{state.MARKER}", text, sync=True)


def described(place: str) -> list[object]:
    """Give a file's mode, SHA-256 and size."""
    with open(place, "rb") as stream:
        found = os.stat(place)
        return [stat.S_IMODE(found.st_mode), sha256_of(stream.read, found.st_size), found.st_size]


def _write(path: str, text: str, *, sync: bool = False) -> None:
    # Whatever the umask is, nobody but the owner changes it: that is the mode that `verify` expects.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with open(handle, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        if sync:
            stream.flush()
            os.fsync(stream.fileno())

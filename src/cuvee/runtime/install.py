"""The verb `install`: from an installer's payload to a finished prefix, or nothing.

An upgrade is an install beside the release that is there. Files that this had too are not decompressed: they
are checked and linked. A delta has only the others, so it needs the release that is there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from . import (
    desktop_byte_code,
    image_signature,
    install_scripts,
    installer_log,
    kept_installer,
    moved_prefix,
    outside_files,
    transaction,
)
from .crash_recovery import recover
from .delta_base import refuse_base
from .delta_frames import DeltaFrames, brings_stage0, resolve
from .equal_files import SharedFiles, share_files
from .failure import InstallError
from .file_operations import remove_tree
from .install_checks import check_length, check_space, holds_older_release, is_same, refuse_downgrade
from .installer_run import InstallerRun, ProgressLine
from .neighbours import find_other
from .payload_manifest import Frame, PayloadManifest
from .prefix_lock import hold
from .prefix_metadata import write_metadata, write_records
from .prefix_state import InstalledRelease, load
from .prefix_writer import PrefixWriter
from .upgrade import Upgrade


def install(run: InstallerRun) -> int:
    """Install, or upgrade the release that is there.

    Options: ``--replace`` an older release may be upgraded; ``--force`` also by an older or the same one;
    ``--no-keep`` removes the old one. ``--compile-later`` leaves byte code to the caller.
    """
    data = run.manifest_bytes()
    manifest = run.read_manifest(data)
    check_length(run.prefix, manifest)
    with hold(run.prefix):
        recover(run.prefix, run.staged)
        old = load(run.prefix) if _is_upgrade(run, manifest) else None
        if old is not None and is_same(run, old):
            # Only what options request is added to the very release that is there.
            outside_files.refresh(kept_installer.add(run, old), run.options)
            remove_tree(run.staged)
            message = f"{manifest.label} is installed already in {run.prefix}"
            installer_log.note(run.prefix, "install", 0, message, {"version": manifest.version})
            ProgressLine("", 0).finish(message)
        else:
            _make(run, manifest, data, old)
        if manifest.compiled() and "--compile-later" not in run.options:
            desktop_byte_code.complete(load(run.prefix))
    return 0


def _is_upgrade(run: InstallerRun, manifest: PayloadManifest) -> bool:
    return holds_older_release(run.prefix, manifest.distribution, replace="--replace" in run.options)


def _make(run: InstallerRun, manifest: PayloadManifest, data: bytes, old: InstalledRelease | None) -> None:
    if old is not None:
        image_signature.demand_same(old.manifest, manifest, run.options)
        refuse_downgrade(old.manifest.version, manifest.version, run.options)
        if old.state.prefix != run.prefix:  # the older one could not run here
            run = run._replace(options=run.options | {"--no-keep"})
    delta = _read_delta(run, manifest, old)
    other = find_other(run, manifest) if delta is None else ""
    folder = f"{run.staged}/.cuvee"
    install_scripts.run("pre_install", manifest, run.prefix, folder, run.options, installer=run.installer)
    writer = PrefixWriter(run.staged, run.prefix, manifest)
    if delta is not None and not brings_stage0(manifest):
        writer.unpacked = []
    contents = _Contents(run, writer, delta)
    # A script may change a file in place, which must not be another release's too.
    link, upgrade = not transaction.is_on_trial(run, manifest), None
    if old is None:
        writer.begin()
    else:
        upgrade = Upgrade(old, writer, delta, link=link)
        # Copies need their space first, and what another release has need not be written. On other systems
        # nothing is read meanwhile, see `forked_work`, so the progress would be at its end before the work.
        is_early = sys.platform == "linux" and link and not other
        upgrade.take(contents.write if is_early else lambda: None, contents.records)
    shared = SharedFiles([], {})
    if delta is None:
        shared = share_files(run, writer, other, link=link)
    progress = contents.write()
    writer.make_links()
    kept_installer.keep(run, manifest)
    write_metadata(run, writer, data, old)
    lines = [f"{manifest.label} is installed in {run.prefix}"]
    details: dict[str, Sequence[str]] = {"version": manifest.version}
    if upgrade is not None:
        upgrade.bring_over()
        lines, details = upgrade.report()
        if delta is not None and kept_installer.is_wanted(run, manifest):
            lines.append(
                "No installer is kept for repairs any more, since a delta has not all of the release: "
                f"run the whole installer of {manifest.label} here to keep that"
            )
    elif _is_upgrade(run, manifest):  # somebody may have saved a file there meanwhile
        raise InstallError(f"{run.prefix} has been filled by somebody else meanwhile.")
    lines += shared.lines
    details = {**details, **shared.details}
    installer_log.note(run.staged, "upgrade" if upgrade else "install", 0, lines[0], details)
    writer.open_folder()
    elsewhere = moved_prefix.kept_elsewhere(old) if old is not None else {}
    transaction.commit(run, manifest, is_upgrade=upgrade is not None)
    moved_prefix.remove_kept(elsewhere)
    progress.finish("\n".join(lines))


def _read_delta(
    run: InstallerRun, manifest: PayloadManifest, old: InstalledRelease | None
) -> DeltaFrames | None:
    """Return what a delta has; `None` if the installer has the whole release."""
    index = run.read_index()
    if index is None:
        return None
    refuse_base(index, manifest, run.prefix, old)
    return None if old is None else resolve(index, manifest, old.manifest)


class _Contents:
    """What an installer has of a release."""

    def __init__(self, run: InstallerRun, writer: PrefixWriter, delta: DeltaFrames | None) -> None:
        self.frames = writer.manifest.frames() if delta is None else delta.frames
        self.records = writer.manifest.records if delta is None else delta.records
        self._run = run
        self._writer = writer

    def write(self) -> ProgressLine:
        """Write what is not there yet."""
        run, writer = self._run, self._writer
        frames, records = writer.left(self.frames), writer.left(self.records)
        _check_space(run, writer, [*frames, *records])
        progress = run.read_all(frames, writer.write_frame, "Upgrading" if writer.masks else "Installing")
        write_records(run, writer, records)
        writer.taken.update(file.path for frame in [*frames, *records] for file in frame.files)
        return progress


def _check_space(run: InstallerRun, writer: PrefixWriter, frames: list[Frame]) -> None:
    needed = writer.bytes_to_write(frames)
    if os.name != "nt" and kept_installer.is_requested(run, writer.manifest):  # there it is copied already
        needed += os.stat(run.installer).st_size
    check_space(run.staged, run.anchor, writer.manifest.label, needed)

"""The verb `install`: from an installer's payload to a finished prefix, or nothing.

An upgrade is an install beside the release that is there, which uses that one's unchanged files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from . import image_signature, install_scripts, installer_log, kept_installer, outside_files, transaction
from .crash_recovery import recover
from .failure import InstallError
from .file_operations import remove_tree
from .install_checks import check_length, check_space, holds_older_release, refuse_downgrade
from .installer_run import InstallerRun, ProgressLine
from .payload_manifest import PayloadManifest
from .prefix_lock import hold
from .prefix_metadata import write_metadata
from .prefix_state import InstalledRelease, load
from .prefix_writer import PrefixWriter
from .upgrade import Upgrade


def install(run: InstallerRun, on_commit: Callable[[], None]) -> int:
    """Install, or upgrade the release that is there; ``on_commit`` is called before the last step.

    Options: ``--replace`` an older release may be upgraded; ``--force`` also by an older or the same one;
    ``--no-keep`` removes the old one.
    """
    data = run.manifest_bytes()
    manifest = run.read_manifest(data)
    check_length(run.prefix, manifest)
    with hold(run.prefix):
        recover(run.prefix)
        old = load(run.prefix) if _is_upgrade(run, manifest) else None
        if old is not None and old.sha256 == run.manifest_sha256 and "--force" not in run.options:
            _refresh(run, old)
        else:
            _make(run, manifest, data, old, on_commit)
    return 0


def _is_upgrade(run: InstallerRun, manifest: PayloadManifest) -> bool:
    return holds_older_release(run.prefix, manifest.distribution, replace="--replace" in run.options)


def _refresh(run: InstallerRun, old: InstalledRelease) -> None:
    """Add what options request to the very release that is there."""
    outside_files.refresh(kept_installer.add(run, old), run.options)
    remove_tree(run.staged)
    message = f"{old.manifest.label} is installed already in {run.prefix}"
    installer_log.note(run.prefix, "install", 0, message, {"version": old.manifest.version})
    ProgressLine("", 0).finish(message)


def _make(
    run: InstallerRun,
    manifest: PayloadManifest,
    data: bytes,
    old: InstalledRelease | None,
    on_commit: Callable[[], None],
) -> None:
    if old is not None:
        image_signature.demand_same(old.manifest, manifest, run.options)
        refuse_downgrade(old.manifest.version, manifest.version, run.options)
    folder = f"{run.staged}/.cuvee"
    install_scripts.run("pre_install", manifest, run.prefix, folder, run.options, installer=run.installer)
    writer = PrefixWriter(run.staged, run.prefix, manifest)
    writer.begin()
    frames, upgrade = manifest.frames(), None
    if old is not None:
        writer.masks = old.state.masks
        # A script may change a file in place, which must not be the old release's too.
        upgrade = Upgrade(old, writer, link=not transaction.is_on_trial(run, manifest))
        frames = upgrade.link_unchanged()
    _check_space(run, writer)  # where nothing can be linked, the copies are made by now
    progress = run.read_all(frames, writer.write_frame, "Upgrading" if upgrade else "Installing")
    writer.only = None
    writer.make_links()
    kept_installer.keep(run, manifest)
    write_metadata(run, writer, data, old)
    lines = [f"{manifest.label} is installed in {run.prefix}"]
    details: dict[str, Sequence[str]] = {"version": manifest.version}
    if upgrade is not None:
        upgrade.bring_over()
        lines, details = upgrade.report()
    elif _is_upgrade(run, manifest):  # somebody may have saved a file there meanwhile
        raise InstallError(f"{run.prefix} has been filled by somebody else meanwhile.")
    installer_log.note(run.staged, "upgrade" if upgrade else "install", 0, lines[0], details)
    transaction.commit(run, manifest, on_commit, is_upgrade=upgrade is not None)
    progress.finish("\n".join(lines))


def _check_space(run: InstallerRun, writer: PrefixWriter) -> None:
    needed = writer.bytes_to_write()
    if os.name != "nt" and kept_installer.is_requested(run, writer.manifest):  # there it is copied already
        needed += os.stat(run.installer).st_size
    check_space(run.staged, run.anchor, writer.manifest.label, needed)

"""The verb `install`: from an installer's payload to a finished prefix, or nothing.

An upgrade is an install beside the release that is there, which uses that one's unchanged files.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from . import (
    image_signature,
    install_scripts,
    installer_log,
    kept_installer,
    outside_files,
    prefix_swap,
    transaction,
)
from .crash_recovery import recover
from .failure import InstallError
from .file_operations import remove_tree
from .install_checks import check_length, check_space, holds_older_release, refuse_downgrade
from .installer_run import InstallerRun, ProgressLine
from .payload_manifest import PayloadManifest
from .prefix_lock import hold
from .prefix_metadata import write_metadata
from .prefix_state import InstalledRelease, OutsideFiles, load
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
        if old is None:
            _install_new(run, manifest, data, on_commit)
        elif old.sha256 == run.manifest_sha256 and "--force" not in run.options:
            _refresh(run, old)
        else:
            _upgrade(run, manifest, data, old, on_commit)
    return 0


def _is_upgrade(run: InstallerRun, manifest: PayloadManifest) -> bool:
    return holds_older_release(run.prefix, manifest.distribution, replace="--replace" in run.options)


def _install_new(
    run: InstallerRun, manifest: PayloadManifest, data: bytes, on_commit: Callable[[], None]
) -> None:
    writer = PrefixWriter(run.staged, run.prefix, manifest)
    _check_space(run, writer)
    _run_pre_install(run, manifest)
    writer.begin()
    progress = run.read_all(manifest.frames(), writer.write_frame, "Installing")
    writer.make_links()
    kept_installer.keep(run, manifest)
    new = sorted(manifest.listed())
    write_metadata(run, writer, data, history="", gone=[], new=new, before=OutsideFiles())
    message = f"{manifest.label} is installed in {run.prefix}"
    installer_log.note(run.staged, "install", 0, message, {"version": manifest.version})
    if _is_upgrade(run, manifest):  # somebody may have saved a file there meanwhile
        raise InstallError(f"{run.prefix} has been filled by somebody else meanwhile.")
    transaction.commit(run, manifest, lambda: prefix_swap.place(run.staged, run.prefix), on_commit)
    progress.finish(message)


def _refresh(run: InstallerRun, old: InstalledRelease) -> None:
    """Add what options request to the very release that is there."""
    outside_files.refresh(kept_installer.add(run, old), run.options)
    remove_tree(run.staged)
    message = f"{old.manifest.label} is installed already in {run.prefix}"
    installer_log.note(run.prefix, "install", 0, message, {"version": old.manifest.version})
    ProgressLine("", 0).finish(message)


def _upgrade(
    run: InstallerRun,
    manifest: PayloadManifest,
    data: bytes,
    old: InstalledRelease,
    on_commit: Callable[[], None],
) -> None:
    image_signature.demand_same(old.manifest, manifest, run.options)
    refuse_downgrade(old.manifest.version, manifest.version, run.options)
    _run_pre_install(run, manifest)
    writer = PrefixWriter(run.staged, run.prefix, manifest)
    writer.masks = old.state.masks
    writer.begin()
    # A script may change a file in place, which must not be the old release's too.
    upgrade = Upgrade(old, writer, link=not transaction.is_on_trial(run, manifest))
    frames = upgrade.link_unchanged()
    _check_space(run, writer)  # where nothing can be linked, the copies are made by now
    progress = run.read_all(frames, writer.write_frame, "Upgrading")
    writer.only = None
    writer.make_links()
    kept_installer.keep(run, manifest)
    write_metadata(
        run, writer, data,
        history=upgrade.history(), gone=upgrade.gone, new=upgrade.new, before=old.state.outside,
    )  # fmt: skip
    upgrade.bring_over()
    message = f"{manifest.title} {old.manifest.version} was upgraded to {manifest.version} in {run.prefix}"
    details = {"version": manifest.version, "before": old.manifest.version, **upgrade.details()}
    installer_log.note(run.staged, "upgrade", 0, message, details)
    transaction.commit(
        run,
        manifest,
        lambda: prefix_swap.put(run.staged, run.prefix),
        on_commit,
        settle=lambda: prefix_swap.settle(run.staged, run.prefix, keep="--no-keep" not in run.options),
    )
    progress.finish("\n".join([message, *upgrade.summary()]))


def _run_pre_install(run: InstallerRun, manifest: PayloadManifest) -> None:
    folder = f"{run.staged}/.cuvee"
    install_scripts.run("pre_install", manifest, run.prefix, folder, run.options, installer=run.installer)


def _check_space(run: InstallerRun, writer: PrefixWriter) -> None:
    needed = writer.bytes_to_write()
    if os.name != "nt" and kept_installer.is_requested(run, writer.manifest):  # there it is copied already
        needed += os.stat(run.installer).st_size
    check_space(run.staged, run.anchor, writer.manifest.label, needed)

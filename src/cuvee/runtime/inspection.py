"""The installer's verbs `check`, `extract` and `dry-run`."""

from __future__ import annotations

from . import prefix_swap
from .added_packages import misfits
from .crash_recovery import recover
from .failure import damaged
from .file_operations import remove_tree
from .hashing import sha256 as hash_of
from .image_signature import demand_same
from .install_checks import check_length, holds_older_release, refuse_downgrade
from .installer_log import labelled, show
from .installer_run import InstallerRun
from .payload_manifest import Frame, PayloadManifest
from .prefix_metadata import changed_packages
from .prefix_state import load
from .prefix_writer import PrefixWriter
from .verify import verify


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
    recover(run.prefix)
    holds_older_release(run.prefix, manifest.distribution, replace=False)
    writer = PrefixWriter(run.staged, None, manifest)
    writer.begin()
    run.read_all(manifest.frames(), writer.write_frame, "Extracting")
    writer.make_links()
    for frame, raw in run.read(manifest.records):
        for file in frame.files:
            with open(f"{run.staged}/{file.path}", "xb") as stream:
                stream.write(raw[file.start : file.start + file.size])
    remove_tree(f"{run.staged}/.cuvee")
    prefix_swap.move_in(run.staged, run.prefix)
    return show({"folder": run.prefix}, [f"{manifest.label} was extracted to {run.prefix}"], run.options)


def dry_run(run: InstallerRun, manifest: PayloadManifest) -> int:
    """Describe what an installation would do; nothing is written."""
    check_length(run.prefix, manifest)
    action, before, found = "install", None, None
    gone, new = changed_packages(None, manifest)
    if holds_older_release(run.prefix, manifest.distribution, replace="--replace" in run.options):
        old = load(run.prefix)
        before, found = old.manifest.version, verify(old)
        gone, new = changed_packages(old, manifest)
        demand_same(old.manifest, manifest, run.options)
        refuse_downgrade(before, manifest.version, run.options)
        is_same = old.sha256 == run.manifest_sha256 and "--force" not in run.options
        action = "none" if is_same else "upgrade"
    lists = {
        "gone": gone,
        "new": new,
        "changed": found.changed if found else [],
        "carried": found.extra if found else [],
        "misfits": misfits(found.added, manifest) if found else [],
    }
    value = {"action": action, "prefix": run.prefix, "version": manifest.version, "before": before}
    texts = [f"{manifest.label} in {run.prefix}: {action}"] + (labelled(**lists) if found else [])
    return show({**value, **lists}, texts, run.options)

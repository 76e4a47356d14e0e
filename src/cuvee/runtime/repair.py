"""The verb `repair`: restore what `verify` finds, from the installer of the same release.

Only the frames that hold what is damaged are decompressed. What is replaced is kept in `cuvee-saved`, since a
file that rotted looks like one that somebody edited.
"""

from __future__ import annotations

import os

from . import desktop_byte_code, installer_log, kept_installer, outside_files
from .crash_recovery import recover
from .delta_base import refuse_verb
from .failure import FAILED, InstallError
from .file_operations import remove_tree, save
from .imposed_modes import change, imposed_modes
from .install_checks import refuse_others
from .installer_run import InstallerRun
from .moved_prefix import refuse_moved
from .payload_manifest import PayloadManifest
from .prefix_lock import hold
from .prefix_metadata import keep_runtime, write_description, write_records
from .prefix_state import INSTALLER, MANIFEST, MARKER, STATE, InstalledRelease, PrefixState, load, read_marker
from .prefix_tree import PrefixTree
from .prefix_writer import RELOCATED, PrefixWriter
from .verify import Differences, expected_files, verify


def repair(run: InstallerRun) -> int:
    """Restore changed and missing files, modes and links; return 1 if something is left that differs.

    Byte code that the installer does not have is made.
    """
    data = run.manifest_bytes()
    manifest = run.read_manifest(data)
    if run.read_index() is not None:
        refuse_verb("repair", manifest)
    with hold(run.prefix):
        recover(run.prefix, run.staged)
        check_same(run, manifest)
        installed, is_known = load_or_guess(run, manifest)
        refuse_moved(installed)
        found = verify(installed)
        wrong = _wrong(found)
        wrong |= {*found.waiting}
        tree = PrefixTree(run.prefix)
        blocked = {path: way for path in wrong if (way := tree.in_the_way(path))}
        wrong -= blocked.keys()
        compiled = wrong & manifest.compiled().keys()
        wrong -= compiled
        saved: list[str] = []
        if not is_known:
            wrong |= {INSTALLER} if kept_installer.is_requested(run, manifest) else set()
            writer = _make(run, installed, wrong)
            if way := tree.in_the_way(STATE):
                raise InstallError(f"{run.prefix}/{way} is a link or a file. Move it away.")
            # It describes what was made, so that must still be there.
            write_description(run, writer, data, installed, at=run.prefix)
            _move(writer, tree, wrong)
            _move(writer, tree, {STATE, MANIFEST, MARKER})
        elif wrong or compiled:
            changed = [path for path in found.changed if path in wrong | compiled]
            saved = save(run.prefix, run.prefix, changed, manifest.version)
            if wrong:
                _move(_make(run, installed, wrong), tree, wrong)
        now = load(run.prefix)
        unmade = desktop_byte_code.make(now, sorted(compiled))
        wrong |= compiled
        # Without the state, the first comparison knew only half of what should be there.
        after = verify(now, only=wrong if is_known else None)
        left = _wrong(after) | {*after.waiting} | blocked.keys()
        outside_files.apply(now)
    remove_tree(run.staged)
    code = FAILED if left else 0
    restored = sorted(wrong - left)
    message = f"{manifest.label} in {run.prefix}: {len(restored)} files were restored"
    details = {"version": manifest.version, "restored": restored, "saved": saved}
    installer_log.note(run.prefix, "repair", code, message, details)
    ways = sorted({*blocked.values()})
    value = {
        "prefix": run.prefix,
        "restored": restored,
        "saved": saved,
        "left": sorted(left),
        "in_the_way": ways,
    }
    texts = installer_log.labelled(
        restored=restored, what_was_there_is_now=saved, could_not_be_restored=sorted(left)
    )
    texts += (
        [f"{len(unmade.paths):,} files of byte code were not made, {unmade.reason}"] if unmade.paths else []
    )
    texts += [f"in the way: {way}, which the release does not have there; move it away" for way in ways]
    installer_log.show(value, [*texts, message], run.options)
    return code


def check_same(run: InstallerRun, manifest: PayloadManifest) -> None:
    """Raise if a prefix does not hold the very release that the installer carries."""
    refuse_others(run.prefix)
    marker = read_marker(run.prefix)
    if marker is None and not os.path.isfile(f"{run.prefix}/{STATE}"):
        raise InstallError(f"{run.prefix} holds no release, so there is nothing to repair or remove.")
    if marker is not None and marker.manifest_sha256 != run.manifest_sha256:
        raise InstallError(
            f"{run.prefix} holds {marker.title} {marker.version}, which is not what this "
            f"installer of {manifest.label} carries. Use its own installer, or upgrade."
        )


def load_same(run: InstallerRun, manifest: PayloadManifest) -> InstalledRelease:
    """Return the release in a prefix, which must be the installer's own, even if its state is lost."""
    check_same(run, manifest)
    return load_or_guess(run, manifest)[0]


def load_or_guess(run: InstallerRun, manifest: PayloadManifest) -> tuple[InstalledRelease, bool]:
    """Return the release in the prefix, and whether the prefix still has its state.

    Without the state, everything that depends on the prefix counts as missing.
    """
    try:
        return load(run.prefix), True
    except InstallError:
        masks = [imposed_modes(run.staged).mask]
        state = PrefixState(run.prefix, "", masks, run.manifest_raw, {}, {})
        return InstalledRelease(run.prefix, run.manifest_sha256, manifest, state), False


def _wrong(found: Differences) -> set[str]:
    return {*found.changed, *found.missing, *found.modes}


def _make(run: InstallerRun, installed: InstalledRelease, wrong: set[str]) -> PrefixWriter:
    """Write files again, to the staged folder."""
    manifest = installed.manifest
    writer = PrefixWriter(run.staged, run.prefix, manifest)
    for file in (file for frame in manifest.frames() for file in frame.files):
        if file.how in RELOCATED:
            writer.late[file.path] = (file.sha256, file.size)
    writer.late.update(installed.state.late)
    writer.only = wrong
    writer.begin()
    frames = [frame for frame in manifest.frames() if any(file.path in wrong for file in frame.files)]
    run.read_all(frames, writer.write_frame, "Repairing")
    writer.make_links()
    write_records(run, writer, manifest.records)
    keep_runtime(writer)
    if INSTALLER in wrong:
        kept_installer.keep(run, manifest)
    for path, expected in expected_files(installed)[0].items():
        made = f"{run.staged}/{path}"
        if path in wrong and os.path.lexists(made):  # the place may give other modes than it gave then
            change(made, expected.modes(installed.state.masks)[0])
    return writer


def _move(made: PrefixWriter, tree: PrefixTree, paths: set[str]) -> None:
    """Put each file in its place with one rename."""
    for path in sorted(paths):
        if os.path.lexists(f"{made.folder}/{path}"):
            tree.put(f"{made.folder}/{path}", path)

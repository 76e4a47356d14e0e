"""The verb `install`: from an installer's payload to a finished prefix, or nothing.

An upgrade is an install beside the release that is there. Files that this had too are not decompressed: they
are checked and linked. A delta has only the others, so it needs the release that is there.
"""

from __future__ import annotations

import os
import stat
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
from .added_packages import misfits
from .crash_recovery import recover
from .delta_base import refuse_base, refuse_changed, unusable
from .delta_frames import DeltaFrames, brings_stage0, entries, resolve, same_files
from .equal_files import SharedFiles, share_files
from .expected_file import GoodFile
from .failure import InstallError
from .file_operations import bring, bring_file, carry, remove_tree, save
from .imposed_modes import change
from .install_checks import check_length, check_space, holds_older_release, is_same, refuse_downgrade
from .installer_run import InstallerRun, ProgressLine
from .neighbours import find_other
from .payload_manifest import Frame, PayloadFile, PayloadManifest
from .prefix_lock import hold
from .prefix_metadata import changed_packages, write_metadata
from .prefix_state import KEPT, LOGS, InstalledRelease, belongs, load
from .prefix_tree import Place, PrefixTree
from .prefix_writer import RELOCATED, PrefixWriter
from .verify import verify


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
    frames, upgrade = manifest.frames(), None
    if old is None:
        writer.begin()
    else:
        writer.masks = old.state.masks
        # A script may change a file in place, which must not be the old release's too.
        upgrade = _Upgrade(old, writer, delta, link=not transaction.is_on_trial(run, manifest))
        frames = upgrade.left()
    shared = SharedFiles([], {})
    if delta is None:
        shared = share_files(run, writer, other, link=not transaction.is_on_trial(run, manifest))
    frames = writer.left(frames)
    _check_space(run, writer)  # where nothing can be linked, the copies are made by now
    progress = run.read_all(frames, writer.write_frame, "Upgrading" if upgrade else "Installing")
    writer.make_links()
    kept_installer.keep(run, manifest)
    write_metadata(run, writer, data, old, manifest.records if delta is None else delta.records)
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


def _check_space(run: InstallerRun, writer: PrefixWriter) -> None:
    needed = writer.bytes_to_write()
    if os.name != "nt" and kept_installer.is_requested(run, writer.manifest):  # there it is copied already
        needed += os.stat(run.installer).st_size
    check_space(run.staged, run.anchor, writer.manifest.label, needed)


class _Upgrade:
    """What of the old release's prefix goes into the new one, which ``writer`` begins meanwhile.

    ``link`` is whether files may be linked. Files that both releases have are linked, or copied, by the
    process that has just found them unchanged; what turns out to be none of these is removed again.
    """

    def __init__(
        self, old: InstalledRelease, writer: PrefixWriter, delta: DeltaFrames | None, *, link: bool
    ) -> None:
        self._saved: list[str] = []
        self._carried: list[str] = []
        self._old = old
        self._writer = writer
        self._delta = delta
        self._link = link
        self._links = self._equal()
        writer.make_folders()
        self._found = verify(old, meanwhile=writer.check_unpacked, take=self._take)

    def _equal(self) -> dict[str, PayloadFile]:
        """Return the files of the new release that the old one has, too."""
        old, new = self._old.manifest, self._writer.manifest
        if self._delta is not None:
            links = dict(self._delta.same)
        else:
            links = same_files(old, new)
            whole = {file.path for frame in new.frames() for file in frame.files}
            links = {path: file for path, file in links.items() if path in whole}
            if self._old.state.prefix != self._writer.target:
                links = {path: file for path, file in links.items() if file.how not in RELOCATED}
        return links | self._compiled()

    def left(self) -> list[Frame]:
        """Return the frames to be read, as far as something in them is left.

        A delta has no more than that, so files that are not as they were released are refused.
        """
        found, state, writer, delta = self._found, self._old.state, self._writer, self._delta
        bad = unusable(found, state)
        if delta is None:
            bad.update(found.modes)
            frames = writer.manifest.frames()
        else:
            refuse_changed(
                bad & {*self._links.keys() - writer.manifest.compiled().keys(), *delta.used()},
                writer.manifest,
                found,
            )
            frames = delta.frames
        tree = PrefixTree(writer.folder)
        for path in bad & self._links.keys():
            del self._links[path]
            if tree.find(path) is not None:
                tree.unlink(path)
        writer.late.update({path: state.late[path] for path in self._links if path in state.late})
        writer.taken.update(self._links)
        return frames

    def _compiled(self) -> dict[str, PayloadFile]:
        """Return the byte code of the new release that the old one has, too, from its installer or not."""
        compiled = self._writer.manifest.compiled()
        if not compiled:
            return {}
        before = {path: file for (path, _), file in entries(self._old.manifest).items()}
        before |= self._old.manifest.compiled()
        return {
            path: file
            for path, file in compiled.items()
            if path in before and before[path].sha256 == file.sha256 and before[path].mode == file.mode
        }

    def _take(self, folder: str, there: int | None, files: list[GoodFile]) -> None:
        """Bring those of a folder's files over that the new release has, too; a child may do so."""
        inside = f"{folder}/" if folder else ""
        wanted = [
            (file, entry) for file in files if (entry := self._links.get(inside + file.name)) is not None
        ]
        if not wanted:
            return
        with PrefixTree(self._writer.folder).place(f"{inside}_") as (path, here):
            at = path[:-1]
            for file, entry in wanted:
                if file.has_mode or self._delta is not None:
                    old = Place(file.name if there is not None else f"{self._old.prefix}/{entry.path}", there)
                    self._bring(file, entry, old, Place(f"{at}{file.name}", here))

    def _bring(self, file: GoodFile, entry: PayloadFile, old: Place, new: Place) -> None:
        time = entry.time(self._writer.manifest)
        has_time = time is None or int(file.found.st_mtime) == time
        # Mode and time are those of all links to a file, which another prefix may have too.
        link = self._link and file.has_mode and has_time
        try:
            bring_file(old, new, link=link)
        except FileExistsError:  # a child was killed that had made it
            os.unlink(new.path, dir_fd=new.folder)
            bring_file(old, new, link=link)
        if not file.has_mode:
            full_path = f"{self._writer.folder}/{entry.path}"
            change(full_path, entry.released_mode & ~self._writer.imposed.mask)
        if time is not None and not has_time:
            os.utime(new.path, (time, time), dir_fd=new.folder)

    def bring_over(self) -> None:
        """Bring over what is the user's into the otherwise finished prefix."""
        old, folder, found = self._old.prefix, self._writer.folder, self._found
        source = PrefixTree(old)
        for path in LOGS if belongs(old) else ():
            log = source.find(path)
            if log is not None and stat.S_ISREG(log.st_mode):
                # It is continued, so a link would change the old release's too.
                bring(source, path, PrefixTree(folder), path, link=False)
        taken = carry(old, folder, found.user_files(old), link=self._link)
        # What Windows' own part keeps in conda-meta is written by each installer.
        taken = [path for path in taken if not path.startswith(KEPT) and path not in found.meta]
        self._saved = save(old, folder, [*found.changed, *taken], self._old.manifest.version)
        self._carried = sorted(set(found.extra) - set(taken))

    def report(self) -> tuple[list[str], dict[str, Sequence[str]]]:
        """Return what is told, its first line being the log's message, and what else the log has."""
        old, new, prefix = self._old.manifest, self._writer.manifest, self._old.prefix
        gone, added = changed_packages(self._old, new)
        unfit = misfits(self._found.added, new)
        lines = [f"{new.title} {old.version} was upgraded to {new.version} in {prefix}"]
        if moved := moved_prefix.moved_from(self._old):
            lines.append(f"It was moved or copied from {moved}, so the older release is not kept")
        if self._saved:
            lines.append("These files had been changed. The release's own have replaced them; yours are now:")
            lines += [f"  {installer_log.printable(path)}" for path in self._saved]
        if unfit:
            lines.append("These packages, which you added, no longer fit:")
            lines += [f"  {installer_log.printable(line)}" for line in unfit]
        details = {"version": new.version, "before": old.version, "gone": gone, "new": added}
        return lines, {**details, "saved": self._saved, "carried": self._carried, "misfits": unfit}

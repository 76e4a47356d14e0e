"""What of an older release's prefix goes into the new one.

Files that both releases have are linked, or copied, by the process that has just found them unchanged. What
only the new one has is written meanwhile. What turns out not to be as it was released is removed again, and
then written like the rest; a delta has nothing in its place, and is refused.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence

from . import installer_log, moved_prefix
from .added_packages import misfits
from .delta_base import refuse_changed, unusable
from .delta_frames import DeltaFrames, entries, same_files
from .expected_file import GoodFile, open_folder
from .file_operations import bring, bring_file, carry, save
from .imposed_modes import change
from .payload_manifest import Frame, PayloadFile
from .prefix_metadata import changed_packages
from .prefix_state import KEPT, LOGS, InstalledRelease, belongs
from .prefix_tree import Place, PrefixTree
from .prefix_writer import RELOCATED, PrefixWriter
from .verify import verify


class Upgrade:
    """An upgrade of ``old`` into what ``writer`` makes; ``link`` is whether files may be linked."""

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

    def take(self, write: Callable[[], object], records: list[Frame]) -> None:
        """Take what the older prefix has, too; meanwhile, ``write`` writes the rest, with the ``records``."""
        late, writer = self._old.state.late, self._writer
        writer.masks = self._old.state.masks
        writer.make_folders()
        writer.taken.update(self._links)
        writer.late.update({path: late[path] for path in self._links if path in late})

        def meanwhile() -> None:
            writer.check_unpacked()
            write()

        self._found = verify(self._old, meanwhile=meanwhile, take=self._take)
        self._drop(self._bad(), records)

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

    def _bad(self) -> set[str]:
        """Return the files that cannot be taken; raise if a delta needs one of them."""
        bad = unusable(self._found, self._old.state)
        if self._delta is None:
            bad.update(self._found.modes)
        else:
            needed = {*self._links.keys() - self._writer.manifest.compiled().keys(), *self._delta.used()}
            refuse_changed(bad & needed, self._writer.manifest, self._found)
        return bad & self._links.keys()

    def _drop(self, bad: set[str], records: list[Frame]) -> None:
        """Remove what must be written again, and the records that may have its digests."""
        writer, tree = self._writer, PrefixTree(self._writer.folder)
        if bad:
            files = [file for frame in records for file in frame.files]
            bad |= {file.path for file in files if file.how == "record"}
        for path in bad:
            self._links.pop(path, None)
            writer.taken.discard(path)
            writer.late.pop(path, None)
            if tree.find(path) is not None:
                tree.unlink(path)

    def _take(self, folder: str, there: int | None, files: list[GoodFile]) -> None:
        """Bring those of a folder's files over that the new release has, too; a child may do so."""
        inside, links, is_delta = f"{folder}/" if folder else "", self._links, self._delta is not None
        wanted = [
            (file, entry)
            for file in files
            if (entry := links.get(inside + file.name)) is not None and (file.has_mode or is_delta)
        ]
        if not wanted:
            return
        here = open_folder(self._writer.folder, folder)
        before = after = ""
        if there is None or here is None:
            before, after = f"{self._old.prefix}/{inside}", f"{self._writer.folder}/{inside}"
        try:
            for file, entry in wanted:
                self._bring(file, entry, Place(before + file.name, there), Place(after + file.name, here))
        finally:
            if here is not None:
                os.close(here)

    def _bring(self, file: GoodFile, entry: PayloadFile, old: Place, new: Place) -> None:
        time = None if entry.how != "source" else entry.time(self._writer.manifest)
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

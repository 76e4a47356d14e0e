"""An upgrade: a new prefix is made beside the old one, out of its files and the installer's.

Frames that the old release had too are not decompressed: their files are checked and linked.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

from .added_packages import misfits
from .file_operations import bring, bring_file, carry, save
from .payload_manifest import Frame, PayloadFile
from .prefix_metadata import changed_packages
from .prefix_state import KEPT, LOGS, InstalledRelease
from .prefix_writer import PrefixWriter
from .verify import verify
from .worker_threads import share_in_runs


class Upgrade:
    """What of the old release's prefix goes into the new one; ``link`` is whether files may be linked."""

    def __init__(self, old: InstalledRelease, writer: PrefixWriter, *, link: bool) -> None:
        self._saved: list[str] = []
        self._carried: list[str] = []
        self._old = old
        self._writer = writer
        self._link = link
        self._found = verify(old)

    def link_unchanged(self) -> list[Frame]:
        """Link what is unchanged; return the frames with what is left to be written."""
        found, state, writer = self._found, self._old.state, self._writer
        bad = {*found.changed, *found.missing, *found.modes, *found.rewritten}
        bad.update(state.own, state.links, state.gone)  # what post_install changed
        known = {frame.sha256: frame.files for frame in self._old.manifest.frames()}
        frames = writer.manifest.frames()
        same = {frame.sha256 for frame in frames if known.get(frame.sha256) == frame.files}
        write = {file.path for frame in frames if frame.sha256 not in same for file in frame.files}
        write |= {file.path for frame in frames for file in frame.files if file.path in bad}
        writer.only = write
        links = {file.path: file for frame in frames for file in frame.files if file.path not in write}
        share_in_runs([*links.values()], self._link_file)
        writer.late.update({path: state.late[path] for path in links if path in state.late})
        return [frame for frame in frames if any(file.path in write for file in frame.files)]

    def _link_file(self, file: PayloadFile) -> None:
        full_path = f"{self._writer.folder}/{file.path}"
        # It was found unchanged a moment ago, so nothing is asked about it again.
        bring_file(f"{self._old.prefix}/{file.path}", full_path, link=self._link)
        if file.how == "source":
            time = self._writer.manifest.source_time if file.extra is None else file.extra
            if self._found.times[file.path] != time:
                os.utime(full_path, (time, time))

    def bring_over(self) -> None:
        """Bring over what is the user's into the otherwise finished prefix."""
        old, folder, found = self._old.prefix, self._writer.folder, self._found
        for path in LOGS:  # these are continued, so a link would change the old release's too
            with contextlib.suppress(FileNotFoundError):
                bring(f"{old}/{path}", f"{folder}/{path}", link=False)
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
        if self._saved:
            lines.append("These files had been changed. The release's own have replaced them; yours are now:")
            lines += [f"  {path}" for path in self._saved]
        if unfit:
            lines.append("These packages, which you added, no longer fit:")
            lines += [f"  {line}" for line in unfit]
        details = {"version": new.version, "before": old.version, "gone": gone, "new": added}
        return lines, {**details, "saved": self._saved, "carried": self._carried, "misfits": unfit}

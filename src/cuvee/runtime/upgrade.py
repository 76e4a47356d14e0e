"""An upgrade: a new prefix is made beside the old one, out of its files and the installer's.

Frames that the old release had too are not decompressed: their files are checked and linked.
"""

from __future__ import annotations

import contextlib
import os

from .added_packages import misfits
from .file_operations import bring, bring_file, carry, save
from .payload_manifest import Frame, PayloadFile
from .prefix_state import HISTORY, KEPT, LOGS, InstalledRelease
from .prefix_writer import PrefixWriter
from .verify import verify
from .worker_threads import share_in_runs


class Upgrade:
    """What of the old release's prefix goes into the new one; ``link`` is whether files may be linked.

    ``gone`` and ``new`` are packages that only the old or only the new release has, ``saved`` files of the
    user that were put aside, ``carried`` those that are in the new prefix too, and ``misfits`` says which
    packages of the user no longer fit.
    """

    def __init__(self, old: InstalledRelease, writer: PrefixWriter, *, link: bool) -> None:
        before, after = old.manifest.listed(), writer.manifest.listed()
        self.gone, self.new = sorted(before - after), sorted(after - before)
        self.saved: list[str] = []
        self.carried: list[str] = []
        self._old = old
        self._writer = writer
        self._link = link
        self._found = verify(old)
        self.misfits = misfits(self._found.added, writer.manifest)

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
        place = f"{self._writer.folder}/{file.path}"
        # It was found unchanged a moment ago, so nothing is asked about it again.
        bring_file(f"{self._old.prefix}/{file.path}", place, link=self._link)
        if file.how == "source":
            time = self._writer.manifest.source_time if file.extra is None else file.extra
            if self._found.times[file.path] != time:
                os.utime(place, (time, time))

    def history(self) -> str:
        """Return conda's history of the old release."""
        with contextlib.suppress(OSError), open(f"{self._old.prefix}/{HISTORY}", encoding="utf-8") as stream:
            return stream.read()
        return ""

    def bring_over(self) -> None:
        """Bring over what is the user's into the otherwise finished prefix."""
        old, folder, found = self._old.prefix, self._writer.folder, self._found
        for path in LOGS:  # these are continued, so a link would change the old release's too
            with contextlib.suppress(FileNotFoundError):
                bring(f"{old}/{path}", f"{folder}/{path}", link=False)
        taken = carry(old, folder, found.user_files(old), link=self._link)
        # What Windows' own part keeps in conda-meta is made anew by each installer.
        taken = [path for path in taken if not path.startswith(KEPT) and path not in found.meta]
        self.saved = save(old, folder, [*found.changed, *taken], self._old.manifest.version)
        self.carried = sorted(set(found.extra) - set(taken))

    def details(self) -> dict[str, list[str]]:
        """Return what the log lists."""
        names = ("gone", "new", "saved", "carried", "misfits")
        return {name: getattr(self, name) for name in names}

    def summary(self) -> list[str]:
        """Return lines about what became of what the user made."""
        lines = []
        if self.saved:
            lines.append("These files had been changed. The release's own have replaced them; yours are now:")
            lines += [f"  {path}" for path in self.saved]
        if self.misfits:
            lines.append("These packages, which you added, no longer fit:")
            lines += [f"  {line}" for line in self.misfits]
        return lines

"""The verb `upgrade`: a new prefix is made beside the old one, out of its files and the installer's.

Frames that the old release had too are not decompressed: their files, held to their hashes, are linked.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import NamedTuple

from . import finishing, keeping, log, outside, placing, proving, signature
from .added import misfits
from .carrying import bring, bring_file, carry, files_below, save
from .failure import InstallError
from .job import Job, Progress
from .manifest import File, Frame, Manifest
from .sharing import share_in_runs
from .state import KEPT, LOGS, SAVED, Installed, load
from .verify import Findings, verify
from .writing import Prefix

_HISTORY = "conda-meta/history"
_BLOCK = 4096


class Changes(NamedTuple):
    """What an upgrade did: packages that went and came, and what became of the user's files."""

    gone: list[str]
    new: list[str]
    saved: list[str]
    carried: list[str]
    misfits: list[str]


def upgrade(job: Job, manifest: Manifest, data: bytes, on_commit: Callable[[], None]) -> int:
    """Upgrade the release at the job's prefix; its lock is held."""
    old = load(job.prefix)
    if old.sha256 == job.manifest_sha256 and "--force" not in job.options:
        outside.refresh(keeping.add(job, old), job.options)
        placing.remove_tree(job.staged)
        message = f"{manifest.title} {manifest.version} is installed already in {job.prefix}"
        log.note(job.prefix, "install", 0, message, version=manifest.version)
        Progress("", 0, quiet="--quiet" in job.options).finish(message)
        return 0
    signature.demand_same(old.manifest, manifest, job.options)
    refuse_downgrade(old.manifest.version, manifest.version, forced="--force" in job.options)
    proving.before(job, manifest)
    findings = verify(old)
    prefix = Prefix(job.staged, job.prefix, manifest)
    prefix.masks = old.state.masks
    prefix.check_stage0()
    prefix.make_folders()
    # A script may change a file in place, which must not be the old release's too.
    reuse = _Reuse(old, findings, prefix, link=not proving.is_wanted(job, manifest))
    frames = reuse.link()
    needed = reuse.bytes_to_write()  # where nothing can be linked, the copies are made by now
    if keeping.is_wanted(job, manifest):
        needed += os.stat(job.installer).st_size
    placing.check_space(job.staged, needed)
    progress = job.read_all(frames, prefix.write_frame, "Upgrading", quiet="--quiet" in job.options)
    prefix.make_links()
    changes = _bring_over(job, prefix, data, old, findings, link=reuse.links)
    message = f"{manifest.title} {old.manifest.version} was upgraded to {manifest.version} in {job.prefix}"
    log.note(
        prefix.folder, "upgrade", 0, message, version=manifest.version,
        before=old.manifest.version, **changes._asdict(),
    )  # fmt: skip
    proving.commit(
        job,
        manifest,
        lambda: placing.put(job.staged, job.prefix),
        lambda: placing.settle(job.staged, job.prefix, keep="--no-keep" not in job.options),
        on_commit,
    )
    progress.finish("\n".join([message, *tell(changes)]))
    return 0


def refuse_downgrade(old: str, new: str, *, forced: bool) -> None:
    """Refuse to put an older release in a newer one's place, unless that is forced."""
    if not forced and _key(new) < _key(old):
        option = "/Force=1" if os.name == "nt" else "-f"
        raise InstallError(
            f"{old} is installed, which is newer than {new}. Give {option} to go back to {new}."
        )


def tell(changes: Changes) -> list[str]:
    """Say what became of what the user made."""
    lines = []
    if changes.saved:
        lines += ["These files had been changed. The release's own are in their places; yours are now:"]
        lines += [f"  {path}" for path in changes.saved]
    if changes.misfits:
        lines += ["These packages, which you added, no longer fit:"]
        lines += [f"  {line}" for line in changes.misfits]
    return lines


def _bring_over(
    job: Job, prefix: Prefix, data: bytes, old: Installed, findings: Findings, *, link: bool
) -> Changes:
    """Bring over what is the user's, and finish the new prefix."""
    before, after = old.manifest, prefix.manifest
    gone, new = before.listed(), after.listed()
    history = ""
    with contextlib.suppress(OSError), open(f"{old.prefix}/{_HISTORY}", encoding="utf-8") as stream:
        history = stream.read()
    keeping.keep(job, after)
    finishing.finish(
        job, prefix, data, history=(history, sorted(gone - new), sorted(new - gone)), before=old.state.outside
    )
    mine = [path for path in [*findings.extra, *findings.meta] if path != _HISTORY]
    mine += [f"{SAVED}/{path}" for path in files_below(f"{old.prefix}/{SAVED}")]
    for path in LOGS:  # these are continued, so a link would change the old release's too
        with contextlib.suppress(FileNotFoundError):
            bring(f"{old.prefix}/{path}", f"{prefix.folder}/{path}", link=False)
    taken = carry(old.prefix, prefix.folder, mine, link=link)
    taken = [path for path in taken if not path.startswith(KEPT)]
    # What Windows' own part keeps in conda-meta is made anew by each installer.
    taken = [path for path in taken if path not in findings.meta]
    saved = save(old.prefix, prefix.folder, [*findings.changed, *taken], before.version)
    carried = sorted(set(findings.extra) - set(taken))
    return Changes(sorted(gone - new), sorted(new - gone), saved, carried, misfits(findings.added, after))


class _Reuse:
    """The files of the old prefix that the new one has too."""

    def __init__(self, old: Installed, findings: Findings, prefix: Prefix, *, link: bool) -> None:
        self._old = old
        self._prefix = prefix
        self.links = link
        self._bad = {*findings.changed, *findings.missing, *findings.modes, *findings.rewritten}
        self._bad.update(old.state.own, old.state.links, old.state.gone)  # what post_install changed
        self._times = findings.times

    def link(self) -> list[Frame]:
        """Link what is unchanged; give the frames with what is left to be written."""
        known = {frame.sha256: frame.files for frame in self._old.manifest.frames()}
        frames = self._prefix.manifest.frames()
        same = {frame.sha256 for frame in frames if known.get(frame.sha256) == frame.files}
        write = {file.path for frame in frames if frame.sha256 not in same for file in frame.files}
        write |= {file.path for frame in frames for file in frame.files if file.path in self._bad}
        self._prefix.only = write
        links = {file.path: file for frame in frames for file in frame.files if file.path not in write}
        share_in_runs([*links.values()], self._link)
        late = self._old.state.late
        self._prefix.late.update({path: (late[path][0], late[path][1]) for path in links if path in late})
        return [frame for frame in frames if any(file.path in write for file in frame.files)]

    def bytes_to_write(self) -> int:
        """Give what the files take on the disk that are still to be written: whole blocks."""
        manifest, only = self._prefix.manifest, self._prefix.only or set()
        files = [file for frame in manifest.frames() for file in frame.files if file.path in only]
        files += [file for frame in manifest.records for file in frame.files]
        return sum(-(-file.size // _BLOCK) * _BLOCK for file in files)

    def _link(self, file: File) -> None:
        place = f"{self._prefix.folder}/{file.path}"
        # It was found whole a moment ago, so nothing is asked about it again.
        bring_file(f"{self._old.prefix}/{file.path}", place, link=self.links)
        if file.how == "source":
            time = self._prefix.manifest.source_time if file.extra is None else file.extra
            if self._times[file.path] != time:
                os.utime(place, (time, time))


def _key(version: str) -> tuple[list[int], str]:
    parts = version.split(".")
    return ([int(part) for part in parts], "") if all(map(str.isdigit, parts)) else ([], version)

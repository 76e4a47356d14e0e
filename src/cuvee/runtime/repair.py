"""The verb `repair`: restore what `verify` finds, from the installer of the same release.

Only the frames that hold what is damaged are decompressed. What is replaced is kept in `cuvee-saved`, since
nothing here can tell a file that rotted from one that somebody edited.
"""

from __future__ import annotations

import os

from . import finishing, keeping, log, outside, placing
from .carrying import save
from .failure import FAILED, InstallError
from .job import Job
from .locking import hold
from .log import show
from .manifest import Manifest
from .state import INSTALLER, MANIFEST, MARKER, STATE, Installed, Outside, State, load, read_marker
from .verify import verify
from .writing import RELOCATED, Prefix


def repair(job: Job) -> int:
    """Restore changed and missing files, modes and links; give 1 if something is left that differs."""
    data = job.manifest_bytes()
    manifest = job.read_manifest(data)
    check_same(job, manifest)
    with hold(job.prefix):
        installed, whole = load_or_guess(job, manifest)
        found = verify(installed)
        wrong = {*found.changed, *found.missing, *found.modes}
        if not whole and keeping.is_wanted(job, manifest):
            wrong.add(INSTALLER)
        if wrong or not whole:
            saved = save(job.prefix, job.prefix, found.changed, manifest.version) if whole else []
            prefix = _make(job, installed, wrong)
            if not whole:  # the state describes what was made, so that is still here
                there = outside.plan(job.prefix, manifest, job.options, Outside(), at=job.prefix)
                finishing.write_state(prefix, job.prefix, data, job.manifest_raw, there)
                finishing.write_marker(prefix, job.manifest_sha256)
            _move(prefix, job.prefix, wrong)
            if not whole:
                _move(prefix, job.prefix, {STATE, MANIFEST, MARKER})
        else:
            saved = []
        now = load(job.prefix)
        # Without the state, the first look knew only half of what should be there.
        left = verify(now, only=wrong if whole else None)
        outside.apply(now)
    placing.remove_tree(job.staged)
    still = sorted({*left.changed, *left.missing, *left.modes})
    return _tell(job, manifest, sorted(wrong), saved, still)


def check_same(job: Job, manifest: Manifest) -> None:
    """Refuse a prefix that does not hold the very release that the installer carries."""
    marker = read_marker(job.prefix)
    if marker is None and not os.path.isfile(f"{job.prefix}/{STATE}"):
        raise InstallError(f"{job.prefix} holds no release, so there is nothing to repair or remove.")
    if marker is not None and marker.get("manifest_sha256") != job.manifest_sha256:
        raise InstallError(
            f"{job.prefix} holds {marker.get('title')} {marker.get('version')}, which is not what this "
            f"installer of {manifest.title} {manifest.version} carries. Use its own installer, or upgrade."
        )


def load_or_guess(job: Job, manifest: Manifest) -> tuple[Installed, bool]:
    """Read what the prefix keeps; if that is damaged, everything that depends on the place is made anew."""
    try:
        return load(job.prefix), True
    except InstallError:
        state = State(job.prefix, "", [0o022], job.manifest_raw, {}, {})
        return Installed(job.prefix, job.manifest_sha256, manifest, state), False


def _make(job: Job, installed: Installed, wrong: set[str]) -> Prefix:
    """Make the files anew, beside the prefix."""
    manifest = installed.manifest
    prefix = Prefix(job.staged, job.prefix, manifest)
    for file in (file for frame in manifest.frames() for file in frame.files):
        if file.how in RELOCATED:
            prefix.late[file.path] = (file.sha256, file.size)
    prefix.late.update({path: (sha256, size) for path, (sha256, size) in installed.state.late.items()})
    os.umask(installed.state.masks[0])
    prefix.check_stage0()
    prefix.only = wrong
    prefix.make_folders()
    frames = [frame for frame in manifest.frames() if any(file.path in wrong for file in frame.files)]
    job.read_all(frames, prefix.write_frame, "Repairing")
    prefix.make_links(wrong)
    finishing.write_records(job, prefix)
    finishing.keep_runtime(prefix, job.prefix)
    if INSTALLER in wrong:
        keeping.keep(job, manifest)
    return prefix


def _move(made: Prefix, target: str, paths: set[str]) -> None:
    """Put each file in its place with one rename."""
    for path in sorted(paths):
        place = f"{target}/{path}"
        if os.path.isdir(place) and not os.path.islink(place):
            raise InstallError(f"There is a folder where the file {place} should be. Move it away.")
        if os.path.lexists(f"{made.folder}/{path}"):
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.replace(f"{made.folder}/{path}", place)


def _tell(job: Job, manifest: Manifest, wrong: list[str], saved: list[str], still: list[str]) -> int:
    code = FAILED if still else 0
    restored = [path for path in wrong if path not in still]
    value = {"prefix": job.prefix, "restored": restored, "saved": saved, "left": still}
    message = f"{manifest.title} {manifest.version} in {job.prefix}: {len(restored)} files were restored"
    log.note(job.prefix, "repair", code, message, version=manifest.version, restored=restored, saved=saved)
    texts = [f"restored: {path}" for path in restored]
    texts += [f"what was there is now: {path}" for path in saved]
    texts += [f"could not be restored: {path}" for path in still]
    show(value, [*texts, message], as_json="--json" in job.options)
    return code

"""The verb `install`: from an installer's payload to a finished prefix, or nothing."""

from __future__ import annotations

import os
from collections.abc import Callable

from . import finishing, keeping, log, placing, proving, upgrade
from .failure import InstallError
from .job import Job
from .locking import hold
from .manifest import Manifest
from .writing import Prefix


def install(job: Job, on_commit: Callable[[], None]) -> int:
    """Install, or upgrade the release that is there; ``on_commit`` is called before the last step.

    Options: ``--replace`` an older release may be upgraded; ``--force`` also by an older or the same one;
    ``--no-keep`` removes the old one; ``--quiet`` says nothing but errors.
    """
    data = job.manifest_bytes()
    manifest = job.read_manifest(data)
    replace = "--replace" in job.options
    check_length(job.prefix, manifest)
    with hold(job.prefix):
        if placing.older_release(job.prefix, manifest.distribution, replace=replace):
            return upgrade.upgrade(job, manifest, data, on_commit)
        proving.before(job, manifest)
        prefix = Prefix(job.staged, job.prefix, manifest)
        prefix.check_stage0()
        prefix.make_folders()
        quiet = "--quiet" in job.options
        progress = job.read_all(manifest.frames(), prefix.write_frame, "Installing", quiet=quiet)
        prefix.make_links()
        message = f"{manifest.title} {manifest.version} is installed in {job.prefix}"
        keeping.keep(job, manifest)
        finishing.finish(job, prefix, data, history=("", [], sorted(manifest.listed())))
        log.note(prefix.folder, "install", 0, message, version=manifest.version)
        # Somebody may have saved a file there meanwhile.
        if placing.older_release(job.prefix, manifest.distribution, replace=replace):
            raise InstallError(f"{job.prefix} has been filled by somebody else meanwhile.")
        proving.commit(job, manifest, lambda: placing.place(job.staged, job.prefix), lambda: None, on_commit)
        progress.finish(message)
    return 0


def check_length(target: str, manifest: Manifest) -> None:
    """Refuse a prefix that does not fit into the release's binaries."""
    if manifest.prefix_limit is not None and len(os.fsencode(target)) > manifest.prefix_limit:
        raise InstallError(
            f"The path {target} is too long: this release bears {manifest.prefix_limit} bytes."
        )

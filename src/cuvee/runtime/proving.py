"""The last step of an installation: the release takes its place, and stays there if post_install says so.

A script needs the release where it will be, so it runs after the rename. Until it has ended well the release
is unproved: a file in it says so, and whoever finds that file with a dead installer puts back what was there
before, see `placing.withdraw`. Removing the file is what commits.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from . import log, outside, placing, scripts, state
from .failure import InstallError
from .finishing import described
from .job import Job
from .manifest import Manifest
from .verify import verify


def before(job: Job, manifest: Manifest) -> None:
    """Run pre_install; nothing has been done yet."""
    scripts.run(
        "pre_install",
        manifest,
        job.prefix,
        f"{job.staged}/.cuvee",
        installer=job.installer,
        options=job.options,
    )


def is_wanted(job: Job, manifest: Manifest) -> bool:
    """Whether a script will run in the finished release."""
    return bool(manifest.settings.post_install) and "--no-scripts" not in job.options


def commit(
    job: Job,
    manifest: Manifest,
    put: Callable[[], None],
    settle: Callable[[], None],
    on_commit: Callable[[], None],
) -> None:
    """Put the staged release in its place, prove it, and make what belongs to it outside of the prefix.

    ``put`` takes the place, ``settle`` deals with the release that was there; from ``on_commit`` on, nothing
    is undone any more.
    """
    if "--test" in job.options:
        _test(job)
    if is_wanted(job, manifest):
        _prove(job, manifest, put, on_commit)
        on_commit()
        os.unlink(f"{job.prefix}/{state.UNPROVED}")
    else:
        on_commit()
        put()
    settle()
    log.flush()
    outside.apply(state.Installed(job.prefix, job.manifest_sha256, manifest, state.read(job.prefix)))


def _prove(job: Job, manifest: Manifest, put: Callable[[], None], on_commit: Callable[[], None]) -> None:
    was_empty = os.path.isdir(job.prefix) and not os.listdir(job.prefix)
    with open(f"{job.staged}/{state.UNPROVED}", "x", encoding="ascii") as stream:
        stream.write(str(placing.number(job.staged)))
        stream.flush()
        os.fsync(stream.fileno())
    try:
        put()
        folder = f"{job.prefix}/{state.KEPT}"
        mine = verify(state.load(job.prefix), hashes=False).extra
        scripts.run(
            "post_install", manifest, job.prefix, folder, installer=job.installer, options=job.options
        )
        _remember(job.prefix, mine)
    except BaseException:
        on_commit()  # another signal would do harm
        placing.withdraw(job.prefix, job.staged)
        if was_empty and not os.path.lexists(job.prefix):
            os.mkdir(job.prefix)
        raise


def _remember(prefix: str, mine: list[str]) -> None:
    """Keep in the state what the script has changed: it is part of the release from now on.

    ``mine`` are the user's files, which an upgrade has brought over: they stay the user's.
    """
    installed = state.load(prefix)
    found = verify(installed)
    paths = {*found.changed, *found.modes, *found.extra, *found.rewritten} - {*found.missing, *mine}
    links = {path: os.readlink(f"{prefix}/{path}") for path in paths if os.path.islink(f"{prefix}/{path}")}
    own = {path: described(f"{prefix}/{path}") for path in sorted(paths - set(links))}
    known = installed.state
    state.write(
        prefix,
        known._replace(own={**known.own, **own}, links={**known.links, **links}, gone=sorted(found.missing)),
    )


def _test(job: Job) -> None:
    """Hold every file that was written to its hash once more."""
    found = verify(state.load(job.staged))
    if not found.good:
        wrong = [*found.changed, *found.missing, *found.modes, *found.unknown]
        raise InstallError(f"What was written differs from what was released: {', '.join(wrong[:3])}.")

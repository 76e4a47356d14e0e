"""The last step of an installation: the release takes its place, and stays there if post_install succeeds.

A script needs the release where it will be, so it runs after the rename. Until it has ended well the release
is on trial: a file in it says so, and a start that finds that file with a dead installer puts back what was
there before, see `crash_recovery.withdraw`. Removing the file is what commits.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from . import install_scripts, installer_log, outside_files, prefix_swap
from .crash_recovery import withdraw
from .failure import InstallError
from .installer_run import InstallerRun
from .payload_manifest import PayloadManifest
from .prefix_metadata import described
from .prefix_state import KEPT, UNPROVED, load, write_state
from .staged_folder import token_of
from .verify import verify


def is_on_trial(run: InstallerRun, manifest: PayloadManifest) -> bool:
    """Return whether a script will run in the finished release."""
    return bool(manifest.settings.post_install) and "--no-scripts" not in run.options


def commit(run: InstallerRun, manifest: PayloadManifest, *, is_upgrade: bool) -> None:
    """Put the staged release in its place, and make what belongs to it outside of the prefix.

    From where signals are ignored, nothing is undone any more.
    """

    def put() -> None:
        (prefix_swap.swap_in if is_upgrade else prefix_swap.move_in)(run.staged, run.prefix)

    if "--test" in run.options:
        # The hash of every file that was written is checked once more.
        found = verify(load(run.staged))
        if not found.good:
            wrong = [*found.changed, *found.missing, *found.modes, *found.unknown]
            raise InstallError(f"What was written differs from what was released: {', '.join(wrong[:3])}.")
    if is_on_trial(run, manifest):
        _try(run, manifest, put)
        ignore_signals()
        os.unlink(f"{run.prefix}/{UNPROVED}")
    else:
        ignore_signals()
        put()
    if is_upgrade:
        prefix_swap.settle(run.staged, run.prefix, keep="--no-keep" not in run.options)
    installer_log.flush()
    outside_files.apply(load(run.prefix))


def _try(run: InstallerRun, manifest: PayloadManifest, put: Callable[[], None]) -> None:
    was_empty = os.path.isdir(run.prefix) and not os.listdir(run.prefix)
    with open(f"{run.staged}/{UNPROVED}", "x", encoding="ascii") as stream:
        stream.write(token_of(run.staged))
        stream.flush()
        os.fsync(stream.fileno())
    try:
        put()
        folder = f"{run.prefix}/{KEPT}"
        mine = verify(load(run.prefix), only=()).extra
        install_scripts.run(
            "post_install", manifest, run.prefix, folder, run.options, installer=run.installer
        )
        _adopt(run.prefix, mine)
    except BaseException:
        ignore_signals()  # another signal would do harm
        withdraw(run.prefix)
        if was_empty and not os.path.lexists(run.prefix):
            os.mkdir(run.prefix)
        raise


def _adopt(prefix: str, mine: list[str]) -> None:
    """Add to the state what the script has changed: it is part of the release from now on.

    ``mine`` are the user's files, which an upgrade has brought over: they stay the user's.
    """
    installed = load(prefix)
    found = verify(installed)
    paths = {*found.changed, *found.modes, *found.extra, *found.rewritten} - {*found.missing, *mine}
    links = {path: os.readlink(f"{prefix}/{path}") for path in paths if os.path.islink(f"{prefix}/{path}")}
    own = {path: described(f"{prefix}/{path}") for path in sorted(paths - set(links))}
    known = installed.state
    write_state(
        prefix,
        known._replace(own={**known.own, **own}, links={**known.links, **links}, gone=sorted(found.missing)),
    )


def ignore_signals() -> None:
    """Ignore signals where stopping would do more harm than going on."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)

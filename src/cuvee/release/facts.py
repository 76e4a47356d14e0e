"""Opening the archives of a release for its checks: those at hand, or all of them."""

import enum

from cuvee.channel.archive_download import archive_path
from cuvee.channel.inspection import inspect_archives
from cuvee.channel.inspection.inspect_release import Inspection
from cuvee.channel.inspection.inspection_cache import path_of
from cuvee.lock.model import Lock
from cuvee.release.artefacts import Archives
from cuvee.release.context import Context


class Look(enum.Enum):
    """How far checks go into archives."""

    NOT = "not"
    AT_HAND = "at hand"
    FETCH = "fetch"


def look_into(
    context: Context, lock: Lock, archives: Archives, look: Look, *, strict: bool = True
) -> Inspection | None:
    """Give what is known of each archive, by identifier; `None` if they are not opened.

    An archive that is not to be had is an error if that is ``strict``, and else known to be unreadable.

    With `Look.AT_HAND` nothing is fetched: they are opened if none is missing, and not at all otherwise,
    since a closure that is known in part tells little.
    """
    if look is Look.NOT or (look is Look.AT_HAND and not _are_at_hand(context, lock)):
        return None
    cache = context.workspace.cache
    find = archives.of if strict else archives.found
    return inspect_archives(
        (package for part in lock.platforms for package in part.packages),
        lambda platform: find(lock.by_platform[platform]),
        cache=cache,
        reporter=context.reporter,
    )


def _are_at_hand(context: Context, lock: Lock) -> bool:
    folder, cache = context.workspace.folder, context.workspace.cache
    return all(
        path_of(cache, package.sha256).is_file() or archive_path(package, folder, cache).is_file()
        for platform in lock.platforms
        for package in platform.packages
    )

"""The lock in formats of other tools: ``<platform>.explicit.txt``."""

from cuvee.conda.explicit_list import explicit_list
from cuvee.lock.model import PlatformLock


def explicit(lock: PlatformLock, *, release_name: str) -> str:
    """Return the explicit list of one platform.

    Packages of the release's own channel that have no URL are named relative to the release folder, in which
    the command must run.
    """
    comments = [
        f"{release_name}, to install with:",
        f"  conda create --name NAME --file lock/{lock.platform}.explicit.txt",
    ]
    if any(package.is_local for package in lock.packages):
        comments.append("run in the release folder, which holds the channel")
    return explicit_list(lock.packages, lock.platform, comments=comments, release=".")

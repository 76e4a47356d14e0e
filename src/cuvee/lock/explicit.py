"""``<platform>.explicit.txt``: the lock as ``conda create --file`` takes it."""

from cuvee.lock.model import PlatformLock


def explicit(lock: PlatformLock, *, release_name: str) -> str:
    """Give the explicit list of one platform.

    Packages of the release's own channel are named relative to the release folder, from which the
    command must be run; conda checks the MD5 behind ``#``.
    """
    lines = [
        f"# {release_name}, to install with:",
        f"#   conda create --name NAME --file lock/{lock.platform}.explicit.txt",
        f"# platform: {lock.platform}",
        "@EXPLICIT",
    ]
    if any(package.is_local for package in lock.packages):
        lines.insert(2, "# run in the release folder, which holds the channel")
    for package in lock.packages:
        place = f"./{package.url}" if package.is_local else package.url
        lines.append(f"{place}#{package.md5}" if package.md5 else place)
    return "\n".join(lines) + "\n"

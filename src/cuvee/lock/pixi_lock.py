"""The lock on disk, in the ecosystem's ``pixi.lock`` format, written and read by py-rattler.

A package of the release's own channel is locked by a URL, since pixi and rattler resolve no relative paths.
The first line, a comment, names that channel, so that such packages are known wherever the lock is.

Format: https://pixi.prefix.dev/latest/workspace/lockfile/
"""

import re
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from cuvee.conda.package_record import OWN_CHANNEL, LockedPackage
from cuvee.conda.rattler_records import from_rattler, repodata_record
from cuvee.conda.url_secrets import clean_url
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.errors import IntegrityError, SourceUnreachableError
from cuvee.files import storage_errors, write_text
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.documents.named_files import missing_path

if TYPE_CHECKING:
    from rattler import LockedPackage as RattlerLockedPackage
    from rattler import LockFile, LockPlatform

_OWN = "# Packages of the release's own channel: "
_DEEPEST = 64
_BRACKET = re.compile(rb"[\[\]{}]")


def write_lock(lock: Lock, path: Path, *, channels: tuple[str, ...], own_channel: str) -> None:
    """Write ``lock`` as a ``pixi.lock``; the same lock and URLs give the same bytes.

    Parameters
    ----------
    own_channel
        The URL of the release's own channel, which the lock names only if it has packages of it.
    """
    from rattler import LockChannel, LockFile, LockPlatform

    platforms = {
        item.platform: LockPlatform(
            item.platform, virtual_packages=[f"{v.name}={v.version}={v.build}" for v in item.virtual_packages]
        )
        for item in lock.platforms
    }
    has_own = any(package.is_local for item in lock.platforms for package in item.packages)
    file = LockFile(list(platforms.values()))
    file.set_channels("default", [LockChannel(name) for name in (*channels, *[own_channel] * has_own)])
    for item in lock.platforms:
        for package in item.published(own_channel).packages:
            record = repodata_record(package, url=package.url, channel=package.channel)
            file.add_conda_package("default", platforms[item.platform], record)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    try:
        file.to_path(beside)
        text = beside.read_text(encoding="utf-8")
    finally:
        beside.unlink(missing_ok=True)
    write_text(path, f"{_OWN}{own_channel}\n{text}" if has_own else text)


def read_lock(path: Path) -> Lock:
    """Read a ``pixi.lock`` that cuvee wrote; platforms are sorted by name.

    Raises
    ------
    UsageError
        If there is no file.
    SourceUnreachableError
        If it is not a lock.
    """
    if not path.is_file():
        raise missing_path(path, what="lock", hint="Run `cuvee lock MANIFEST` first.")
    try:
        file, own_channel = open_pixi(path)
        environment = file.environment("default")
    except ValueError as error:
        raise SourceUnreachableError(
            f"{path} cannot be read as a lock: {error}",
            hint="Remove it and run `cuvee lock MANIFEST` again.",
        ) from error
    if environment is None:
        raise SourceUnreachableError(f"{path} has no default environment", hint="It was not made by cuvee.")
    return Lock(
        platforms=tuple(
            PlatformLock(
                platform=platform.name,
                packages=tuple(
                    sorted(
                        (
                            _package(item, platform.name, own_channel)
                            for item in environment.packages(platform) or []
                        ),
                        key=lambda package: package.name,
                    )
                ),
                virtual_packages=virtual_packages_of(platform),
            )
            for platform in sorted(environment.platforms(), key=lambda platform: platform.name)
        )
    )


def published_channel(path: Path) -> str:
    """Return where the release's own channel is published, as its lock says; empty if it does not."""
    with storage_errors(path):
        found = _own_channel(path.read_bytes()) if path.is_file() else ""
    return "" if found.startswith("file:") else found


def open_pixi(path: Path) -> tuple["LockFile", str]:
    """Open any ``pixi.lock``; return the URL of the release's own channel, too, or "" if it names none.

    Raises
    ------
    ValueError
        If it is not one, or nested so deeply that rattler's parser would take minutes.
    """
    from rattler import LockFile
    from rattler.exceptions import ParseCondaLockError

    with storage_errors(path):
        data = path.read_bytes()
    steps = (1 if bracket in b"[{" else -1 for bracket in _BRACKET.findall(data))
    if max(accumulate(steps), default=0) > _DEEPEST:
        raise ValueError("it is nested too deeply")
    try:
        # Rattler cannot resolve `file:` requirements beside a lock that a relative path names.
        return LockFile.from_path(path.absolute()), _own_channel(data)
    except (ParseCondaLockError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error


def virtual_packages_of(platform: "LockPlatform") -> tuple[VirtualPackage, ...]:
    """Return the virtual packages that a lock states for a platform; from version 7 on it may."""
    parts = ((*text.split("="), "0", "0")[:3] for text in platform.virtual_packages)
    return tuple(VirtualPackage(name=name, version=version, build=build) for name, version, build in parts)


def located(item: "RattlerLockedPackage", own_channel: str) -> tuple[str, str]:
    """Return the URL and the channel of an archive; those of the release's own channel are relative."""
    # A channel that is a folder is written as a path.
    location = Path(item.location).as_uri() if Path(item.location).is_absolute() else item.location
    if own_channel and location.startswith(f"{own_channel}/"):
        return OWN_CHANNEL + unquote(location.removeprefix(own_channel)), OWN_CHANNEL
    if "://" in location:
        location = clean_url(location)
        return location, location.rsplit("/", 2)[0]
    return location.removeprefix("../"), OWN_CHANNEL  # as older versions wrote it


def _own_channel(data: bytes) -> str:
    first = data.partition(b"\n")[0].decode()
    return first.removeprefix(_OWN).strip() if first.startswith(_OWN) else ""


def _package(item: "RattlerLockedPackage", platform: str, own_channel: str) -> LockedPackage:
    from rattler import CondaLockedBinaryPackage

    record = item.package_record if isinstance(item, CondaLockedBinaryPackage) else None
    if record is None or record.sha256 is None:
        raise IntegrityError(f"The lock has no record or no SHA-256 for {item.name} on {platform}")
    url, channel = located(item, own_channel)
    return from_rattler(record, url=url, channel=channel).locked_for(platform)

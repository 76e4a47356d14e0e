"""The lock on disk, in the ecosystem's ``pixi.lock`` format, written and read by py-rattler.

A package of the release's own channel is locked by a path relative to the lock, so that the release folder
can be moved; py-rattler writes absolute paths, which name the machine that cut the release.

Format: https://pixi.prefix.dev/latest/workspace/lockfile/
"""

import re
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.conda.package_record import OWN_CHANNEL, LockedPackage
from cuvee.conda.rattler_records import from_rattler, repodata_record
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.errors import IntegrityError, SourceUnreachableError
from cuvee.files import storage_errors, write_text
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.documents.named_files import missing_path

if TYPE_CHECKING:
    from rattler import LockedPackage as RattlerLockedPackage
    from rattler import LockFile, LockPlatform, RepoDataRecord

_NOWHERE = "file:///cuvee-release/"
_DEEPEST = 64
_BRACKET = re.compile(rb"[\[\]{}]")


def write_lock(lock: Lock, path: Path, *, channels: tuple[str, ...], release_name: str) -> None:
    """Write ``lock`` as a ``pixi.lock``; the same lock gives the same bytes."""
    from rattler import LockChannel, LockFile, LockPlatform

    own = f"file:///{release_name}/channel"
    platforms = {
        item.platform: LockPlatform(
            item.platform, virtual_packages=[f"{v.name}={v.version}={v.build}" for v in item.virtual_packages]
        )
        for item in lock.platforms
    }
    file = LockFile(list(platforms.values()))
    file.set_channels("default", [LockChannel(name) for name in (*channels, own)])
    for item in lock.platforms:
        for package in item.packages:
            file.add_conda_package("default", platforms[item.platform], _rattler_record(package, own))
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    try:
        file.to_path(beside)
        text = beside.read_text(encoding="utf-8")
    finally:
        beside.unlink(missing_ok=True)
    write_text(path, text.replace(_NOWHERE.removeprefix("file://"), "../"))


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
        environment = open_pixi(path).default_environment()
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
                        (_package(item, platform.name) for item in environment.packages(platform) or []),
                        key=lambda package: package.name,
                    )
                ),
                virtual_packages=virtual_packages_of(platform),
            )
            for platform in sorted(environment.platforms(), key=lambda platform: platform.name)
        )
    )


def open_pixi(path: Path) -> "LockFile":
    """Open any ``pixi.lock``.

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
        return LockFile.from_path(path.absolute())
    except (ParseCondaLockError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error


def virtual_packages_of(platform: "LockPlatform") -> tuple[VirtualPackage, ...]:
    """Return the virtual packages that a lock states for a platform; from version 7 on it may."""
    parts = ((*text.split("="), "0", "0")[:3] for text in platform.virtual_packages)
    return tuple(VirtualPackage(name=name, version=version, build=build) for name, version, build in parts)


def located(item: "RattlerLockedPackage") -> tuple[str, str]:
    """Return the URL and the channel of an archive; those of the release's own channel are relative."""
    # A channel that is a folder is written as a path.
    location = Path(item.location).as_uri() if Path(item.location).is_absolute() else item.location
    if "://" in location:
        return location, location.rsplit("/", 2)[0]
    return location.removeprefix("../"), OWN_CHANNEL


def _package(item: "RattlerLockedPackage", platform: str) -> LockedPackage:
    from rattler import CondaLockedBinaryPackage

    record = item.package_record if isinstance(item, CondaLockedBinaryPackage) else None
    if record is None or record.sha256 is None:
        raise IntegrityError(f"The lock has no record or no SHA-256 for {item.name} on {platform}")
    url, channel = located(item)
    return from_rattler(record, url=url, channel=channel).locked_for(platform)


def _rattler_record(package: LockedPackage, own_channel: str) -> "RepoDataRecord":
    """Return rattler's record of a locked package; ``own_channel`` is the URL of the release's own."""
    if package.is_local:
        return repodata_record(package, url=_NOWHERE + package.url, channel=own_channel)
    return repodata_record(package, url=package.url, channel=package.channel)

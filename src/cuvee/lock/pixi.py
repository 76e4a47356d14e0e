"""The lock on disk, in the ecosystem's ``pixi.lock`` format, written and read by py-rattler.

A package of the release's own channel is locked by a path relative to the lock, so that the release
folder can be moved; py-rattler itself writes absolute paths, which name the building machine.
"""

import datetime as dt
import re
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.errors import IntegrityError, SourceUnreachableError
from cuvee.files import storage_errors, write_text
from cuvee.lock.model import OWN_CHANNEL, Lock, LockedPackage, PlatformLock, VirtualPackage

if TYPE_CHECKING:
    from rattler import LockedPackage as RattlerLockedPackage
    from rattler import LockFile, PackageRecord, RepoDataRecord

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
            file.add_conda_package("default", platforms[item.platform], rattler_record(package, own))
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    try:
        file.to_path(beside)
        text = beside.read_text(encoding="utf-8")
    finally:
        beside.unlink(missing_ok=True)
    write_text(path, text.replace(_NOWHERE.removeprefix("file://"), "../"))


def read_lock(path: Path) -> Lock:
    """Read a ``pixi.lock`` of ours; platforms are sorted by name.

    Raises
    ------
    SourceUnreachableError
        If there is no lock, or it is not one.
    """
    if not path.is_file():
        raise SourceUnreachableError(f"There is no lock at {path}", hint="Run `cuvee lock MANIFEST` first.")
    try:
        environment = open_pixi(path).default_environment()
    except ValueError as error:
        raise SourceUnreachableError(
            f"{path} can not be read as a lock: {error}",
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
                virtual_packages=tuple(_virtual(text) for text in platform.virtual_packages),
            )
            for platform in sorted(environment.platforms(), key=lambda platform: platform.name)
        )
    )


def open_pixi(path: Path) -> "LockFile":
    """Open any `pixi.lock`; a `ValueError` says why it is none.

    One with brackets in brackets in brackets is none: rattler's parser would take minutes over it.
    """
    from rattler import LockFile
    from rattler.exceptions import ParseCondaLockError

    with storage_errors(path):
        data = path.read_bytes()
    steps = (1 if bracket in b"[{" else -1 for bracket in _BRACKET.findall(data))
    if max(accumulate(steps), default=0) > _DEEPEST:
        raise ValueError("it is nested too deeply")
    try:
        return LockFile.from_path(path)
    except (ParseCondaLockError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error


def _virtual(text: str) -> VirtualPackage:
    name, version, build = (*text.split("="), "0", "0")[:3]
    return VirtualPackage(name=name, version=version, build=build)


def _package(item: "RattlerLockedPackage", platform: str) -> LockedPackage:
    from rattler import CondaLockedBinaryPackage

    record = item.package_record if isinstance(item, CondaLockedBinaryPackage) else None
    if record is None or record.sha256 is None:
        raise IntegrityError(f"The lock has no record or no SHA-256 for {item.name} on {platform}")
    # A channel that is a folder is written as a path.
    location = Path(item.location).as_uri() if Path(item.location).is_absolute() else item.location
    if "://" in location:
        return locked_package(record, platform, url=location, channel=location.rsplit("/", 2)[0])
    return locked_package(record, platform, url=item.location.removeprefix("../"), channel=OWN_CHANNEL)


def locked_package(record: "PackageRecord", platform: str, *, url: str, channel: str) -> LockedPackage:
    """Turn one of rattler's records, which has a SHA-256, into ours."""
    return LockedPackage(
        name=record.name.normalized,
        version=str(record.version),
        build=str(record.build),
        build_number=record.build_number,
        platform=platform,
        subdir=str(record.subdir),
        url=url,
        channel=channel,
        sha256=(record.sha256 or b"").hex(),
        md5=record.md5.hex() if record.md5 else None,
        size=record.size or 0,
        timestamp=int(record.timestamp.timestamp() * 1000) if record.timestamp else None,
        depends=tuple(record.depends),
        constrains=tuple(record.constrains),
        license=record.license,
        noarch="python" if record.noarch.python else "generic" if record.noarch.generic else None,
        track_features=tuple(record.track_features),
    )


def rattler_record(package: LockedPackage, own_channel: str) -> "RepoDataRecord":
    """Give rattler's record of a locked package; ``own_channel`` is what it calls the release's own."""
    from rattler import BuildString, PackageRecord, RepoDataRecord

    record = PackageRecord(
        package.name,
        package.version,
        BuildString(package.build),
        package.build_number,
        package.subdir,
        noarch=package.noarch,
        depends=list(package.depends),
        constrains=list(package.constrains),
        sha256=bytes.fromhex(package.sha256),
        md5=bytes.fromhex(package.md5) if package.md5 else None,
        size=package.size,
        license=package.license,
    )
    record.track_features = list(package.track_features)
    if package.timestamp is not None:
        record.timestamp = dt.datetime.fromtimestamp(package.timestamp / 1000, tz=dt.UTC)
    url = _NOWHERE + package.url if package.is_local else package.url
    return RepoDataRecord(
        record, package.file_name, url, own_channel if package.is_local else package.channel
    )

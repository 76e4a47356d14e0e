"""What a manifest and its base say about packages, and the lock whose versions a run keeps."""

from dataclasses import replace
from pathlib import Path

from cuvee.codec import Json, encode
from cuvee.errors import CuveeError
from cuvee.files import fingerprint
from cuvee.lock.model import Lock
from cuvee.lock.pixi_lock import read_lock
from cuvee.manifest.model import Manifest, Requirement
from cuvee.release.session import Session

_NO_MATTER = frozenset({"position", "owner", "groups", "until", "deprecated"})


def package_inputs(manifest: Manifest, additions: tuple[Requirement, ...]) -> Json:
    """Return the part of a manifest that decides which packages there are."""
    parts = (
        manifest.platforms,
        manifest.channels,
        manifest.packages,
        manifest.constraints,
        manifest.wheels,
        manifest.interpreter,
        manifest.recipes,
        manifest.exclude_newer,
        additions,
    )
    more = (manifest.patched,) if manifest.patched else ()
    return encode((*parts, *more), without=_NO_MATTER)


def request_of(manifest: Manifest) -> str:
    """Return a hash of the part of a manifest that decides which packages there are, the same everywhere.

    Folders of channels are known by their names: where they are differs from machine to machine.
    """
    channels = tuple(
        Path(channel).name if Path(channel).is_absolute() else channel for channel in manifest.channels
    )
    return fingerprint(package_inputs(replace(manifest, channels=channels), ()))


def base_fingerprint(base: Lock | None) -> str:
    """Return a hash of the base's lock; "" without one."""
    return fingerprint(encode(base)) if base is not None else ""


def imported_archives(session: Session) -> list[tuple[str, str]]:
    """Return the packages that the channel stage has made, with their hashes."""
    entry = session.make.recorded("channel")
    return sorted(entry.outputs.items()) if entry is not None else []


def kept_lock(session: Session) -> Lock | None:
    """Return the lock whose versions this run keeps unless the manifest excludes them.

    That is the lock of the release itself, as long as manifest and base ask for the same: another platform,
    another cuvee or a change of the host must not move a version under the same number. Otherwise,
    and with ``--refresh``, it is the base's.
    """
    entry = session.make.recorded("lock")
    asked = (request_of(session.manifest), base_fingerprint(session.base_lock))
    if entry is None or session.options.refresh or (entry.request, entry.base) != asked:
        return session.base_lock
    if not session.make.has_outputs(entry):
        return session.base_lock
    try:
        return read_lock(session.workspace.lock_file)
    except CuveeError:
        return session.base_lock


def versions(lock: Lock | None) -> dict[str, dict[str, str]]:
    """Return the version of each package by platform."""
    locks = lock.platforms if lock is not None else ()
    return {item.platform: {package.name: package.version for package in item.packages} for item in locks}

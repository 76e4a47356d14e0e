"""The releases that users may upgrade from, and where their installers are: beside this one."""

import datetime as dt
from collections.abc import Iterator

from cuvee.errors import CuveeError
from cuvee.integration.lifecycle_plan import EarlierRelease
from cuvee.integration.model import SuiteKind
from cuvee.manifest.model import Manifest
from cuvee.release.artefacts import ArtefactKind
from cuvee.release.record_parts import RECORD
from cuvee.release.session import Session

_TESTED_FORMATS = {"sh", "exe"}
_CONSTRUCTOR = "its installers were made by constructor, and cuvee's do not upgrade what those install"


def earlier_releases(session: Session, platform: str) -> tuple[EarlierRelease, ...]:
    """Return the base, and the releases below it that are still supported, if they are for a platform.

    There are none without a suite of the kind ``lifecycle``. Their release folders are looked for beside that
    of this one, or where ``--base`` says.
    """
    if not any(suite.kind is SuiteKind.LIFECYCLE for suite in session.suite_files.suites):
        return ()
    return tuple(
        _release(session, manifest, platform)
        for manifest in supported_releases(session.manifest, session.options.now.date())
        if any(entry.name == platform for entry in manifest.present_platforms)
    )


def supported_releases(manifest: Manifest, today: dt.date) -> Iterator[Manifest]:
    """Yield the base of a manifest, and those below that say that they are supported, the newest first."""
    older = manifest.base
    while older is not None:
        until = older.support.until if older.support is not None else None
        is_supported = older.support is not None and (until is None or today <= until)
        if older is manifest.base or is_supported:
            yield older
        older = older.base


def _release(session: Session, manifest: Manifest, platform: str) -> EarlierRelease:
    version = str(manifest.version)
    if manifest.installers.engine != "cuvee":
        return EarlierRelease(version=version, unsupported=_CONSTRUCTOR)
    folder = session.workspace.folder.parent / manifest.release_name
    stated = session.options.base
    if manifest is session.manifest.base and stated is not None and stated.is_dir():
        folder = stated.resolve()
    name = manifest.release_name
    if not (folder / RECORD).is_file():
        absent = f"the release folder of {name} is not here: copy it beside that of this release, or cut it"
        return EarlierRelease(version=version, absent=absent)
    try:
        artefacts = session.record_of(folder).artefacts
    except CuveeError as error:
        reason = error.message.replace(str(folder), name)
        return EarlierRelease(version=version, absent=f"the record of {name} cannot be read: {reason}")
    for item in artefacts:
        if (
            item.kind is ArtefactKind.INSTALLER
            and item.platform == platform
            and item.format in _TESTED_FORMATS
            and item.not_made is None
        ):
            path = folder / item.path
            if path.is_file():
                return EarlierRelease(version=version, installer=path, sha256=item.sha256)
            absent = f"{item.name} of {name} is not here: copy it to {item.path} in its release folder"
            return EarlierRelease(version=version, absent=absent)
    formats = " or ".join(f".{item}" for item in sorted(_TESTED_FORMATS))
    absent = f"{name} has no {formats} for {platform}: cut it again where one can be made"
    return EarlierRelease(version=version, absent=absent)

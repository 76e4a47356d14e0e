"""The delta stages: the small upgrades of the base release, made before anything is signed."""

import os
from collections.abc import Sequence
from pathlib import Path

from cuvee.codec import Json
from cuvee.errors import ToolMissingError, UsageError
from cuvee.lock.model import PlatformLock
from cuvee.manifest.model import Manifest
from cuvee.release.artefacts import Artefact, ArtefactKind
from cuvee.release.delta_sources import delta_installers, recorded_installer
from cuvee.release.record import InstallerResult, Release
from cuvee.release.record_parts import RECORD
from cuvee.release.session import Session
from cuvee.release.stage import Made, Stage, finished

_FROM_BASE = "base"


def make_deltas(
    session: Session, lock: PlatformLock, made: Sequence[InstallerResult]
) -> tuple[InstallerResult, ...]:
    """Make the delta from the base release for one platform, if the manifest wants it, or say why not.

    The base release must be beside the one that is cut, with its installers.
    """
    manifest = session.manifest
    if manifest.installers.deltas != _FROM_BASE or manifest.base is None:
        return ()
    return tuple(
        _make(session, lock, item, manifest.base)
        for item in delta_installers(artefact for result in made for artefact in result.artefacts)
    )


def _make(session: Session, lock: PlatformLock, new: Artefact, base: Manifest) -> InstallerResult:
    from cuvee.installers.delta_installer import delta_file_name, make_delta
    from cuvee.installers.whole_installer import read_installer
    from cuvee.installers.windows.osslsigncode import certificate_fingerprint, signer_from_environment

    manifest, workspace = session.manifest, session.workspace
    name, before = f"delta-{lock.platform}", workspace.folder.parent / base.release_name
    versions = str(base.version), str(manifest.version)
    target = workspace.installers / delta_file_name(
        manifest.distribution, *versions, lock.platform, new.format
    )
    try:
        old = _installer_of(before, new)
        old_path, new_path = recorded_installer(before, old), recorded_installer(workspace.folder, new)

        def build() -> Made[InstallerResult]:
            signer = signer_from_environment(os.environ) if new.format == "exe" else None
            made = make_delta(
                read_installer(old_path),
                read_installer(new_path),
                folder=workspace.installers,
                reporter=session.reporter,
                signer=signer,
            )
            artefact = workspace.artefact(
                made.path, ArtefactKind.DELTA, platform=lock.platform, form=new.format
            )
            result = InstallerResult(platform=lock.platform, artefacts=(artefact,))
            return Made(result=result, outputs=(made.path,))

        signing = [certificate_fingerprint(os.environ)] if new.format == "exe" else []
        inputs: Json = [old.sha256, new.sha256, target.name, *signing]
        return finished(session.make(Stage.of(name, inputs, build, InstallerResult)))
    except (UsageError, ToolMissingError) as error:
        artefact = workspace.not_made(
            target, error, platform=lock.platform, form=new.format, kind=ArtefactKind.DELTA
        )
        return InstallerResult(stage=name, platform=lock.platform, artefacts=(artefact,))


def _installer_of(folder: Path, new: Artefact) -> Artefact:
    """Return the installer of the base release.

    Raises
    ------
    ToolMissingError
        If it is not at hand; another host may have it.
    UsageError
        If there is none.
    """
    if not (folder / RECORD).is_file():
        raise ToolMissingError(
            f"{folder.name} is not beside the release, from which a delta is made",
            hint="Put its release folder, with the installers, beside that of this release.",
        )
    for item in delta_installers(Release.open(folder).artefacts):
        if (item.platform, item.format) == (new.platform, new.format):
            if not (folder / item.path).is_file():
                raise ToolMissingError(
                    f"{folder / item.path} is not here", hint="Copy it from where the release was made."
                )
            return item
    raise UsageError(f"{folder.name} has no .{new.format} for {new.platform}", hint="There can be no delta.")

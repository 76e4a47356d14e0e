"""The installer stages of one platform: constructor's project, and each installer that the manifest wants."""

import os
from dataclasses import replace
from pathlib import Path

from cuvee import platforms
from cuvee.codec import Json
from cuvee.conda.url_secrets import without_secrets
from cuvee.errors import IntegrityError, TooLargeError, ToolMissingError
from cuvee.files import fingerprint, replacing_folder, sha256_bytes, sha256_file
from cuvee.folder_hashes import folder_inputs
from cuvee.image.model import Image
from cuvee.image.settings import ByteCode
from cuvee.installers.constructor.executable import run_constructor
from cuvee.installers.constructor.project_writer import (
    ProjectInputs,
    construct_files,
    relative_channel,
    solving_environment,
)
from cuvee.installers.formats import in_order, make
from cuvee.installers.naming import display_name, file_name
from cuvee.installers.windows.osslsigncode import certificate_fingerprint
from cuvee.lock.model import PlatformLock
from cuvee.release.artefacts import Artefact, ArtefactKind
from cuvee.release.record import InstallerResult
from cuvee.release.session import Session
from cuvee.release.stage import Made, Stage, finished

ENGINE = "constructor"
"""The value of ``installers.engine`` with which constructor builds."""


def make_project(session: Session, lock: PlatformLock) -> InstallerResult:
    """Write the project from which constructor makes the installers of one platform."""
    folder = session.workspace.constructor_project(lock.platform)
    files = construct_files(_project_inputs(session, lock, folder))

    def write() -> Made[InstallerResult]:
        with replacing_folder(folder) as beside:
            for name, data in files.items():
                path = beside / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        artefacts = (
            session.workspace.artefact(
                folder / name, ArtefactKind.CONSTRUCTOR_PROJECT, platform=lock.platform
            )
            for name in sorted(files)
        )
        result = InstallerResult(platform=lock.platform, artefacts=tuple(artefacts))
        return Made(result=result, outputs=(folder,))

    # It takes no time, so what it depends on is what comes out of it.
    inputs: Json = {name: sha256_bytes(data) for name, data in files.items()}
    return finished(session.make(Stage.of(f"construct-{lock.platform}", inputs, write, InstallerResult)))


def make_installers(session: Session, lock: PlatformLock, image: Image) -> tuple[InstallerResult, ...]:
    """Make every installer that the manifest wants of one platform, or say why one is not made."""
    formats = session.manifest.installers.formats.get(platforms.get(lock.platform).system, ())
    setting = session.settings[platforms.get(lock.platform).system].bytecode
    if formats and session.manifest.installers.engine == ENGINE and setting is not ByteCode.INSTALLER:
        session.reporter.warn(
            f"{lock.platform}: constructor has no setting for `bytecode: {setting.value}`; its installers "
            "have the byte code that packages bring"
        )
    made: dict[str, InstallerResult] = {}
    for kind in in_order(formats):
        exe = made["exe"].artefacts[0] if "exe" in made else None
        made[kind] = _make_installer(session, lock, image, kind, exe=exe)
    return tuple(made.values())


def installer_path(session: Session, lock: PlatformLock, kind: str) -> Path:
    """Return where an installer is, or would be."""
    manifest = session.manifest
    name = file_name(display_name(manifest.distribution), str(manifest.version), lock.platform, kind)
    return session.workspace.installers / name


def _make_installer(
    session: Session, lock: PlatformLock, image: Image, kind: str, *, exe: Artefact | None
) -> InstallerResult:
    manifest, workspace = session.manifest, session.workspace
    target = installer_path(session, lock, kind)
    name = f"installer-{lock.platform}-{kind}"

    def build() -> Made[InstallerResult]:
        _build(session, lock, image, kind, target, exe=exe)
        artefact = workspace.artefact(target, ArtefactKind.INSTALLER, platform=lock.platform, form=kind)
        result = InstallerResult(platform=lock.platform, artefacts=(artefact,))
        return Made(result=result, outputs=(target,), hashes={target: artefact.sha256})

    inputs: Json = [
        *(image.manifest_sha256, image.stage0_sha256, target.name, manifest.installers.engine),
        folder_inputs(manifest.installers.branding),
        *([certificate_fingerprint(os.environ)] if lock.platform == "win-64" else []),
    ]
    try:
        result = finished(session.make(Stage.of(name, inputs, build, InstallerResult)))
    except (ToolMissingError, TooLargeError) as error:
        artefact = workspace.not_made(target, error, platform=lock.platform, form=kind)
        return InstallerResult(stage=name, platform=lock.platform, artefacts=(artefact,))
    timed = tuple(replace(artefact, seconds=result.seconds) for artefact in result.artefacts)
    return replace(result, artefacts=timed)


def _build(
    session: Session, lock: PlatformLock, image: Image, kind: str, target: Path, *, exe: Artefact | None
) -> None:
    """Make one installer with the engine that the manifest wants; our own ``.msi`` holds the ``.exe``."""
    manifest, workspace = session.manifest, session.workspace
    if manifest.installers.engine != ENGINE:
        make(kind, image, session.branding, target, session.reporter, exe=_unchanged(session, exe))
        return
    run_constructor(
        workspace.constructor_project(lock.platform),
        platform=lock.platform,
        kind=kind,
        environment=solving_environment(lock),
        target=target,
        # Constructor writes the URLs of all files in its cache that have a package's name, from whatever
        # channel, and fails with "Duplicate packages found". A release's own channel is in its folder.
        cache=workspace.cache / "constructor" / fingerprint(str(workspace.folder.absolute()))[:16],
        reporter=session.reporter,
    )


def _unchanged(session: Session, artefact: Artefact | None) -> Path | None:
    """Return the file of an artefact that was made; raise if it is not what was made any more."""
    if artefact is None or artefact.not_made is not None:
        return None
    path = session.workspace.folder / artefact.path
    if sha256_file(path) != artefact.sha256:
        raise IntegrityError(
            f"{path} has changed since it was made", hint="Delete it; the next run makes it again."
        )
    return path


def _project_inputs(session: Session, lock: PlatformLock, folder: Path) -> ProjectInputs:
    manifest = session.manifest
    system = platforms.get(lock.platform).system
    own = [str(session.workspace.channel)] if any(package.is_local for package in lock.packages) else []
    return ProjectInputs(
        lock=lock,
        name=display_name(manifest.distribution),
        version=str(manifest.version),
        channels=tuple(
            relative_channel(without_secrets(channel), folder) for channel in (*manifest.channels, *own)
        ),
        requested=tuple(sorted(item.spec for item in session.requested(lock.platform))),
        formats=tuple(manifest.installers.formats.get(system, ())),
        branding=session.branding,
        settings=session.settings[system],
    )

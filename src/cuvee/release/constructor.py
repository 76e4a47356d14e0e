"""The release for constructor: a project for each platform, and installers made with it when it is wanted."""

from pathlib import Path

from cuvee import platforms
from cuvee.conda.url_secrets import without_secrets
from cuvee.files import fingerprint, replacing_folder
from cuvee.image.model import Image
from cuvee.installers.constructor.executable import Constructor
from cuvee.installers.constructor.project_writer import (
    ProjectInputs,
    construct_files,
    relative_channel,
    solving_environment,
)
from cuvee.installers.formats import make
from cuvee.installers.naming import display_name
from cuvee.lock.model import PlatformLock
from cuvee.release.context import Context, Made

ENGINE = "constructor"
"""`Installers.engine` of who wants constructor to build."""


def project_folder(context: Context, platform: str) -> Path:
    """Give the folder of a platform's project."""
    return context.workspace.installers / "constructor" / platform


def construct_stage(context: Context, lock: PlatformLock) -> None:
    """Write the project from which constructor makes the installers of one platform."""
    if context.recorded_only:
        return
    folder = project_folder(context, lock.platform)
    files = construct_files(_construct(context, lock, folder))
    # It takes no time, so what it depends on is what comes out of it.
    inputs = fingerprint({name: data.hex() for name, data in files.items()})

    def write() -> Made:
        with replacing_folder(folder) as beside:
            for name, data in files.items():
                path = beside / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        return Made(outputs=(folder,))

    context.stage(f"construct-{lock.platform}", inputs, write)


def _construct(context: Context, lock: PlatformLock, folder: Path) -> ProjectInputs:
    manifest = context.manifest
    system = platforms.get(lock.platform).system
    own = [str(context.workspace.channel)] if any(package.is_local for package in lock.packages) else []
    return ProjectInputs(
        lock=lock,
        name=display_name(manifest.distribution),
        version=str(manifest.version),
        channels=tuple(
            relative_channel(without_secrets(channel), folder) for channel in (*manifest.channels, *own)
        ),
        requested=tuple(sorted(item.spec for item in manifest.requirements(lock.platform))),
        formats=tuple(manifest.installers.formats.get(system, ())),
        branding=context.branding,
        settings=context.settings[system],
    )


def build_installer(
    context: Context, lock: PlatformLock, image: Image, kind: str, target: Path, *, exe: Path | None = None
) -> None:
    """Make one installer with whatever engine the manifest wants; our own `.msi` holds ``exe``."""
    manifest = context.manifest
    if manifest.installers.engine != ENGINE:
        make(kind, image, context.branding, target, context.reporter, exe=exe)
        return
    Constructor.find().build(
        project_folder(context, lock.platform),
        platform=lock.platform,
        kind=kind,
        environment=solving_environment(lock),
        target=target,
        cache=context.workspace.cache / "constructor",
        reporter=context.reporter,
    )

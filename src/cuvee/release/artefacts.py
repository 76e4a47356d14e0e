"""The image, installer and test stages: from a proved set to installers that were seen running."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee import platforms
from cuvee.channel.archive_download import path_or_raise, try_fetch_archives
from cuvee.errors import CuveeError, IntegrityError, TooLargeError, ToolMissingError
from cuvee.files import sha256_file, write_bytes
from cuvee.image.model import Image
from cuvee.image.settings import InstallerSettings
from cuvee.installers.artefact import Artefact, Missing
from cuvee.installers.formats import in_order
from cuvee.installers.naming import installer_name
from cuvee.installers.windows.osslsigncode import certificate_fingerprint
from cuvee.integration.outcomes import PlatformRun
from cuvee.lock.model import PlatformLock
from cuvee.progress import Reporter
from cuvee.release.constructor import build_installer, construct_stage
from cuvee.release.context import Context, Made
from cuvee.release.inputs import folder as folder_inputs
from cuvee.release.inputs import plain, whole_manifest

if TYPE_CHECKING:
    from cuvee.image.bytecode import ByteCompiler


class Archives:
    """The verified archives of a lock; looked for when the first stage asks, and once only."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._found: dict[str, dict[str, Path | CuveeError]] = {}

    def of(self, lock: PlatformLock) -> Mapping[str, Path]:
        """Give the archives of one platform by identifier; raise if one is not to be had."""
        return {identifier: path_or_raise(path) for identifier, path in self.found(lock).items()}

    def found(self, lock: PlatformLock) -> Mapping[str, Path | CuveeError]:
        """Give the archives of one platform by identifier, or why one is not to be had."""
        if lock.platform not in self._found:
            workspace = self._context.workspace
            self._found[lock.platform] = try_fetch_archives(
                lock.packages,
                release=workspace.folder,
                cache=workspace.cache,
                connection=self._context.connection,
                reporter=self._context.reporter,
            )
        return self._found[lock.platform]


def image_stage(context: Context, lock: PlatformLock, archives: Archives) -> None:
    """Make the image of one platform."""
    manifest = context.manifest
    requested = {item.name: item.spec for item in manifest.requirements(lock.platform)}
    label = [manifest.distribution, str(manifest.version), manifest.title]
    settings = context.settings[platforms.get(lock.platform).system]
    inputs = [
        plain(lock.packages),
        plain(lock.virtual_packages),
        requested,
        label,
        sys.version,
        plain(settings, without=frozenset({"source"})),
        context.signer.public.hex() if context.signer is not None else None,
        context.publish,
    ]
    context.stage(
        f"image-{lock.platform}", inputs, lambda: _make_image(context, lock, requested, archives, settings)
    )


def _make_image(
    context: Context,
    lock: PlatformLock,
    requested: Mapping[str, str],
    archives: Archives,
    settings: InstallerSettings,
) -> Made:
    from cuvee.image.build import build_image
    from cuvee.image.frames import HIGH_LEVEL, QUICK_LEVEL
    from cuvee.image.model import ReleaseLabel
    from cuvee.trust.sbom import make_sbom, newest

    manifest, workspace = context.manifest, context.workspace
    release = ReleaseLabel(
        distribution=manifest.distribution, version=str(manifest.version), title=manifest.title
    )
    # Its time must not be that of this run: the same release gives the same installer.
    sbom = make_sbom(lock, release=release, direct=requested, made_at=newest(lock))
    write_bytes(workspace.sbom(lock.platform), sbom)
    image = build_image(
        lock,
        release=release,
        archives=archives.of(lock),
        requested=requested,
        cache=workspace.cache,
        folder=workspace.image(lock.platform),
        compiler=compiler_for(lock, workspace.cache, context.reporter),
        reporter=context.reporter,
        settings=settings,
        sbom=sbom,
        signer=context.signer,
        level=HIGH_LEVEL if context.publish else QUICK_LEVEL,
    )
    return Made(
        outputs=(workspace.image(lock.platform), workspace.sbom(lock.platform)),
        facts={"files": image.files, "raw_size": image.raw_size},
    )


def compiler_for(lock: PlatformLock, cache: Path, reporter: Reporter) -> "ByteCompiler | None":
    """Give what makes byte code for a closure, or warn that nothing here can."""
    from cuvee.image.bytecode import ByteCompiler

    python = lock.by_name.get("python")
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if python is None or python.version.split(".")[:2] != here.split("."):
        reporter.warn(
            f"{lock.platform}: byte code is not compiled, since cuvee runs on Python {here}; "
            "the first start of each program will be slower"
        )
        return None
    return ByteCompiler(Path(sys.executable), cache)


def installer_stage(context: Context, lock: PlatformLock) -> tuple[Artefact, ...]:
    """Make the installers that the manifest asks for on one platform; say which are missing, and why."""
    construct_stage(context, lock)
    system = platforms.get(lock.platform).system
    formats = context.manifest.installers.formats.get(system, ())
    made: dict[str, Artefact] = {}
    for kind in in_order(formats):
        made[kind] = _installer(context, lock, kind, exe=made.get("exe"))
    return tuple(made.values()) or (_image_artefact(context, lock),)


def _installer(context: Context, lock: PlatformLock, kind: str, *, exe: Artefact | None) -> Artefact:
    manifest, workspace = context.manifest, context.workspace
    image = Image.load(workspace.image(lock.platform))
    name = installer_name(image, kind)
    inputs = [
        *(image.manifest_sha256, image.stage0_sha256, name, manifest.installers.engine),
        folder_inputs(manifest.installers.branding),
        *([certificate_fingerprint(os.environ)] if lock.platform == "win-64" else []),
    ]
    artefact = Artefact(
        name=name, path=f"installers/{name}", platform=lock.platform, kind=f"{kind} installer"
    )
    try:
        record = context.stage(
            f"installer-{lock.platform}-{kind}",
            inputs,
            lambda: _make_installer(context, lock, image, kind, exe=exe),
        )
    except (ToolMissingError, TooLargeError) as error:
        return replace(artefact, missing=Missing.by(error))
    size, sha256 = record.facts["size"], record.facts["sha256"]
    return replace(artefact, size=size, sha256=sha256, seconds=record.seconds)


def _make_installer(
    context: Context, lock: PlatformLock, image: Image, kind: str, *, exe: Artefact | None
) -> Made:
    target = context.workspace.installers / installer_name(image, kind)
    build_installer(context, lock, image, kind, target, exe=_unchanged(context, exe))
    return Made(outputs=(target,), facts={"size": target.stat().st_size, "sha256": sha256_file(target)})


def _unchanged(context: Context, artefact: Artefact | None) -> Path | None:
    """Give an artefact's file, if there is one; raise if it is not what was made."""
    if artefact is None or artefact.missing is not None:
        return None
    path = context.workspace.folder / artefact.path
    if sha256_file(path) != artefact.sha256:
        raise IntegrityError(
            f"{path} is not what was made any more", hint="Delete it; the next run makes it again."
        )
    return path


def _image_artefact(context: Context, lock: PlatformLock) -> Artefact:
    """Without an installer, the payload is what there is to hand on."""
    payload = context.workspace.image(lock.platform) / "payload.bin"
    record = context.workspace.record(f"image-{lock.platform}")
    return Artefact(
        name=f"{lock.platform}/{payload.name}",
        path=payload.relative_to(context.workspace.folder).as_posix(),
        platform=lock.platform,
        kind="image",
        size=payload.stat().st_size,
        seconds=record.seconds if record is not None else 0.0,
        sha256=sha256_file(payload),
    )


def run_tests(
    context: Context, lock: PlatformLock, artefacts: tuple[Artefact, ...], archives: Archives
) -> PlatformRun:
    """Install the release with its own installer and run its suites in it, or say why not."""
    from cuvee.integration.plan_builder import build_plan
    from cuvee.integration.platform_run import run_platform
    from cuvee.integration.results_folder import read_run
    from cuvee.integration.runners.selection import select_runner

    manifest, workspace = context.manifest, context.workspace
    made = [item for item in artefacts if item.missing is None and item.path.startswith("installers/")]
    tested, without = _tested(made)
    runner, reason = select_runner(lock.platform, emulate=context.emulate, cache=workspace.cache)
    ran_by = runner.name if runner is not None else reason
    today = context.now.date()
    holding = [waiver.expires >= today for waiver in manifest.waivers]
    known = [failure for failure in context.suite_files.known_failures if failure.holds_on(today)]
    hashes = [item.sha256 for item in made]
    inputs = [
        hashes,
        whole_manifest(manifest),
        folder_inputs(context.suites_folder),
        ran_by,
        holding,
        plain(known),
    ]

    def work() -> Made:
        run_platform(
            build_plan(manifest, lock, context.suite_files, archives.of(lock), today=today),
            installer=workspace.folder / tested.path if tested else None,
            runner=runner,
            results=workspace.results,
            reporter=context.reporter,
            without=without,
        )
        return Made(outputs=(workspace.results / lock.platform,))

    context.stage(f"test-{lock.platform}", inputs, work)
    return read_run(workspace.results / lock.platform)


def _tested(made: Sequence[Artefact]) -> tuple[Artefact | None, str]:
    """Give the installer that tests are run with, or why there is none.

    Runners start a `.sh` or an `.exe`. An `.msi` and a `.pkg` are packages for a service of their system.
    """
    for item in made:
        if item.name.endswith((".sh", ".exe")):
            return item, ""
    if not made:
        return None, "no installer was made for it"
    return (
        None,
        f"tests install with a .sh or an .exe, and only {', '.join(item.name for item in made)} was made",
    )

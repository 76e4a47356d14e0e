"""The image stage: the installed prefix of one platform as the payload of its installers."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee import platforms
from cuvee.codec import encode
from cuvee.files import write_bytes
from cuvee.image.model import Image, ReleaseLabel
from cuvee.image.settings import ByteCode, InstallerSettings
from cuvee.lock.model import PlatformLock
from cuvee.progress import Reporter
from cuvee.release.artefacts import Artefact, ArtefactKind
from cuvee.release.record import ImageResult
from cuvee.release.session import Session
from cuvee.release.stage import Made, Stage, artefacts_of

if TYPE_CHECKING:
    from cuvee.byte_code.byte_compiler import ByteCompiler


ImageAndArtefacts = tuple[Image, tuple[Artefact, ...]]


def make_image(session: Session, lock: PlatformLock) -> tuple[Image, ImageResult]:
    """Run the stage; the image is in ``images/<platform>/``, its bills of materials in ``sbom/``."""
    done = session.make(image_stage(session, lock))
    image, artefacts = done.result
    result = ImageResult(
        stage=done.stage,
        platform=lock.platform,
        manifest_sha256=image.manifest_sha256,
        stage0_sha256=image.stage0_sha256,
        payload_sha256=image.payload_sha256,
        files=image.files,
        raw_size=image.raw_size,
        inputs=done.inputs,
        seconds=done.seconds,
        reused=done.reused,
        artefacts=artefacts,
    )
    return image, result


def image_stage(session: Session, lock: PlatformLock) -> Stage[ImageAndArtefacts]:
    """Return the stage of one platform."""
    manifest, workspace = session.manifest, session.workspace
    settings = session.settings[platforms.get(lock.platform).system]
    signer = session.options.signer
    return Stage(
        name=f"image-{lock.platform}",
        inputs=[
            encode(lock.packages),
            encode(lock.virtual_packages),
            {item.name: item.spec for item in session.requested(lock.platform)},
            [manifest.distribution, str(manifest.version), manifest.title, manifest.channel_url],
            sys.version,
            *pythons_for_desktops(lock, settings, workspace.cache),
            encode(settings, without=frozenset({"source"})),
            signer.public.hex() if signer is not None else None,
            session.options.publish,
            bool(manifest.installers.formats.get(platforms.get(lock.platform).system)),
        ],
        run=lambda: _make(session, lock),
        load=lambda kept: (Image.load(workspace.image(lock.platform)), artefacts_of(kept)),
    )


def byte_compiler(
    lock: PlatformLock, settings: InstallerSettings, cache: Path, reporter: Reporter
) -> "ByteCompiler | None":
    """Return what makes byte code for a closure; `None`, with a warning, if nothing here can."""
    from cuvee.byte_code.byte_compiler import matching_compiler, running_compiler

    python = lock.by_name.get("python")
    if python is not None and settings.bytecode is ByteCode.DESKTOP:
        exact = matching_compiler(python.version, cache, reporter)
        if exact is not None:
            return exact
    minor = ".".join(python.version.split(".")[:2]) if python is not None else ""
    compiler = running_compiler(minor, cache, reporter)
    if compiler is None:
        here = f"{sys.version_info[0]}.{sys.version_info[1]}"
        reporter.warn(
            f"{lock.platform}: byte code is not compiled, since cuvee runs on Python {here}; "
            "the first start of each program will be slower"
        )
    return compiler


def pythons_for_desktops(lock: PlatformLock, settings: InstallerSettings, cache: Path) -> list[str]:
    """Return the Python that says what desktops will compile; empty if none can, or none needs to."""
    from cuvee.byte_code.byte_compiler import matching_compiler

    python = lock.by_name.get("python")
    if python is None or settings.bytecode is not ByteCode.DESKTOP:
        return []
    found = matching_compiler(python.version, cache)
    return [] if found is None else [found.full_version]


def _make(session: Session, lock: PlatformLock) -> Made[ImageAndArtefacts]:
    from cuvee.image.build import build_image
    from cuvee.image.frames import HIGH_LEVEL, QUICK_LEVEL
    from cuvee.trust.sbom import make_sbom
    from cuvee.trust.spdx_document import make_spdx

    manifest, workspace, options = session.manifest, session.workspace, session.options
    settings = session.settings[platforms.get(lock.platform).system]
    archives = session.archives(lock)
    if manifest.channel_url:
        lock = lock.published(manifest.channel_url)
    requested = {item.name: item.spec for item in session.requested(lock.platform)}
    release = ReleaseLabel(
        distribution=manifest.distribution, version=str(manifest.version), title=manifest.title
    )
    # Its time must not be that of this run: the same release gives the same installer.
    sbom = make_sbom(lock, release=release, requested=requested)
    write_bytes(workspace.sbom(lock.platform), sbom)
    write_bytes(workspace.spdx(lock.platform), make_spdx(lock, release=release, requested=requested))
    image = build_image(
        lock,
        release=release,
        archives=archives,
        requested=requested,
        cache=workspace.cache,
        folder=workspace.image(lock.platform),
        compiler=byte_compiler(lock, settings, workspace.cache, session.reporter),
        reporter=session.reporter,
        settings=settings,
        sbom=sbom,
        signer=options.signer,
        level=HIGH_LEVEL if options.publish else QUICK_LEVEL,
    )
    platform = lock.platform
    bills = (workspace.sbom(platform), workspace.spdx(platform))
    artefacts = [workspace.artefact(path, ArtefactKind.SBOM, platform=platform) for path in bills]
    if not manifest.installers.formats.get(platforms.get(platform).system):
        # Without any installer, the payload is what there is to hand out.
        artefacts.append(workspace.artefact(image.payload, ArtefactKind.IMAGE, platform=platform))
    return Made(
        result=(image, tuple(artefacts)),
        outputs=(workspace.image(platform), *bills),
        kept=encode(artefacts),
    )

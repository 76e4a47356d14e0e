"""From a lock and its archives to the image of one platform."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.resources import files as resource_files
from itertools import chain
from pathlib import Path

from cuvee.byte_code.byte_compiler import ByteCompiler, PythonSource
from cuvee.conda.garbage_collection import gc_paused
from cuvee.conda.package_info import PackageInfo
from cuvee.files import replacing_folder, sha256_bytes, sha256_file
from cuvee.image.archive_members import ArchiveMember, read_members
from cuvee.image.cached_infos import package_infos
from cuvee.image.extra_files import extra_parts
from cuvee.image.frames import HIGH_LEVEL, QUICK_LEVEL, Part, pack
from cuvee.image.image_manifest import ImageManifest, build_manifest, write_manifest
from cuvee.image.installer_core import core_packages
from cuvee.image.link_plan import refuse_escapes
from cuvee.image.linked_packages import LinkedPackages
from cuvee.image.model import (
    MANIFEST,
    SOURCE_TIME,
    STAGE0,
    Image,
    ImageSigner,
    ReleaseLabel,
    signed_message,
)
from cuvee.image.packer import PackedPackage, Packer
from cuvee.image.packing import Packing
from cuvee.image.payload_writer import PayloadWriter
from cuvee.image.prefix_records import record_part
from cuvee.image.python_paths import PythonPaths
from cuvee.image.settings import ByteCode, InstallerSettings
from cuvee.image.spool import Spool
from cuvee.image.stage0 import RUNTIME_FOLDER, Stage0File, select_stage0, tar_of, write_stage0
from cuvee.image.stage0_facts import Stage0Facts
from cuvee.lock.model import PlatformLock
from cuvee.progress import Reporter
from cuvee.runtime.prefix_metadata import launcher
from cuvee.runtime.prefix_state import KEPT


def build_image(
    lock: PlatformLock,
    *,
    release: ReleaseLabel,
    archives: Mapping[str, Path],
    requested: Mapping[str, str],
    cache: Path,
    folder: Path,
    level: int = QUICK_LEVEL,
    compiler: ByteCompiler | None,
    reporter: Reporter,
    settings: InstallerSettings | None = None,
    sbom: bytes = b"",
    signer: ImageSigner | None = None,
    infos: Mapping[str, PackageInfo] | None = None,
) -> Image:
    """Build the image of a locked platform, reproducibly.

    Parameters
    ----------
    archives
        The archive of each package, by its ``identifier``; their hashes have been checked. Those of packages
        that are in the cache are not asked for.
    requested
        The requested packages, from name to match spec, for the prefix's records.
    cache
        The folder of cached byte code and frames, for all platforms and releases.
    folder
        The image's folder; replaced as a whole.
    level
        The zstd level of the frames, see `frames`.
    compiler
        Makes byte code, with an interpreter of the release's minor version; `None` for none. For byte code
        that desktops make, it must be of the very version of the release, see `ByteCode`.
    settings
        What installers do besides linking packages; part of the image's manifest.
    sbom
        The software bill of materials, for the prefix; empty for none.
    signer
        Signs the image's manifest, which has the hashes of everything else.
    infos
        What `package_infos` gives, if the caller has it already.

    Raises
    ------
    IntegrityError
        If a package is broken, or is not the one in the lock.
    BlockedError
        If the packages cannot share a prefix, or if no installer could start from it.
    """
    settings = settings or InstallerSettings()
    task = f"image of {lock.platform}"
    reporter.start(task, total=len(lock.packages))
    infos = infos or package_infos(lock, archives, cache=cache, reporter=reporter)
    with gc_paused():
        linked = LinkedPackages.of(lock, infos, archives, release.distribution)
    settings = _with_byte_code(settings, linked.python, compiler, reporter)
    runtime = _runtime()
    packer = Packer(
        python=linked.python,
        stage0=frozenset(),
        compiler=compiler,
        cache=cache,
        level=level,
        byte_code=settings.bytecode,
        reporter=reporter,
    )
    core = core_packages(lock)
    with (
        gc_paused(),
        replacing_folder(folder) as beside,
        ThreadPoolExecutor(1, thread_name_prefix="stage0") as thread,
        Packing(lock, linked, packer, done=lambda name: reporter.advance(task, note=name)) as packing,
        PayloadWriter(beside, repair=packing.pack_again) as payload,
    ):
        packing.add(name for name in lock.by_name if name not in core)
        packing.add(core, stage0=_choose_stage0(linked, runtime, cache, lock, reporter))
        packing.all_added()
        own = _runtime_files(runtime, linked.python, compiler)
        early = (file for name in core for file, _ in packing.result(name).stage0)
        stage0 = thread.submit(
            write_stage0,
            chain(early, own),
            beside / STAGE0,
            cache=cache,
            publish=level >= HIGH_LEVEL,
            reporter=reporter,
        )
        with Spool(cache) as spool:
            extra = extra_parts(lock, release, settings, sbom, spool)
            extra_files = linked.plan_extra_files(extra, release.distribution)
            extra_frames = pack(extra, level=level, cache=cache, reporter=reporter)
        packed: dict[str, PackedPackage] = {}

        def written(name: str) -> PackedPackage:
            packed[name] = packing.result(name)
            payload.add(packed[name].frames)
            return packed[name]

        parts = _records(lock, linked, written, release, requested)
        records = pack(parts, level=level, cache=cache, reporter=reporter)
        refuse_escapes(
            {name: package.links for name, package in packed.items()}, linked.python.platform.system
        )
        payload.add([*extra_frames, *records])
        stage0.result()
        manifest = build_manifest(
            lock,
            release,
            packed,
            records,
            requested,
            interpreter=linked.python.interpreter,
            settings=settings,
            extra_files=extra_files,
            extra_frames=extra_frames,
            stage0_sha256=sha256_file(beside / STAGE0),
            runtime_sha256=sha256_bytes(tar_of(own)),
            runtime=_runtime_hashes(own, release, linked.python),
            module_roots=linked.python.module_roots,
            public_key=None if signer is None else signer.public,
        )
        image = _write_image(
            manifest,
            payload,
            beside,
            lock=lock,
            release=release,
            interpreter=linked.python.interpreter,
            settings=settings,
            signer=signer,
            publish=level >= HIGH_LEVEL,
        )
    reporter.finish(task, note=f"{image.files:,} files, {image.raw_size / 1e6:,.0f} MB")
    return replace(image, folder=folder)


def _with_byte_code(
    settings: InstallerSettings, python: PythonPaths, compiler: ByteCompiler | None, reporter: Reporter
) -> InstallerSettings:
    """Return the settings: if it is not known here what desktops would compile, installers have it."""
    here = "none" if compiler is None else compiler.full_version
    if settings.bytecode is not ByteCode.DESKTOP or here == python.full_version:
        return settings
    reporter.warn(
        f"{python.platform.name}: the installer has byte code, although installer.yaml leaves it to the "
        f"desktop: only Python {python.full_version} compiles as the release does, and here is {here}; "
        f"put such a python{python.version} on PATH"
    )
    return replace(settings, bytecode=ByteCode.INSTALLER)


def _write_image(
    manifest: ImageManifest,
    payload: PayloadWriter,
    folder: Path,
    *,
    lock: PlatformLock,
    release: ReleaseLabel,
    interpreter: str,
    settings: InstallerSettings,
    signer: ImageSigner | None,
    publish: bool,
) -> Image:
    """Write the manifest, its signature, the end of the payload and the image's record beside stage 0."""
    write_manifest(manifest, folder / MANIFEST, publish=publish)
    manifest_sha256 = sha256_file(folder / MANIFEST)
    signature = b"" if signer is None else signer.sign(signed_message(manifest_sha256))
    payload_sha256 = payload.end(signature)
    image = Image(
        platform=lock.platform,
        label=release,
        folder=folder,
        manifest_raw=len(manifest.text),
        manifest_sha256=manifest_sha256,
        stage0_sha256=sha256_file(folder / STAGE0),
        payload_sha256=payload_sha256,
        raw_size=manifest.raw_size,
        files=manifest.files,
        longest_path=manifest.longest_path,
        interpreter=interpreter,
        floor={package.name: package.version for package in lock.virtual_packages},
        settings=replace(settings, extra_files=()),
    )
    image.save()
    return image


def _records(
    lock: PlatformLock,
    linked: LinkedPackages,
    packed: Callable[[str], PackedPackage],
    release: ReleaseLabel,
    requested: Mapping[str, str],
) -> Iterator[Part]:
    for package in lock.packages:
        index, found = linked.infos[package.name].index, packed(package.name)
        yield record_part(package, index, found.files, release=release, requested=requested)


def _choose_stage0(
    linked: LinkedPackages,
    runtime: Mapping[str, bytes],
    cache: Path,
    lock: PlatformLock,
    reporter: Reporter,
) -> frozenset[str]:
    core = core_packages(lock)
    files = {file.path: file for plan in linked.plans.values() for file in plan}
    owners = {file.path: name for name, plan in linked.plans.items() for file in plan}
    loaded: dict[str, dict[str, ArchiveMember]] = {}

    def read(path: str) -> bytes:
        file, name = files[path], owners[path]
        if file.source is None:
            return file.content or b""
        if name not in loaded:
            loaded[name] = {member.path: member for member in read_members(linked.opened(name), spool)}
        member = loaded[name][file.source]
        return member.data.read() if member.link_target is None else member.link_target.encode()

    foreign = {path: name for path, name in owners.items() if name not in core}
    hashes = {name: lock.by_name[name].sha256 for name in sorted(core)}
    facts = Stage0Facts.cached(read, archives=hashes, python=linked.python, cache=cache, reporter=reporter)
    with Spool(cache) as spool:
        selected = select_stage0(files, linked.python, runtime, facts, foreign)
    facts.save()
    return selected


def _runtime() -> dict[str, bytes]:
    """Return the sources of the runtime's modules, by file name; they are data here, and never imported."""
    folder = resource_files("cuvee.runtime")
    return {
        entry.name: entry.read_bytes()
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".py")
    }


def _runtime_files(
    runtime: Mapping[str, bytes], python: PythonPaths, compiler: ByteCompiler | None
) -> list[Stage0File]:
    files = [
        Stage0File(path=f"{RUNTIME_FOLDER}/{name}", mode=0o644, data=data) for name, data in runtime.items()
    ]
    if compiler is None:
        return files
    compiled = compiler.compile(
        [PythonSource(name=f"runtime/{name}", data=data) for name, data in runtime.items()],
        time=SOURCE_TIME,
    )
    for file, data in zip(tuple(files), compiled, strict=True):
        if data is not None:
            files.append(Stage0File(path=python.pyc_path(file.path), mode=0o644, data=data))
    return files


def _runtime_hashes(
    files: Iterable[Stage0File], release: ReleaseLabel, python: PythonPaths
) -> dict[str, str]:
    """Return the SHA-256 of what the runtime leaves of itself in a prefix, by path there."""
    found = {
        f"{KEPT}/runtime/{file.path.removeprefix(f'{RUNTIME_FOLDER}/')}": sha256_bytes(file.data)
        for file in files
    }
    if python.platform.system != "win":
        text = launcher(
            title=release.title,
            version=release.version,
            distribution=release.distribution,
            interpreter=python.interpreter,
        )
        found[f"bin/{release.distribution}-admin"] = sha256_bytes(text.encode())
    return dict(sorted(found.items()))

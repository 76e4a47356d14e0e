"""From a lock and its archives to the image of one platform."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files as resource_files
from pathlib import Path

from cuvee.byte_code.byte_compiler import ByteCompiler, PythonSource
from cuvee.channel.windows_launcher import windows_launcher
from cuvee.conda.package_info import PackageInfo
from cuvee.conda.rattler_records import link_order
from cuvee.files import replacing_folder, sha256_bytes, sha256_file
from cuvee.image.archive_members import ArchiveMember, read_members
from cuvee.image.cached_infos import package_infos
from cuvee.image.clobber import resolve_clobbers
from cuvee.image.extra_files import extra_parts, plan_extra_files
from cuvee.image.frames import HIGH_LEVEL, QUICK_LEVEL, CompressedFrame, Part, pack
from cuvee.image.image_manifest import ImageManifest, build_manifest, write_manifest
from cuvee.image.installer_core import core_packages
from cuvee.image.link_plan import plan_package, refuse_escapes, refuse_reserved
from cuvee.image.model import (
    MANIFEST,
    SOURCE_TIME,
    STAGE0,
    Image,
    ImageSigner,
    PlannedFile,
    ReleaseLabel,
    signed_message,
)
from cuvee.image.pack_jobs import PackJob, PackSettings
from cuvee.image.pack_workers import WORTH_IT, pack_in_processes
from cuvee.image.packed_cache import PackedCache
from cuvee.image.packer import PackedPackage, Packer
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

_WORKERS = 2


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
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="image") as pool:
        infos = infos or package_infos(lock, archives, cache=cache, reporter=reporter)
        linked = _link(lock, infos, archives, release.distribution)
        settings = _with_byte_code(settings, linked.python, compiler, reporter)
        runtime = _runtime()
        packer = Packer(
            python=linked.python,
            stage0=_choose_stage0(linked, runtime, cache, lock, reporter),
            compiler=compiler,
            cache=cache,
            level=level,
            byte_code=settings.bytecode,
            reporter=reporter,
        )
        packed = _pack(lock, linked, packer, pool, lambda name: reporter.advance(task, note=name))
    links = {name: package.links for name, package in packed.items()}
    refuse_escapes(links, linked.python.platform.system)

    repair = partial(_pack_again, packed=packed, linked=linked, packer=packer)
    with replacing_folder(folder) as beside, PayloadWriter(beside, repair=repair) as payload:
        payload.add(frame for package in lock.packages for frame in packed[package.name].frames)
        with Spool(cache) as spool:
            extra = extra_parts(lock, release, settings, sbom, spool)
            extra_files = linked.plan_extra_files(extra, release.distribution)
            extra_frames = pack(extra, level=level, cache=cache, reporter=reporter)
        parts = _records(lock, linked, packed, release, requested)
        records = pack(parts, level=level, cache=cache, reporter=reporter)
        payload.add([*extra_frames, *records])
        stage0 = [file for package in packed.values() for file, _ in package.stage0]
        own = _runtime_files(runtime, linked.python, compiler)
        write_stage0([*stage0, *own], beside / STAGE0, cache=cache, reporter=reporter)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Linked:
    """The link plan of each package, by its name, from metadata only."""

    python: PythonPaths
    infos: Mapping[str, PackageInfo]
    plans: Mapping[str, tuple[PlannedFile, ...]]
    archive: Callable[[str], Path]

    def opened(self, name: str) -> PackageInfo:
        """Return the metadata of a package with its archive, whose hash has been checked."""
        return replace(self.infos[name], archive=self.archive(name))

    def plan_extra_files(self, extra: Sequence[Part], distribution: str) -> list[PlannedFile]:
        """Return what extra files are in the prefix; raise if a package has one of them."""
        planned = (file for plan in self.plans.values() for file in plan)
        return plan_extra_files(extra, planned, distribution=distribution, platform=self.python.platform)


def _pack_again(
    damaged: CompressedFrame, *, packed: Mapping[str, PackedPackage], linked: _Linked, packer: Packer
) -> None:
    """Pack the package that has a frame; that says that the frame is damaged."""
    for name, package in packed.items():
        if damaged in package.frames:
            packer.pack(linked.opened(name), linked.plans[name])


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


def _pack(
    lock: PlatformLock,
    linked: _Linked,
    packer: Packer,
    pool: ThreadPoolExecutor,
    done: Callable[[str], None],
) -> dict[str, PackedPackage]:
    """Pack every package, the largest first, so that all workers end at about the same time."""
    kept = PackedCache.of(packer)
    targets = {item.name: kept.path(item.sha256, linked.plans[item.name]) for item in lock.packages}

    def load(name: str) -> PackedPackage | None:
        return kept.load(targets[name])

    def job(name: str) -> PackJob:
        return PackJob(info=linked.opened(name), plan=linked.plans[name], target=targets[name])

    def pack_here(name: str) -> PackedPackage:
        packed = packer.pack(jobs[name].info, jobs[name].plan)
        kept.save(jobs[name].target, packed)
        done(name)
        return packed

    found = dict(zip(targets, pool.map(load, targets), strict=True))
    packed = {name: item for name, item in found.items() if item is not None}
    for name in packed:
        done(name)
    jobs = {name: job(name) for name in targets if name not in packed}
    sizes = {name: item.info.archive.stat().st_size for name, item in jobs.items()}
    missing = sorted(jobs, key=lambda name: (-sizes[name], name))
    if sum(sizes[name] for name in missing) >= WORTH_IT:
        settings = PackSettings.of(packer)
        largest_first = [jobs[name] for name in missing]
        pack_in_processes(largest_first, settings, lambda job: done(job.info.index.name), packer.reporter)
        found = dict(zip(missing, pool.map(load, missing), strict=True))
        packed |= {name: item for name, item in found.items() if item is not None}
        missing = [name for name in missing if name not in packed]
    return packed | dict(zip(missing, pool.map(pack_here, missing), strict=True))


def _link(
    lock: PlatformLock, infos: Mapping[str, PackageInfo], archives: Mapping[str, Path], distribution: str
) -> _Linked:
    info = infos.get("python")
    python = PythonPaths.of_lock(lock, info.index.python_site_packages_path if info else None)
    needs_launcher = python.platform.is_windows and any(info.entry_points for info in infos.values())
    launcher = windows_launcher() if needs_launcher else None
    claims = {name: plan_package(info, python, launcher=launcher) for name, info in infos.items()}
    for name, claimed in claims.items():
        refuse_reserved(name, claimed, distribution=distribution, platform=python.platform)
    plans = resolve_clobbers(
        claims,
        link_order(lock.packages),
        ignore_case=python.platform.system != "linux",
        folders=("conda-meta", python.stdlib, python.scripts),
    )
    return _Linked(
        python=python,
        infos=infos,
        plans=plans,
        archive=lambda name: archives[lock.by_name[name].identifier],
    )


def _records(
    lock: PlatformLock,
    linked: _Linked,
    packed: Mapping[str, PackedPackage],
    release: ReleaseLabel,
    requested: Mapping[str, str],
) -> Iterator[Part]:
    for package in lock.packages:
        index, found = linked.infos[package.name].index, packed[package.name]
        yield record_part(package, index, found.files, release=release, requested=requested)


def _choose_stage0(
    linked: _Linked,
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

"""The import of wheels as a stage: what was resolved and fetched is converted, and put into the channel."""

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from cuvee import platforms
from cuvee.byte_code.byte_compiler import ByteCompiler, running_compiler
from cuvee.channel.model import Interpreter
from cuvee.channel.patches.patch_files import PatchSet
from cuvee.channel.repodata_writer import Record
from cuvee.channel.wheels.gathering import WheelGathering
from cuvee.channel.wheels.model import ImportedPackage, WheelRequest
from cuvee.channel.wheels.package_cache import cached_package, put
from cuvee.channel.wheels.patched_projects import patch_projects
from cuvee.channel.wheels.planned_packages import PlannedPackage, with_byte_code
from cuvee.channel.wheels.platform_wheels import PlatformWheels, plan_all
from cuvee.channel.wheels.requested_extras import check_extras
from cuvee.channel.windows_launcher import windows_launcher
from cuvee.conda.url_secrets import clean_url
from cuvee.files import sha256_bytes
from cuvee.progress import SILENT, Reporter
from cuvee.temporary_folders import temporary_folder

T = TypeVar("T")
R = TypeVar("R")

_CONVERSIONS = os.cpu_count() or 1


def import_wheels(
    requests: Sequence[WheelRequest],
    interpreters: Mapping[str, Interpreter],
    floors: Mapping[str, Mapping[str, str]],
    *,
    folder: Path,
    cache: Path,
    exclude_newer: datetime | None = None,
    carried: Collection[str] = (),
    prefer: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    patched: Sequence[PatchSet] = (),
    reporter: Reporter = SILENT,
) -> tuple[ImportedPackage, ...]:
    """Import projects and their dependencies from the Python index into a channel folder.

    The parameters are those of `WheelGathering` and of `import_gathered`, which also say what is returned
    and raised.
    """
    gathering = WheelGathering(
        requests=requests,
        floors=floors,
        cache=cache,
        exclude_newer=exclude_newer,
        carried=carried,
        prefer=prefer,
        reporter=reporter,
    )
    with gathering:
        return import_gathered(gathering, interpreters, folder=folder, patched=patched)


def import_gathered(
    gathering: WheelGathering,
    interpreters: Mapping[str, Interpreter],
    *,
    folder: Path,
    patched: Sequence[PatchSet] = (),
) -> tuple[ImportedPackage, ...]:
    """Import what is being gathered into a channel folder, once it is there.

    Parameters
    ----------
    folder
        The channel: packages are put into ``<folder>/<subdir>/``. Other files there are not changed.
    patched
        Packages that are made of patched wheels; the requests must have them.

    Returns
    -------
    tuple of ImportedPackage
        Sorted by name, version, subdir and build.

    Raises
    ------
    ManifestError
        If the chosen wheel of a project lacks a requested extra.
    BlockedError
        If the requests cannot be satisfied.
    SourceUnreachableError
        If the index, or a wheel, cannot be reached; says what is cached.
    IntegrityError
        If a wheel is not what was promised, or could do harm; nothing is put into ``folder`` then.
    """
    requests, cache, reporter = gathering.requests, gathering.cache, gathering.reporter
    gathered = gathering.result({name: item.version for name, item in interpreters.items()})
    pinned = gathered.pinned
    with temporary_folder("patched") as written:
        wheels = patch_projects(gathered.wheels, pinned, patched, written)
        launcher = windows_launcher() if any(platforms.get(name).is_windows for name in pinned) else None
        chosen = [
            PlatformWheels(
                platform=platform,
                python=interpreter.version,
                wheels={wheel.name: wheels[wheel.sha256] for wheel in pinned[platform]},
                resolved={wheel.name: wheel.version for wheel in gathered.resolved[platform]},
                carried=frozenset(gathering.of_channels),
                extras=_extras(requests, platform),
                conda_names=gathering.names,
            )
            for platform, interpreter in interpreters.items()
        ]
        check_extras(requests, chosen)
        planned = plan_all(chosen, sha256_bytes(launcher) if launcher is not None else None)
        compiler = _compiler(planned, cache, reporter)
        if compiler is not None:
            planned = [with_byte_code(one, compiler.version, compiler.full_version) for one in planned]
        return _convert(planned, cache / "imported", launcher, compiler, folder=folder, reporter=reporter)


def _compiler(planned: Sequence[PlannedPackage], cache: Path, reporter: Reporter) -> ByteCompiler | None:
    """Return what makes byte code; a line names the platforms whose packages get none."""
    wanted = {one.conversion.subdir: one.conversion.minor for one in planned}
    wanted.pop("noarch", None)
    compilers = [running_compiler(minor, cache, reporter) for minor in sorted({*wanted.values()})]
    compiler = next((one for one in compilers if one is not None), None)
    without = [name for name, minor in wanted.items() if compiler is None or minor != compiler.version]
    if without:
        reporter.warn(
            f"{', '.join(without)}: the packages that are made of wheels have no byte code, since cuvee runs "
            "on another version of Python than theirs"
        )
    return compiler


def _extras(requests: Sequence[WheelRequest], platform: str) -> dict[str, tuple[str, ...]]:
    return {
        request.name: request.extras
        for request in requests
        if platform in request.platforms and not request.constraint
    }


def _convert(
    planned: Sequence[PlannedPackage],
    cache: Path,
    launcher: bytes | None,
    compiler: ByteCompiler | None,
    *,
    folder: Path,
    reporter: Reporter,
) -> tuple[ImportedPackage, ...]:
    """Make the packages that the cache does not have; put them into the channel only if all succeed."""
    task = "Convert wheels"
    reporter.start(task, total=len(planned))
    made: list[str] = []

    def one(package: PlannedPackage) -> tuple[Path, Record]:
        path, record, is_new = cached_package(package, cache, launcher, compiler, reporter)
        if is_new:
            made.append(path.name)
        reporter.advance(task, note=path.name)
        return path, record

    # The largest first: they take seconds, and otherwise one of them could be converted last, by itself.
    order = sorted(planned, key=lambda package: package.wheel.path.stat().st_size, reverse=True)
    found = _parallel(one, order, _CONVERSIONS)
    packages = [
        ImportedPackage(
            archive=put(path, folder / package.conversion.subdir),
            name=package.conversion.conda_name or package.wheel.metadata.name,
            version=str(package.wheel.metadata.version),
            build=package.conversion.build,
            subdir=package.conversion.subdir,
            platforms=package.platforms,
            wheel=package.wheel.name.file_name,
            url=clean_url(package.wheel.url),
            sha256=package.wheel.sha256,
            record=record,
        )
        for package, (path, record) in zip(order, found, strict=True)
    ]
    reporter.finish(task, note=f"{len(made)} made, {len(packages) - len(made)} from the cache")
    return tuple(sorted(packages, key=lambda one: (one.name, one.version, one.subdir, one.build)))


def _parallel(function: Callable[[T], R], items: Iterable[T], workers: int) -> list[R]:
    """Map with threads; the first error, or Ctrl-C, stops all of them."""
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]

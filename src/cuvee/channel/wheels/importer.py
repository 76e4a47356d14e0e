"""The import of wheels as a stage: resolve, fetch, plan, convert, and put into the release's channel."""

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from cuvee import platforms
from cuvee.byte_code.byte_compiler import ByteCompiler, running_compiler
from cuvee.channel.model import Interpreter
from cuvee.channel.patches.patch_files import PatchSet
from cuvee.channel.wheels.conda_names import by_project, conda_names
from cuvee.channel.wheels.model import ImportedPackage, PinnedWheel, ResolutionTarget, WheelRequest
from cuvee.channel.wheels.package_cache import cached_package, put
from cuvee.channel.wheels.patched_projects import patch_projects
from cuvee.channel.wheels.planned_packages import InspectedWheel, PlannedPackage, inspect, with_byte_code
from cuvee.channel.wheels.platform_wheels import PlatformWheels, plan_all
from cuvee.channel.wheels.requested_extras import check_extras
from cuvee.channel.wheels.resolve import resolve
from cuvee.channel.wheels.resolved_metadata import check_index_metadata
from cuvee.channel.windows_launcher import windows_launcher
from cuvee.conda.url_secrets import clean_url
from cuvee.errors import BlockedError, CuveeError, SourceUnreachableError
from cuvee.files import sha256_bytes
from cuvee.progress import SILENT, Reporter
from cuvee.temporary_folders import temporary_folder

if TYPE_CHECKING:
    from cuvee.channel.wheels.wheel_download import WheelDownloader

T = TypeVar("T")
R = TypeVar("R")

_DOWNLOADS = 6
_MOST_NAMED = 10
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

    Parameters
    ----------
    requests
        The requests of the manifest: see `wheel_requests`.
    floors
        The oldest system of each platform, such as ``{"linux-64": {"glibc": "2.28"}}``.
    folder
        The channel: packages are put into ``<folder>/<subdir>/``. Other files there are not changed.
    exclude_newer
        Resolve as of this instant.
    carried
        Names of packages that another channel carries, however they are spelled: their projects take part in
        resolving, but are not imported.
    prefer
        For each platform the versions to keep where the requests allow it, by name: those of the release
        that this one changes.
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
    from cuvee.channel.wheels.wheel_download import WheelDownloader

    targets = [
        ResolutionTarget(
            platform=platform,
            python=interpreter.version,
            floor=floors.get(platform, {}),
            exclude_newer=exclude_newer,
            prefer=prefer.get(platform, {}),
        )
        for platform, interpreter in interpreters.items()
    ]
    names, of_channels = conda_names(carried, requests), by_project(carried)
    fetcher = WheelDownloader(cache / "wheels", reporter=reporter)
    try:
        resolved = _resolve(requests, targets, reporter)
        pinned = {
            platform: [wheel for wheel in wheels if wheel.name not in of_channels]
            for platform, wheels in resolved.items()
        }
        wheels = _fetch(fetcher, pinned, reporter)
    except SourceUnreachableError as error:
        raise _with_cache(error, requests, cache / "wheels") from error
    finally:
        fetcher.close()
    with temporary_folder("patched") as written:
        wheels = patch_projects(wheels, pinned, patched, written)
        launcher = windows_launcher() if any(platforms.get(name).is_windows for name in pinned) else None
        chosen = [
            PlatformWheels(
                platform=platform,
                python=interpreter.version,
                wheels={wheel.name: wheels[wheel.sha256] for wheel in pinned[platform]},
                resolved={wheel.name: wheel.version for wheel in resolved[platform]},
                carried=frozenset(of_channels),
                extras=_extras(requests, platform),
                conda_names=names,
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


def _resolve(
    requests: Sequence[WheelRequest], targets: Sequence[ResolutionTarget], reporter: Reporter
) -> dict[str, Sequence[PinnedWheel]]:
    task = "Resolve wheels"
    reporter.start(task, total=len(targets))

    def one(target: ResolutionTarget) -> Sequence[PinnedWheel] | BlockedError:
        try:
            found = resolve(requests, target)
        except BlockedError as error:
            return error
        for wheel in found:
            if wheel.yanked is not None:
                reason = f": {wheel.yanked}" if wheel.yanked else ""
                reporter.say(f"{wheel.name} {wheel.version} was yanked from the index{reason}")
        reporter.advance(task, note=f"{target.platform}: {len(found)} wheels")
        return found

    found: dict[str, Sequence[PinnedWheel]] = {}
    errors: dict[str, BlockedError] = {}
    for target, answer in zip(targets, _parallel(one, targets, len(targets)), strict=True):
        if isinstance(answer, BlockedError):
            errors[target.platform] = answer
        else:
            found[target.platform] = answer
    if errors:  # each text once, with the platforms that have it
        by_text: dict[str, list[str]] = {}
        for platform, error in errors.items():
            by_text.setdefault(error.message.replace(platform, "{}"), []).append(platform)
        texts = [text.replace("{}", ", ".join(members)) for text, members in by_text.items()]
        raise BlockedError("\n\n".join(texts), hint=next(iter(errors.values())).hint, platforms=errors)
    reporter.finish(task)
    return found


def _fetch(
    fetcher: "WheelDownloader", pinned: Mapping[str, Sequence[PinnedWheel]], reporter: Reporter
) -> dict[str, InspectedWheel]:
    """Return all wheels by SHA-256, verified and inspected."""
    unique = {wheel.sha256: wheel for wheels in pinned.values() for wheel in wheels}
    task = "Fetch wheels"
    reporter.start(task, total=len(unique))
    fetched: list[int] = []
    compared: list[str] = []

    def one(wheel: PinnedWheel) -> InspectedWheel:
        path, is_new = fetcher.fetch(wheel)
        if is_new:
            fetched.append(path.stat().st_size)
        reporter.advance(task, note=wheel.file_name)
        found = inspect(path, file_name=wheel.file_name, sha256=wheel.sha256, url=clean_url(wheel.url))
        if check_index_metadata(found.metadata, fetcher.stated_metadata(wheel), file_name=wheel.file_name):
            compared.append(wheel.file_name)
        return found

    wheels = _parallel(one, unique.values(), _DOWNLOADS, stop=fetcher.stop)
    note = f"{len(fetched)} fetched, {sum(fetched) / 1e6:.1f} MB; {len(wheels)} in all, "
    reporter.finish(task, note=f"{note}{len(compared)} compared with the index's metadata")
    return dict(zip(unique, wheels, strict=True))


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

    def one(package: PlannedPackage) -> Path:
        path, is_new = cached_package(package, cache, launcher, compiler, reporter)
        if is_new:
            made.append(path.name)
        reporter.advance(task, note=path.name)
        return path

    # The largest first: they take seconds, and otherwise one of them could be converted last, by itself.
    order = sorted(planned, key=lambda package: package.wheel.path.stat().st_size, reverse=True)
    paths = _parallel(one, order, _CONVERSIONS)
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
        )
        for package, path in zip(order, paths, strict=True)
    ]
    reporter.finish(task, note=f"{len(made)} made, {len(packages) - len(made)} from the cache")
    return tuple(sorted(packages, key=lambda one: (one.name, one.version, one.subdir, one.build)))


def _parallel(
    function: Callable[[T], R], items: Iterable[T], workers: int, *, stop: Callable[[], None] = lambda: None
) -> list[R]:
    """Map with threads; the first error, or Ctrl-C, stops all of them."""
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]


def _with_cache(error: CuveeError, requests: Sequence[WheelRequest], cache: Path) -> SourceUnreachableError:
    from cuvee.channel.wheels.wheel_download import cached_wheels

    kept = cached_wheels(cache)
    wanted = [request.name for request in requests if not request.constraint]
    missing = [name for name in wanted if name not in kept]
    text = f"cached already: {len(wanted) - len(missing)} of the {len(wanted)} requested projects"
    if missing:
        text += f"; not {', '.join(missing[:_MOST_NAMED])}{', …' if len(missing) > _MOST_NAMED else ''}"
    return SourceUnreachableError(f"{error.message}\n{text}", hint=error.hint)

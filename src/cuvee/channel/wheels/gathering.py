"""Resolving and fetching wheels: each platform from when the version of its interpreter is known.

That is before the interpreter is packed, which takes processors while this waits for the index.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self, TypeVar

from cuvee.channel.wheels.conda_names import by_project, conda_names
from cuvee.channel.wheels.kept_inspections import InspectedFile, inspected_file
from cuvee.channel.wheels.model import PinnedWheel, ResolutionTarget, WheelRequest
from cuvee.channel.wheels.planned_packages import InspectedWheel
from cuvee.channel.wheels.resolve import resolve
from cuvee.channel.wheels.wheel_download import WheelDownloader, cached_wheels
from cuvee.conda.url_secrets import clean_url
from cuvee.errors import BlockedError, CuveeError, SourceUnreachableError
from cuvee.progress import SILENT, Reporter

T = TypeVar("T")

_DOWNLOADS = 6
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheredWheels:
    """What was chosen for each platform, and the wheels to import.

    Attributes
    ----------
    resolved
        By platform, also what channels carry.
    pinned
        By platform, what is imported.
    wheels
        By SHA-256, verified and inspected.
    """

    resolved: Mapping[str, Sequence[PinnedWheel]]
    pinned: Mapping[str, Sequence[PinnedWheel]]
    wheels: Mapping[str, InspectedWheel]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fetched:
    file: InspectedFile
    new_bytes: int | None


@dataclass(slots=True, kw_only=True)
class WheelGathering:
    """Resolves projects and their dependencies in the Python index, and fetches their wheels.

    Leaving its context stops what is not finished.

    Attributes
    ----------
    requests
        The requests of the manifest: see `wheel_requests`.
    floors
        The oldest system of each platform, such as ``{"linux-64": {"glibc": "2.28"}}``.
    exclude_newer
        Resolve as of this instant.
    carried
        Names of packages that another channel carries, however they are spelled: their projects take part in
        resolving, but are not imported.
    prefer
        For each platform the versions to keep where the requests allow it, by name: those of the release
        that this one changes.
    names
        The conda names of projects, where they are not the normalised ones.
    of_channels
        The projects that channels carry.
    resolved
        What was chosen for each platform, once `result` has returned it.

    Raises
    ------
    ManifestError
        If the manifest has two names for a project that no channel carries.
    """

    requests: Sequence[WheelRequest]
    floors: Mapping[str, Mapping[str, str]]
    cache: Path
    exclude_newer: datetime | None = None
    carried: Collection[str] = ()
    prefer: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    reporter: Reporter = SILENT
    names: Mapping[str, str] = field(init=False)
    of_channels: Collection[str] = field(init=False)
    resolved: Mapping[str, Sequence[PinnedWheel]] = field(init=False, default_factory=dict)
    _resolving: dict[tuple[str, str], Future[Sequence[PinnedWheel]]] = field(default_factory=dict)
    _fetching: dict[str, Future[_Fetched]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _ended: bool = False
    _resolvers: ThreadPoolExecutor = field(init=False)
    _fetchers: ThreadPoolExecutor = field(init=False)
    _downloader: WheelDownloader = field(init=False)

    def __post_init__(self) -> None:
        self.names = conda_names(self.carried, self.requests)
        self.of_channels = by_project(self.carried)
        self._resolvers = ThreadPoolExecutor(max(len(self.floors), 1), thread_name_prefix="resolving")
        self._fetchers = ThreadPoolExecutor(_DOWNLOADS, thread_name_prefix="fetching")
        self._downloader = WheelDownloader(self.cache / "wheels", reporter=self.reporter)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._ended = True
        self._downloader.stop()
        for threads in (self._resolvers, self._fetchers):
            threads.shutdown(wait=False, cancel_futures=True)
        self._downloader.close()

    def begin(self, platform: str, python: str) -> None:
        """Begin with a platform whose interpreter has this full version; what fails is told by `result`."""
        with self._lock:
            if (platform, python) not in self._resolving and not self._ended:
                target = ResolutionTarget(
                    platform=platform,
                    python=python,
                    floor=self.floors.get(platform, {}),
                    exclude_newer=self.exclude_newer,
                    prefer=self.prefer.get(platform, {}),
                )
                self._resolving[platform, python] = self._resolvers.submit(self._resolve, target)

    def result(self, pythons: Mapping[str, str]) -> GatheredWheels:
        """Return the wheels of these platforms; their interpreters have these full versions.

        Raises
        ------
        BlockedError
            If the requests cannot be satisfied.
        SourceUnreachableError
            If the index, or a wheel, cannot be reached; says what is cached.
        IntegrityError
            If a wheel is not what was promised.
        """
        for platform, python in pythons.items():
            self.begin(platform, python)
        try:
            self.resolved = resolved = self._resolved(pythons)
            pinned = {platform: self._to_import(wheels) for platform, wheels in resolved.items()}
            return GatheredWheels(resolved=resolved, pinned=pinned, wheels=self._fetched(pinned))
        except SourceUnreachableError as error:
            raise self._with_cache(error) from error

    def _resolve(self, target: ResolutionTarget) -> Sequence[PinnedWheel]:
        found = resolve(self.requests, target)
        self._fetch(self._to_import(found))
        return found

    def _to_import(self, wheels: Sequence[PinnedWheel]) -> list[PinnedWheel]:
        return [wheel for wheel in wheels if wheel.name not in self.of_channels]

    def _fetch(self, wheels: Sequence[PinnedWheel]) -> None:
        with self._lock:
            for wheel in wheels:
                if wheel.sha256 not in self._fetching and not self._ended:
                    self._fetching[wheel.sha256] = self._fetchers.submit(self._fetch_one, wheel)

    def _fetch_one(self, wheel: PinnedWheel) -> _Fetched:
        path, is_new = self._downloader.fetch(wheel)
        found = inspected_file(
            path,
            self._downloader.stated_metadata(wheel),
            file_name=wheel.file_name,
            sha256=wheel.sha256,
            url=clean_url(wheel.url),
            cache=self.cache,
            reporter=self.reporter,
        )
        return _Fetched(file=found, new_bytes=path.stat().st_size if is_new else None)

    def _resolved(self, pythons: Mapping[str, str]) -> dict[str, Sequence[PinnedWheel]]:
        task = "Resolve wheels"
        self.reporter.start(task, total=len(pythons))
        asked = {item[0]: self._resolving[item] for item in pythons.items()}

        def say(platform: str, future: Future[Sequence[PinnedWheel]]) -> None:
            if not isinstance(error := future.exception(), BlockedError):
                if error is not None:
                    raise error
                self._say_resolved(task, platform, future.result())

        _all_of(asked, say)
        errors = {name: error for name, item in asked.items() if (error := item.exception()) is not None}
        if errors:
            raise _blocked({name: error for name, error in errors.items() if isinstance(error, BlockedError)})
        self.reporter.finish(task)
        return {platform: future.result() for platform, future in asked.items()}

    def _say_resolved(self, task: str, platform: str, found: Sequence[PinnedWheel]) -> None:
        for wheel in found:
            if wheel.yanked is not None:
                reason = f": {wheel.yanked}" if wheel.yanked else ""
                self.reporter.say(f"{wheel.name} {wheel.version} was yanked from the index{reason}")
        self.reporter.advance(task, note=f"{platform}: {len(found)} wheels")

    def _fetched(self, pinned: Mapping[str, Sequence[PinnedWheel]]) -> dict[str, InspectedWheel]:
        unique = {wheel.sha256: wheel for wheels in pinned.values() for wheel in wheels}
        task = "Fetch wheels"
        self.reporter.start(task, total=len(unique))
        futures = {sha256: self._fetching[sha256] for sha256 in unique}

        def say(sha256: str, future: Future[_Fetched]) -> None:
            future.result()
            self.reporter.advance(task, note=unique[sha256].file_name)

        _all_of(futures, say)
        found = [future.result() for future in futures.values()]
        sizes = [item.new_bytes for item in found if item.new_bytes is not None]
        note = f"{len(sizes)} fetched, {sum(sizes) / 1e6:.1f} MB; {len(found)} in all, "
        compared = sum(item.file.compared for item in found)
        self.reporter.finish(task, note=f"{note}{compared} compared with the index's metadata")
        return {item.file.wheel.sha256: item.file.wheel for item in found}

    def _with_cache(self, error: CuveeError) -> SourceUnreachableError:
        kept = cached_wheels(self.cache / "wheels")
        wanted = [request.name for request in self.requests if not request.constraint]
        missing = [name for name in wanted if name not in kept]
        text = f"cached already: {len(wanted) - len(missing)} of the {len(wanted)} requested projects"
        if missing:
            text += f"; not {', '.join(missing[:_MOST_NAMED])}{', …' if len(missing) > _MOST_NAMED else ''}"
        return SourceUnreachableError(f"{error.message}\n{text}", hint=error.hint)


def _all_of(futures: Mapping[str, Future[T]], say: Callable[[str, Future[T]], None]) -> None:
    """Wait for all, and tell of each when it is done; the first error that ``say`` raises ends the wait."""
    names = {future: name for name, future in futures.items()}
    for future in as_completed(names):
        say(names[future], future)


def _blocked(errors: Mapping[str, BlockedError]) -> BlockedError:
    """Return the errors of platforms as one: each text once, with the platforms that have it."""
    by_text: dict[str, list[str]] = {}
    for platform, error in errors.items():
        by_text.setdefault(error.message.replace(platform, "{}"), []).append(platform)
    texts = [text.replace("{}", ", ".join(members)) for text, members in by_text.items()]
    return BlockedError("\n\n".join(texts), hint=next(iter(errors.values())).hint, platforms=errors)

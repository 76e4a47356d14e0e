"""Packing the packages of an image on all cores, while the caller makes what does not need them."""

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import replace
from queue import PriorityQueue
from types import TracebackType
from typing import Self, TypeAlias

from cuvee.conda.package_info import PackageInfo
from cuvee.image.frames import CompressedFrame
from cuvee.image.linked_packages import LinkedPackages
from cuvee.image.model import PlannedFile
from cuvee.image.pack_jobs import PackJob, PackSettings
from cuvee.image.pack_workers import PackWorker
from cuvee.image.packed_cache import PackedCache
from cuvee.image.packer import PackedPackage, Packer
from cuvee.lock.model import PlatformLock

WORTH_IT = 16 << 20
"""Bytes of archives from which on starting processes takes less time than they save."""

_MOST_PROCESSES = 8
_THREADS = 2
_COMPILED = 8
"""How many times as long a byte takes that is compiled, too."""

_LARGE = 16 << 20
_NOW, _CORE, _END = -3, -2, 1

_Rank: TypeAlias = tuple[int, int, int]


class Packing:
    """Packs packages in threads, or takes them from the cache if they have not changed.

    With many of them, a process per core packs them into the cache. Those that installers run come first,
    since stage 0 is made of them, then large ones, so that all processes end at about the same time. The
    others are in the order of the lock, in which the payload needs them.

    Parameters
    ----------
    packer
        What packs a package, apart from the files of stage 0.
    done
        Called for each package with its name, in some thread.
    """

    def __init__(
        self, lock: PlatformLock, linked: LinkedPackages, packer: Packer, *, done: Callable[[str], None]
    ) -> None:
        self._linked, self._packer, self._done = linked, packer, done
        self._kept = PackedCache.of(packer)
        self._stage0: frozenset[str] = frozenset()
        self._places = {package.name: place for place, package in enumerate(lock.packages)}
        self._hashes = {package.name: package.sha256 for package in lock.packages}
        self._results: dict[str, Future[PackedPackage]] = {name: Future() for name in self._places}
        self._queue: PriorityQueue[tuple[_Rank, PackJob | None]] = PriorityQueue()
        self._bytes = 0
        self._workers: list[PackWorker] = []
        self._threads: list[threading.Thread] = []
        self._failing = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        """End what still packs; after an error, at once."""
        if kind is not None:
            self._fail(CancelledError())
            for worker in self._workers:
                worker.stop()
        self._tell_threads_to_end(_NOW)
        for thread in self._threads:
            thread.join()
        for worker in self._workers:
            worker.close()

    def add(self, names: Iterable[str], *, stage0: frozenset[str] = frozenset()) -> None:
        """Have packages packed; ``stage0`` are the paths of stage 0, which no other package may have."""
        self._stage0 |= stage0
        kept = PackedCache.of(replace(self._packer, stage0=stage0))
        targets = {name: kept.path(self._hashes[name], self._linked.plans[name]) for name in names}
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="packed") as pool:
            found = dict(zip(targets, pool.map(self._kept.load, targets.values()), strict=True))
        for name, target in targets.items():
            packed = found[name]
            if packed is not None:
                self._finish(name, packed)
                continue
            info, plan = self._linked.opened(name), self._linked.plans[name]
            early = stage0.intersection(file.path for file in plan)
            self._bytes += info.archive.stat().st_size
            rank = _CORE if stage0 else 0, -(_cost(info, plan) // _LARGE), self._places[name]
            self._queue.put((rank, PackJob(info=info, plan=plan, target=target, stage0=early)))
        if self._bytes >= WORTH_IT and not self._threads:
            settings = PackSettings.of(self._packer)
            for _ in range(min(os.cpu_count() or 1, _MOST_PROCESSES)):
                self._workers.append(PackWorker(settings, self._packer.reporter))
            self._start(self._workers)

    def all_added(self) -> None:
        """Say that no other packages come."""
        if self._bytes and not self._threads:
            self._start([None] * _THREADS)
        self._tell_threads_to_end(_END)

    def result(self, name: str) -> PackedPackage:
        """Return a package once it is packed.

        Raises
        ------
        CuveeError
            The first error of any package.
        """
        return self._results[name].result()

    def pack_again(self, damaged: CompressedFrame) -> None:
        """Pack the package that has a frame, which must be packed already; that says that it is damaged."""
        for name in self._places:
            if damaged in self.result(name).frames:
                packer = replace(self._packer, stage0=self._stage0)
                packer.pack(self._linked.opened(name), self._linked.plans[name])
                return

    def _start(self, workers: Sequence[PackWorker | None]) -> None:
        self._threads = [
            threading.Thread(target=self._work, args=(worker,), name=f"pack-{number}")
            for number, worker in enumerate(workers)
        ]
        for thread in self._threads:
            thread.start()

    def _tell_threads_to_end(self, when: int) -> None:
        for number in range(len(self._threads)):
            self._queue.put(((when, 0, number), None))

    def _work(self, worker: PackWorker | None) -> None:
        while (job := self._queue.get()[1]) is not None:
            try:
                packed = self._pack(job, worker)
            except BaseException as error:  # noqa: BLE001 - whoever asks for a package gets it
                self._fail(error)
                return
            self._finish(job.info.index.name, packed)

    def _pack(self, job: PackJob, worker: PackWorker | None) -> PackedPackage:
        if worker is not None:
            worker.pack(job)
            packed = self._kept.load(job.target)
            if packed is not None:
                return packed
        packed = replace(self._packer, stage0=job.stage0).pack(job.info, job.plan)
        self._kept.save(job.target, packed)
        return packed

    def _finish(self, name: str, packed: PackedPackage) -> None:
        with self._failing:
            if not self._results[name].done():
                self._results[name].set_result(packed)
        self._done(name)

    def _fail(self, error: BaseException) -> None:
        """Let all that is not packed fail, so that no caller waits for it."""
        with self._failing:
            for result in self._results.values():
                if not result.done():
                    result.set_exception(error)


def _cost(info: PackageInfo, plan: Iterable[PlannedFile]) -> int:
    """Return about how long packing a package takes, in bytes that are only compressed."""
    sizes = [(file.size or 0, file.path.endswith(".py")) for file in plan]
    compiled = _COMPILED if info.index.noarch == "python" else 1
    return sum(size * compiled if source else size for size, source in sizes)

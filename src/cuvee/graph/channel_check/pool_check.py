"""Check a whole channel: number it, let workers check parts, and put their results together."""

import pickle
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed

from cuvee.conda.match_spec import read_version
from cuvee.errors import SourceUnreachableError, StorageError
from cuvee.executors.opened_executor import carrying
from cuvee.executors.remote_work import LostWorkersError, NoWorkerError
from cuvee.executors.shared_files import SharedFile
from cuvee.graph.channel_check.class_table import ClassTable, build_class_table
from cuvee.graph.channel_check.installability import ClassConflict, Worker
from cuvee.graph.channel_check.model import PlatformResult
from cuvee.graph.channel_check.root_causes import RootCauses
from cuvee.graph.solving.pool import Pool
from cuvee.progress import SILENT, Reporter
from cuvee.temporary_folders import temporary_folder

SMALL = 20_000
"""Number of classes up to which starting workers takes longer than the check."""

_PART = 4_000  # classes; a part is what a run can be resumed after
_kept = threading.local()  # the worker of this thread, and which channel it is for

Part = tuple[int, ...]


def check_pool(
    pool: Pool,
    platform: str,
    *,
    executor: Executor | None = None,
    only_newest: bool = False,
    finished: Mapping[int, Sequence[ClassConflict]] | None = None,
    save: Callable[[int, Sequence[ClassConflict]], None] | None = None,
    reporter: Reporter = SILENT,
) -> PlatformResult:
    """Return which records cannot be installed, and why.

    Parameters
    ----------
    pool
        The records of the channel for ``platform``, and the virtual packages.
    executor
        Runs the parts of a large channel, in processes of this machine or on a cluster. A small channel is
        checked in this thread, and so is any channel without an executor.
    only_newest
        Check only the newest records of each name; their dependencies are taken from all records.
    finished, save
        Parts that an earlier run on the same pool finished, and what keeps those of this one.

    Raises
    ------
    StorageError
        If one of the executor's processes was killed.
    SourceUnreachableError
        If the workers of a cluster are gone.
    """
    table, class_records = build_class_table(pool)
    latest = newest(pool)
    checked = latest if only_newest else frozenset(n for n in pool if not pool[n].is_virtual)
    to_check = bytearray(len(table.name_of))
    for item, numbers in enumerate(class_records.members):
        to_check[item] = any(number in checked for number in numbers)
    parts = divide(table)
    done = {
        part: found
        for part, found in (finished or {}).items()
        if part < len(parts) and all(_is_of(table, item) for item in found)
    }
    task = f"Check {platform}"
    reporter.start(task, total=len(table.name_of))
    sizes = [sum(table.first[n + 1] - table.first[n] for n in part) for part in parts]
    reporter.advance(task, sum(sizes[index] for index in done))
    for index, found in _conflicts_by_part(table, bytes(to_check), parts, executor, frozenset(done)):
        done[index] = found
        if save is not None:
            save(index, found)
        reporter.advance(task, sizes[index])
    reporter.finish(task)
    conflicts = [conflict for index in sorted(done) for conflict in done[index]]
    records, causes = RootCauses(pool, table, class_records, conflicts).explain(checked, latest)
    return PlatformResult(
        platform=platform,
        checked=len(checked),
        newest=len(latest),
        not_installable=records,
        causes=causes,
        problems=tuple(pool.problems),
    )


def newest(pool: Pool) -> frozenset[int]:
    """Return the records of each name's highest version, of these the ones with the highest build number.

    There are several if there is a build for each of several Pythons. Virtual packages are left out.
    """
    found: set[int] = set()
    for numbers in pool.by_name.values():
        real = [number for number in numbers if not pool[number].is_virtual]
        if not real:
            continue
        highest = max(filter(None, {read_version(pool[number].version) for number in real}))
        of_highest = [number for number in real if read_version(pool[number].version) == highest]
        build = max(pool[number].build_number for number in of_highest)
        found.update(number for number in of_highest if pool[number].build_number == build)
    return frozenset(found)


def _is_of(table: ClassTable, conflict: ClassConflict) -> bool:
    """Whether what was read from the cache can be about this channel: the file may have been changed."""
    clauses = {*conflict.needs, *conflict.allows}
    return 0 <= conflict.item < len(table.name_of) and clauses <= {
        *table.depends[conflict.item],
        *table.constrains[conflict.item],
    }


def divide(table: ClassTable) -> list[Part]:
    """Divide the names into parts of similar size; dependencies come first."""
    parts: list[Part] = []
    names: list[int] = []
    size = 0
    for name in sorted(range(len(table.names)), key=table.rank.__getitem__):
        names.append(name)
        size += table.first[name + 1] - table.first[name]
        if size >= _PART:
            parts.append(tuple(names))
            names, size = [], 0
    return [*parts, tuple(names)] if names else parts


def _conflicts_by_part(
    table: ClassTable, to_check: bytes, parts: list[Part], executor: Executor | None, finished: frozenset[int]
) -> Iterator[tuple[int, Sequence[ClassConflict]]]:
    """Yield the result of each part that is not finished, in the order of completion."""
    left = [index for index in range(len(parts)) if index not in finished]
    if not left:
        return
    if executor is None or len(table.name_of) < SMALL or len(left) == 1:
        worker = Worker(table, to_check)
        yield from ((index, worker.work(parts[index])) for index in left)
        return
    with temporary_folder("check") as folder:
        path = folder / "channel.pickle"
        with path.open("wb") as stream:
            pickle.dump((table, to_check), stream, protocol=pickle.HIGHEST_PROTOCOL)
        channel = SharedFile.of(path)
        try:
            with carrying(executor, [channel]) as carrier:
                futures: dict[Future[list[ClassConflict]], int] = {
                    carrier.submit(work_on, channel, parts[index]): index for index in left
                }
                for future in as_completed(futures):
                    yield futures[future], future.result()
        except (NoWorkerError, LostWorkersError) as error:
            raise SourceUnreachableError(
                f"The channel was not checked to the end: {error}",
                hint="Finished parts are kept: run the same command again.",
            ) from error
        except BrokenExecutor as error:
            raise StorageError(
                "A process that checked the channel was killed; the memory may have run out",
                hint="Finished parts are kept. Run the same command again, with fewer --jobs.",
            ) from error


def work_on(channel: SharedFile, part: Part) -> list[ClassConflict]:
    """Check a part of a channel, whose file this thread reads once."""
    if getattr(_kept, "channel", None) != channel:
        with channel.here().open("rb") as stream:
            table, to_check = pickle.load(stream)  # noqa: S301 - its hash is that of what we were asked to read
        _kept.channel, _kept.worker = channel, Worker(table, to_check)
    worker: Worker = _kept.worker
    return worker.work(part)

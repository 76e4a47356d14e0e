"""Checking a whole channel: compile it, hand parts to workers, put their answers together."""

import pickle
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from cuvee.errors import StorageError
from cuvee.graph.channel_check.compiled import Compiled, compile_pool
from cuvee.graph.channel_check.explain import Explainer
from cuvee.graph.channel_check.model import PlatformResult
from cuvee.graph.channel_check.newest import newest
from cuvee.graph.channel_check.work import Stuck, Worker
from cuvee.graph.solving.pool import Pool
from cuvee.progress import SILENT, Reporter

SMALL = 20_000
"""Classes up to which starting processes takes longer than the work."""

_PART = 4_000  # classes; a part is what a run can be resumed after
_worker: Worker | None = None

Part = tuple[int, ...]
Save = Callable[[int, Sequence[Stuck]], None]


def check_pool(
    pool: Pool,
    platform: str,
    *,
    jobs: int = 1,
    only_newest: bool = False,
    finished: Mapping[int, Sequence[Stuck]] | None = None,
    save: Save | None = None,
    reporter: Reporter = SILENT,
) -> PlatformResult:
    """Say of each record whether it can be installed, and why not.

    Parameters
    ----------
    pool
        What the channel carries for ``platform``, and what the system offers.
    jobs
        How many processes work on it; a small channel is checked in this one.
    only_newest
        Look at the newest records of each name alone; what they need is looked for among all.
    finished, save
        Parts that an earlier run of the same pool finished, and where to put those of this one.
    """
    compiled, reading = compile_pool(pool)
    latest = newest(pool)
    looked_at = latest if only_newest else frozenset(n for n in pool if not pool[n].is_virtual)
    asked = bytearray(len(compiled.name_of))
    for item, numbers in enumerate(reading.members):
        asked[item] = any(number in looked_at for number in numbers)
    parts = parts_of(compiled)
    known = {
        part: found
        for part, found in (finished or {}).items()
        if part < len(parts) and all(_is_of(compiled, item) for item in found)
    }
    stuck = _work(
        compiled,
        bytes(asked),
        parts,
        jobs=jobs,
        finished=known,
        save=save,
        reporter=reporter,
        platform=platform,
    )
    explainer = Explainer(pool, compiled, reading, stuck)
    records, causes = explainer.explain(looked_at, latest)
    return PlatformResult(
        platform=platform,
        checked=len(looked_at),
        newest=len(latest),
        not_installable=records,
        causes=causes,
        problems=tuple(pool.problems),
    )


def _is_of(compiled: Compiled, stuck: Stuck) -> bool:
    """Whether something that was kept can be about this channel: the cache may have been changed."""
    clauses = {*stuck.needs, *stuck.allows}
    return stuck.item < len(compiled.name_of) and clauses <= {
        *compiled.depends[stuck.item],
        *compiled.constrains[stuck.item],
    }


def parts_of(compiled: Compiled) -> list[Part]:
    """Cut the names into parts of about equal work; what others depend on comes first."""
    parts: list[Part] = []
    names: list[int] = []
    size = 0
    for name in sorted(range(len(compiled.names)), key=compiled.rank.__getitem__):
        names.append(name)
        size += compiled.first[name + 1] - compiled.first[name]
        if size >= _PART:
            parts.append(tuple(names))
            names, size = [], 0
    return [*parts, tuple(names)] if names else parts


def _work(
    compiled: Compiled,
    asked: bytes,
    parts: list[Part],
    *,
    jobs: int,
    finished: dict[int, Sequence[Stuck]],
    save: Save | None,
    reporter: Reporter,
    platform: str,
) -> list[Stuck]:
    task = f"Check {platform}"
    reporter.start(task, total=len(compiled.name_of))
    sizes = [sum(compiled.first[n + 1] - compiled.first[n] for n in part) for part in parts]
    reporter.advance(task, sum(sizes[index] for index in finished))
    for index, found in _answers(compiled, asked, parts, jobs, frozenset(finished)):
        finished[index] = found
        if save is not None:
            save(index, found)
        reporter.advance(task, sizes[index])
    reporter.finish(task)
    return [stuck for index in sorted(finished) for stuck in finished[index]]


def _answers(
    compiled: Compiled, asked: bytes, parts: list[Part], jobs: int, finished: frozenset[int]
) -> Iterator[tuple[int, Sequence[Stuck]]]:
    """Give the answer of each part that is not finished, as they come."""
    left = [index for index in range(len(parts)) if index not in finished]
    if jobs == 1 or len(compiled.name_of) < SMALL or len(left) == 1:
        worker = Worker(compiled, asked) if left else None
        for index in left:
            if worker is not None:
                yield index, worker.work(parts[index])
        return
    with workers(compiled, asked, jobs) as executor:
        futures: dict[Future[list[Stuck]], int] = {
            executor.submit(work_on, parts[index]): index for index in left
        }
        for future in as_completed(futures):
            try:
                found = future.result()
            except BrokenProcessPool as error:
                raise StorageError(
                    "A process that checked the channel was ended from outside; memory may have run out",
                    hint="What was finished is kept. Run the same command again, with fewer --jobs.",
                ) from error
            yield futures[future], found


@contextmanager
def workers(compiled: Compiled, asked: bytes, jobs: int) -> Iterator[Executor]:
    """Give an executor each of whose processes has read the channel once.

    Processes are started afresh: this one may have threads, which do not survive a fork.
    """
    with tempfile.TemporaryDirectory(prefix="cuvee-check-") as folder:
        path = Path(folder) / "channel.pickle"
        with path.open("wb") as stream:
            pickle.dump((compiled, asked), stream, protocol=pickle.HIGHEST_PROTOCOL)
        executor = ProcessPoolExecutor(
            jobs, mp_context=get_context("spawn"), initializer=adopt, initargs=(str(path),)
        )
        try:
            yield executor
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


def adopt(path: str) -> None:
    """Read the channel in a worker's process; the file is one that its parent has just written."""
    global _worker  # noqa: PLW0603 - what a process keeps from one part to the next
    # Ctrl-C reaches all processes of a terminal; the parent is the one that answers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Path(path).open("rb") as stream:
        compiled, asked = pickle.load(stream)  # noqa: S301 - from our parent, in a folder of its own
    _worker = Worker(compiled, asked)


def work_on(part: Part) -> list[Stuck]:
    """Work on a part of the channel that this process has adopted."""
    if _worker is None:
        raise RuntimeError("no channel was adopted")
    return _worker.work(part)

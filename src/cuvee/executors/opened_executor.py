"""Opening the executor that a command was asked for."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

from cuvee.executors.dask_executor import DaskExecutor
from cuvee.executors.executor_choice import ExecutorChoice, ExecutorKind
from cuvee.executors.local_processes import processes
from cuvee.executors.shared_files import SharedFile
from cuvee.progress import SILENT, Reporter


@contextmanager
def opened_executor(
    choice: ExecutorChoice, *, jobs: int | None = None, reporter: Reporter = SILENT
) -> Iterator[Executor | None]:
    """Yield an executor for work that needs no platform; `None` if one process of this machine does it.

    Parameters
    ----------
    jobs
        How many threads or processes; `None` is one per core. A cluster has the workers that it has.

    Raises
    ------
    ToolMissingError
        If it is a cluster, and `distributed` is not installed.
    SourceUnreachableError
        If no scheduler answers.
    """
    if choice.kind is ExecutorKind.PROCESSES:
        with processes(jobs) as executor:
            yield executor
        return
    if choice.kind is ExecutorKind.THREADS:
        with ThreadPoolExecutor(jobs) as threads:
            yield threads
        return
    from cuvee.executors.dask_cluster import DaskCluster

    with DaskCluster(choice.address) as cluster, DaskExecutor(cluster, reporter=reporter) as remote:
        yield remote


@contextmanager
def carrying(executor: Executor, files: Sequence[SharedFile]) -> Iterator[Executor]:
    """Yield an executor whose work finds files by `SharedFile.here`: a cluster's workers are sent them."""
    if not isinstance(executor, DaskExecutor):
        yield executor
        return
    with executor.carrying(files) as carrier:
        yield carrier

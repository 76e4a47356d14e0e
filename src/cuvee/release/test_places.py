"""Where a platform is tested: with a runner of this host, or on the workers of a cluster."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cuvee.integration.runners.protocol import Runner
from cuvee.integration.runners.selection import all_runners, select_runner
from cuvee.release.session import Session

if TYPE_CHECKING:
    from cuvee.integration.cluster_run import ClusterPlatform

Item = TypeVar("Item")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPlace:
    """What runs the tests of a platform; without a ``runner``, ``reason`` says why nothing does.

    On a ``cluster`` the runner is like those of its workers, and says which suites they run.
    """

    __test__ = False

    runner: Runner | None
    reason: str = ""
    cluster: "ClusterPlatform | None" = None

    @property
    def keeps_files_away(self) -> bool:
        """Whether programs of packages cannot change what is kept of a run."""
        if self.cluster is not None:
            return self.cluster.keeps_files_away
        return self.runner is not None and self.runner.keeps_files_away()


def place_of(session: Session, platform: str) -> TestPlace:
    """Return where a platform is tested in this run."""
    options, cache = session.options, session.workspace.cache
    if not options.executor.is_remote:
        runner, reason = select_runner(platform, emulate=options.emulate, cache=cache, place=session.place)
        return TestPlace(runner=runner, reason=reason)
    from cuvee.integration.cluster_run import platform_on_cluster

    found, reason = platform_on_cluster(session.cluster, platform, emulate=options.emulate)
    if found is None:
        return TestPlace(runner=None, reason=reason)
    runner = next(item for item in all_runners(emulate=True, cache=cache) if item.name == found.runner)
    return TestPlace(runner=runner, cluster=found)


def at_once(session: Session, work: Callable[[Item], Found], items: Sequence[Item]) -> list[Found]:
    """Return what ``work`` makes of each of several platforms: a cluster's machines test them at once."""
    if not session.options.executor.is_remote or len(items) < 2:  # noqa: PLR2004 - one needs no thread
        return [work(item) for item in items]
    with ThreadPoolExecutor(len(items)) as threads:
        futures = [threads.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            session.cluster.stopping.set()  # before the threads are waited for
            raise

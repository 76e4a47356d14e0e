"""Work for the workers of a cluster, the workers as the executor sees them, and why work ends badly."""

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass, field
from typing import Any

from cuvee.executors.dask_cluster import Member


class NoWorkerError(BrokenExecutor):
    """No worker of the cluster can do the work."""


class LostWorkersError(BrokenExecutor):
    """Every worker that was given the work was lost while it ran."""


class RunUnknownError(Exception):
    """A worker has not been prepared, since it was started again; work raises it."""


class RemoteFuture(Future[Any]):
    """The future of work on a cluster: ``lost`` are the workers that were lost while they ran it, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: tuple[str, ...] = ()


class _Call:
    """What is a call here, and its result where it is unpickled."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


def pickled_call(function: Callable[..., Any], *arguments: Any) -> bytes:
    """Return what `pickle.loads` makes the result of a call of.

    A task that is `pickle.loads` of it needs nothing of ours on the scheduler, which unpickles functions.
    """
    import cloudpickle

    return bytes(cloudpickle.dumps(_Call(function, arguments)))


@dataclass(slots=True, kw_only=True, eq=False)
class Work:
    """A call that runs on one worker at a time; ``pickled`` is what `pickled_call` gives."""

    pickled: bytes
    future: RemoteFuture = field(default_factory=RemoteFuture)
    started: bool = False

    def fail(self, error: BaseException) -> None:
        """End it with an error, unless it has been cancelled."""
        if self.started or self.future.set_running_or_notify_cancel():
            self.started = True
            self.future.set_exception(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What happens on each worker before its first work, and after its last.

    Attributes
    ----------
    function
        Runs there as a task, with ``arguments``.
    take
        Is given the worker and the answer here, and returns why the worker is not used, or the empty text.
    end
        Runs there at the end, with ``end_arguments``, whatever the worker does; a function for `Client.run`.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    take: Callable[[Member, Any], str]
    end: Callable[..., Any]
    end_arguments: tuple[Any, ...]


@dataclass(slots=True, kw_only=True, eq=False)
class WorkerPlace:
    """A worker as the executor sees it: what runs there, and whether it is ``ready`` or ``refused``."""

    member: Member
    executor: Any
    slots: int
    ready: bool = False
    refused: str = ""
    preparing: "Future[Any] | None" = None
    running: dict["Future[Any]", Work] = field(default_factory=dict)

    @property
    def free(self) -> int:
        """How much more work it can be given."""
        return self.slots - len(self.running) if self.ready else 0

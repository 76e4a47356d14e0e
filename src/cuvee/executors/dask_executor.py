"""An executor whose work runs on the workers of a Dask cluster that declare a platform.

Each worker is checked, is sent the files, and is prepared before its first work. Work is given to one worker
by name, so that it is known which one was lost: then it runs elsewhere. One thread has all of the state.
"""

import pickle
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Executor, Future
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any

from cuvee.executors.dask_cluster import DaskCluster, Member
from cuvee.executors.remote_work import (
    LostWorkersError,
    NoWorkerError,
    Preparation,
    RemoteFuture,
    RunUnknownError,
    Work,
    WorkerPlace,
    pickled_call,
)
from cuvee.executors.shared_files import SharedFile
from cuvee.progress import SILENT, Reporter

MOST_LOST = 3
"""How many workers may be lost while they run the same work: it may be the work that ends them."""

PATIENCE = 60.0
"""Seconds to wait for a worker when there is none, or none any more."""

_LOOK = 0.5
_END_SECONDS = 60.0


class DaskExecutor(Executor):
    """Runs work on the workers of a cluster.

    Parameters
    ----------
    platform
        What a worker has to declare as a resource; empty for any worker.
    emulated
        Whether a worker may declare a platform that it only imitates: the preparation has to check it.
    files
        What each worker is sent before its first work.
    preparation
        What is done there before that.
    patience
        Seconds to wait for a worker when there is none.
    """

    def __init__(
        self,
        cluster: DaskCluster,
        *,
        platform: str = "",
        emulated: bool = False,
        files: Sequence[SharedFile] = (),
        preparation: Preparation | None = None,
        patience: float = PATIENCE,
        reporter: Reporter = SILENT,
    ) -> None:
        self.cluster = cluster
        self.refused: dict[str, str] = {}
        self.lost: list[str] = []
        self._platform, self._emulated = platform, emulated
        self._files, self._preparation = tuple(files), preparation
        self._patience, self._reporter = patience, reporter
        self._events: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._pending: deque[Work] = deque()
        self._places: dict[str, WorkerPlace] = {}
        self._prepared: list[Member] = []
        self._closing = self._cancelled = False
        self._alone_since = monotonic()
        self._thread = threading.Thread(target=self._work, name="cuvee-dask", daemon=True)
        self._thread.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait for the work; after an error, end it."""
        self.shutdown(cancel_futures=kind is not None)

    def carrying(self, files: Sequence[SharedFile]) -> "DaskExecutor":
        """Return an executor on the same cluster, for work that needs files."""
        return DaskExecutor(
            self.cluster,
            platform=self._platform,
            emulated=self._emulated,
            files=files,
            patience=self._patience,
            reporter=self._reporter,
        )

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> RemoteFuture:
        """Run a call on one of the workers; it, its arguments and its result are pickled."""
        if self._closing:
            raise RuntimeError("cannot schedule new futures after shutdown")
        work = Work(pickled=pickled_call(partial(fn, **kwargs) if kwargs else fn, *args))
        self._events.put(partial(self._pending.append, work))
        return work.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the work: wait for it, or with ``cancel_futures`` end it now; then clean up on the workers."""
        self._closing = True
        if cancel_futures:
            self._cancelled = True
        self._events.put(lambda: None)
        if wait or cancel_futures:
            self._thread.join()
            self._end_there()

    def _end_there(self) -> None:
        """Let the workers clean up: in another thread, since one of them may not answer."""
        members, self._prepared = self._prepared, []
        end = self._preparation
        if end is None or not members or not self.cluster.is_connected:
            return

        def clean_up() -> None:
            with suppress(Exception):
                self.cluster.ask(self._still_there(members), end.end, *end.end_arguments)

        thread = threading.Thread(target=clean_up, daemon=True)
        thread.start()
        thread.join(_END_SECONDS)

    def _still_there(self, members: Sequence[Member]) -> list[Member]:
        known = {member.address for member in self.cluster.members()}
        return [member for member in members if member.address in known]

    # What follows runs in the executor's own thread.

    def _work(self) -> None:
        try:
            self._work_to_the_end()
        except BaseException as error:  # else whoever waits would wait forever
            self._closing = True
            self._fail_all(error)
            raise

    def _work_to_the_end(self) -> None:
        look_at = 0.0
        while not (self._cancelled or self.cluster.stopping.is_set()):
            with suppress(queue.Empty):
                self._events.get(timeout=max(0.0, look_at - monotonic()))()
                while True:
                    self._events.get_nowait()()
            if monotonic() >= look_at:
                self._look()
                look_at = monotonic() + _LOOK
            self._give_out()
            if self._closing and not self._pending and not any(p.running for p in self._places.values()):
                return
        self._cancel_all()

    def _cancel_all(self) -> None:
        for place in self._places.values():
            if place.preparing is not None:
                place.preparing.cancel()
            running, place.running = place.running, {}
            for future, work in running.items():
                future.cancel()
                work.fail(CancelledError())
        for work in self._pending:
            if not work.future.cancel():
                work.fail(CancelledError())

    def _look(self) -> None:
        """Compare the cluster's workers with those that are known here."""
        try:
            members = {member.address: member for member in self.cluster.of_platform(self._platform)}
        except Exception as error:  # noqa: BLE001 - whatever Dask raises when its scheduler is gone
            if not self.cluster.is_connected:
                self._fail_all(NoWorkerError(f"the connection to {self.cluster} was lost: {error}"))
            return
        for address in self._places.keys() - members.keys():
            self._has_lost(self._places.pop(address))
        for address in members.keys() - self._places.keys():
            self._welcome(members[address])
        self._lose_patience()

    def _lose_patience(self) -> None:
        """Fail all work if no worker will do it."""
        places = self._places.values()
        if any(not place.refused for place in places) or not self._pending:
            self._alone_since = monotonic()
            return
        all_refused = bool(places) and not self.lost
        if all_refused or monotonic() - self._alone_since > self._patience:
            self._fail_all(NoWorkerError(self._why_none()))

    def _why_none(self) -> str:
        what = f"no worker of {self.cluster} for {self._platform}" if self._platform else "no worker"
        reasons = [f"{name}: {reason}" for name, reason in self.refused.items()]
        reasons += [f"{name} was lost" for name in self.lost]
        with suppress(Exception):
            reasons.append(self.cluster.seen())
        return f"{what}: {'; '.join(reasons)}"

    def _fail_all(self, error: BaseException) -> None:
        for place in self._places.values():
            running, place.running = place.running, {}
            for future in running:
                future.cancel()
            self._pending.extend(running.values())
        while self._pending:
            self._pending.popleft().fail(error)

    def _welcome(self, member: Member) -> None:
        """Check and prepare a worker, in a thread of its own: it may not answer."""
        workers = {"workers": [member.address], "allow_other_workers": False, "pure": False}
        resources = {"resources": {self._platform: 1}} if self._platform else {}
        executor = self.cluster.client.get_executor(**workers, **resources)
        place = WorkerPlace(member=member, executor=executor, slots=max(1, member.slots(self._platform)))
        self._places[member.address] = place
        threading.Thread(target=self._prepare, args=(place,), daemon=True).start()

    def _prepare(self, place: WorkerPlace) -> None:
        try:
            reason = self._prepare_there(place)
        except Exception as error:  # noqa: BLE001 - whatever a foreign worker raises is a reason not to use it
            reason = f"it cannot be prepared: {type(error).__name__}: {error}"
        self._events.put(partial(self._has_prepared, place, reason))

    def _prepare_there(self, place: WorkerPlace) -> str:
        cluster, member = self.cluster, place.member
        if reason := cluster.stranger(member):
            return reason
        if self._platform and not self._emulated and (real := cluster.platform_of(member)) != self._platform:
            return f"it declares {self._platform}, but is {real or 'of no known platform'}"
        if reason := cluster.send(member, self._files):
            return reason
        if self._preparation is None:
            return ""
        self._prepared.append(member)
        call = pickled_call(self._preparation.function, *self._preparation.arguments)
        place.preparing = place.executor.submit(pickle.loads, call)
        return self._preparation.take(member, place.preparing.result())

    def _has_prepared(self, place: WorkerPlace, reason: str) -> None:
        if self._places.get(place.member.address) is not place:
            return  # it was lost meanwhile
        place.preparing = None
        place.ready, place.refused = not reason, reason
        if reason:
            self.refused[place.member.name] = reason
            self._reporter.warn(f"{self.cluster}: the worker {place.member.name} is not used: {reason}")

    def _has_lost(self, place: WorkerPlace) -> None:
        if place.preparing is not None:
            place.preparing.cancel()
        if place.refused:
            return
        self.lost.append(place.member.name)
        self._reporter.warn(f"{self.cluster}: the worker {place.member.name} was lost")
        running, place.running = place.running, {}  # before: what is cancelled says that it is done
        for future, work in running.items():
            future.cancel()
            self._again(work, place.member.name)

    def _again(self, work: Work, name: str) -> None:
        """Let work run elsewhere, before all other, unless too many workers were lost with it."""
        work.future.lost = (*work.future.lost, name)
        if len(work.future.lost) < MOST_LOST:
            self._pending.appendleft(work)
        else:
            names = ", ".join(work.future.lost)
            work.fail(LostWorkersError(f"the workers that ran it were lost: {names}"))

    def _give_out(self) -> None:
        """Start pending work on the workers with the most room."""
        while self._pending:
            place = max(self._places.values(), key=lambda item: item.free, default=None)
            if place is None or place.free <= 0:
                return
            work = self._pending.popleft()
            if not work.started and not work.future.set_running_or_notify_cancel():
                continue
            work.started = True
            future = place.executor.submit(pickle.loads, work.pickled)
            place.running[future] = work
            future.add_done_callback(lambda done, at=place: self._events.put(partial(self._done, at, done)))

    def _done(self, place: WorkerPlace, future: "Future[Any]") -> None:
        work = place.running.pop(future, None)
        if work is None:
            return  # the worker had been given up
        error = CancelledError() if future.cancelled() else future.exception()
        if error is None:
            work.future.set_result(future.result())
        elif isinstance(error, RunUnknownError) or type(error).__name__ in _LOST:
            # The next look finds a worker of this address that is not known, or none.
            self._places.pop(place.member.address, None)
            place.running[future] = work
            self._has_lost(place)
        else:
            work.future.set_exception(error)


_LOST = frozenset({"CancelledError", "FutureCancelledError", "KilledWorker"})
"""How Dask says that work did not end because its worker was lost."""

"""A worker's side of a run: the release is installed there once, and units run in it as they do here."""

import asyncio
import pickle
import platform
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cuvee import process
from cuvee.executors.remote_work import RunUnknownError
from cuvee.executors.shared_files import SharedFile
from cuvee.executors.worker_side import own_folder
from cuvee.integration import smoke
from cuvee.integration.installation_tests import install_copy, verify
from cuvee.integration.installed_release import jobs_of, make_sandbox
from cuvee.integration.kept_units import EndedUnit, is_log, read_logs
from cuvee.integration.left_behind import after_units
from cuvee.integration.model import SuiteKind
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.prefix_watch import PrefixWatch
from cuvee.integration.repeat_budget import RepeatUse
from cuvee.integration.riding_tools import RidingTools
from cuvee.integration.runners.selection import select_runner
from cuvee.integration.test_session import Job, TestSession
from cuvee.integration.unit_reports import (
    PREPARED_WORKER,
    REPORTED_UNIT,
    PreparedWorker,
    ReportedUnit,
    RunOrder,
)
from cuvee.integration.units import UnitChoice

_HOSTS: dict[str, "UnitHost"] = {}
_END_SECONDS = 30.0


class UnitRefusedError(Exception):
    """The runner of this worker does not run the unit, as its preparation has reported."""


class UnitHost:
    """One run on this worker: its folder, and, once it is prepared, the jobs of its units."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.stop = threading.Event()
        self._working, self._fewer = 0, threading.Condition()
        self.session: TestSession | None = None
        self._jobs: dict[str, Job] = {}
        self._plain: dict[str, Job] = {}
        self._watch: PrefixWatch | None = None

    @classmethod
    def of(cls, session: TestSession, jobs: Sequence[Job], name: str) -> "UnitHost":
        """Return the host of a release that is installed already."""
        host = cls(session.work, name)
        host.session, host.stop = session, session.stop
        host._jobs = {job.unit: job for job in jobs}
        return host

    def prepare(self, order: RunOrder, hidden: tuple[Path, ...]) -> PreparedWorker:
        """Install the release, verify it, and find out what is in it."""
        own = self.folder.parent.parent
        cache = own / "cache"
        runner, reason = select_runner(order.plan.platform, emulate=order.emulate, cache=cache)
        if runner is None:
            return PreparedWorker(refusal=reason or "it has no runner for it")
        self.folder.mkdir(parents=True, mode=0o700)
        readonly = tuple(own / name for name in ("files", "folders", "named", "cache"))
        sandbox = make_sandbox(order.plan.platform, self.folder, hidden, readonly)
        session = TestSession(
            plan=order.plan,
            runner=runner,
            sandbox=sandbox,
            logs=self.folder / "results",
            work=self.folder / "work",
            timeout=order.timeout,
            installer=order.installer,
            stop=self.stop,
            tools=_tools(order, cache),
        )
        self.session = session
        outcomes = self._installed(session, order)
        return PreparedWorker(
            runner=runner.name,
            host=f"{platform.system()} {platform.release()} {platform.machine()}",
            keeps_files_away=runner.keeps_files_away(),
            environment=runner.environment(),
            outcomes=tuple(outcomes),
            logs=read_logs(outcomes, session.logs),
        )

    def _installed(self, session: TestSession, order: RunOrder) -> list[TestOutcome]:
        copy = self.folder / "installer" / order.installer.name
        copy.parent.mkdir()
        outcomes = [install_copy(session, order.installer, copy)]
        self._go_on()
        if outcomes[0].state is not OutcomeState.PASS:
            return outcomes
        outcomes += verify(session, copy) if order.administered else ()
        self._go_on()
        interpreter, installed = smoke.describe(session)
        if order.plan.smoke or interpreter.state is not OutcomeState.PASS:
            outcomes.append(interpreter)
        if installed is not None:
            jobs, refused = jobs_of(session, installed, UnitChoice(names=order.units))
            outcomes += refused
            self._take(session, jobs)
        return outcomes

    def _take(self, session: TestSession, jobs: Sequence[Job]) -> None:
        watch = self._watch = PrefixWatch(prefix=session.sandbox.prefix)
        own = {suite.name for suite in session.plan.suites if suite.kind is SuiteKind.LIFECYCLE}
        self._plain = {job.unit: job for job in jobs}
        self._jobs = {
            job.unit: job if job.unit.partition("/")[0] in own else watch.watched(job) for job in jobs
        }

    def conclude(self, units: frozenset[str] | None) -> PreparedWorker:
        """Find what units have left behind in the prefix of this worker, and verify it once more."""
        session, watch = self.session, self._watch
        if session is None or watch is None:
            return PreparedWorker()
        found = tuple(after_units(session, watch, list(self._plain.values()), UnitChoice(names=units)))
        return PreparedWorker(outcomes=found, logs=read_logs(found, session.logs))

    def suspects(self) -> frozenset[str]:
        """Return the units that may have changed the prefix until now."""
        return self._watch.suspects() if self._watch is not None else frozenset()

    def _go_on(self) -> None:
        if self.stop.is_set():
            raise CancelledError

    @contextmanager
    def working(self) -> Iterator[None]:
        """Keep the folder until the block has ended."""
        with self._fewer:
            self._go_on()
            self._working += 1
        try:
            yield
        finally:
            with self._fewer:
                self._working -= 1
                self._fewer.notify_all()

    def report(self, unit: str) -> ReportedUnit:
        """Run a unit."""
        session = self.session
        if session is None:
            raise RunUnknownError(unit)
        if unit not in self._jobs:
            raise UnitRefusedError(unit)
        started = time.time_ns()
        found = tuple(self._jobs[unit]())
        logs = {name: text for name, text in read_logs(found, session.logs).items() if is_log(name)}
        ended = EndedUnit(unit=unit, outcomes=found, logs=logs)
        return ReportedUnit(
            worker=self.name, ended=ended, use=session.repeats.use, started=started, ended_at=time.time_ns()
        )

    def end(self) -> None:
        """End what runs, and remove the folder."""
        with self._fewer:
            self.stop.set()
        process.stop_all(within=self.folder)
        with self._fewer:
            self._fewer.wait_for(lambda: not self._working, timeout=_END_SECONDS)
        if self.session is not None:
            cleanup = self.session.runner.finish(self.session.sandbox)
            if cleanup is not None:
                with suppress(Exception):
                    process.run(cleanup)
        shutil.rmtree(self.folder, ignore_errors=True)


def _tools(order: RunOrder, cache: Path) -> RidingTools | None:
    """Return what puts the tools that were sent beside the release."""
    sent = order.tools
    return None if sent is None else RidingTools(lock=sent.lock, source=sent.sets, cache=cache / "rattler")


def host_here(run: str, host: UnitHost) -> None:
    """Let `run_unit` use a host in this process."""
    _HOSTS[run] = host


def prepare_release(run: str, order: SharedFile) -> bytes:
    """Install the release of a run on this worker, as a task."""
    from distributed import get_worker

    worker = get_worker()
    before = _HOSTS.pop(run, None)
    if before is not None:  # the worker was thought to be lost
        before.end()
    host = _HOSTS[run] = UnitHost(own_folder(worker) / "runs" / run, str(worker.name))
    with host.working():
        wanted: RunOrder = pickle.loads(order.here().read_bytes())  # noqa: S301 - its hash was checked
        hidden = (*map(Path, wanted.hidden), *_secrets())
        return PREPARED_WORKER.to_bytes(host.prepare(wanted, hidden))


def run_unit(run: str, unit: str) -> bytes:
    """Run a unit on this worker, as a task."""
    host = _HOSTS.get(run)
    if host is None:
        raise RunUnknownError(unit)
    with host.working():
        return REPORTED_UNIT.to_bytes(host.report(unit))


async def conclude_run(run: str, units: frozenset[str] | None) -> bytes:
    """Find what units have left behind on this worker, once all have ended."""
    host = _HOSTS.get(run)
    found = await asyncio.to_thread(host.conclude, units) if host is not None else PreparedWorker()
    return PREPARED_WORKER.to_bytes(found)


async def suspects_here(run: str) -> tuple[str, ...]:
    """Return the units that may have changed the prefix of this worker."""
    host = _HOSTS.get(run)
    return tuple(await asyncio.to_thread(host.suspects)) if host is not None else ()


def leave_repeats(run: str, others: RepeatUse) -> None:
    """Take into account what other workers have used of the run's budget of repetitions."""
    host = _HOSTS.get(run)
    if host is not None and host.session is not None:
        host.session.repeats.leave_for(others)


async def end_run(run: str) -> None:
    """End a run on this worker, and remove what it left."""
    host = _HOSTS.pop(run, None)
    if host is not None:
        await asyncio.to_thread(host.end)


def _secrets() -> tuple[Path, ...]:
    """Return the files with which a worker shows others in the cluster who it is."""
    import dask

    roles = ("client", "scheduler", "worker")
    named = (dask.config.get(f"distributed.comm.tls.{role}.{kind}", None) for role in roles for kind in _KEYS)
    return tuple(Path(name).resolve() for name in named if isinstance(name, str) and Path(name).is_file())


_KEYS = ("key", "cert")


def platform_here(platform: str, emulate: bool, dask_worker: Any = None) -> tuple[str, str, bool]:
    """Return the runner of a platform on this worker, or why there is none, and if it keeps files away."""
    runner, reason = select_runner(platform, emulate=emulate, cache=own_folder(dask_worker) / "cache")
    if runner is None:
        return "", reason or "it has no runner for it", False
    return runner.name, "", runner.keeps_files_away()

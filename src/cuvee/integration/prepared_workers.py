"""What the workers of a run say of the installation there, and of the budget of repetitions."""

import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from cuvee.executors.dask_cluster import DaskCluster, Member
from cuvee.executors.dask_executor import DaskExecutor
from cuvee.integration.kept_units import is_log, write_logs
from cuvee.integration.model import Plan
from cuvee.integration.outcomes import Attempt, OutcomeState, TestOutcome
from cuvee.integration.planned_outcomes import worst_of
from cuvee.integration.repeat_budget import RepeatUse
from cuvee.integration.unit_host import conclude_run, leave_repeats, suspects_here
from cuvee.integration.unit_reports import PREPARED_WORKER, PreparedWorker, ReportedUnit
from cuvee.integration.units import FIRST


@dataclass(slots=True, kw_only=True)
class PreparedWorkers:
    """The workers on which the release was installed for a run, by name."""

    cluster: DaskCluster
    run: str
    found: dict[str, PreparedWorker] = field(default_factory=dict)
    _members: dict[str, Member] = field(default_factory=dict)
    _uses: dict[str, RepeatUse] = field(default_factory=dict)
    _names: dict[str, set[str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, member: Member, answer: bytes) -> str:
        """Take what a worker says of the installation; return why it is not used, or the empty text."""
        prepared = PREPARED_WORKER.from_bytes(answer, source=f"the answer of {member.name}")
        if prepared.refusal:
            return prepared.refusal
        with self._lock:
            self.found[member.name], self._members[member.name] = prepared, member
        self._share()
        broken = (item for item in prepared.outcomes if (item.suite, item.test) in FIRST)
        return next((f"{item.test}: {item.reason}" for item in broken if item.state.blocks), "")

    def has_reported(self, reported: ReportedUnit) -> None:
        """Note which worker ran a unit, and tell the others if it has repeated tests."""
        with self._lock:
            self._names.setdefault(reported.worker, set()).add(reported.ended.unit)
            before = self._uses.get(reported.worker, RepeatUse())
            is_news = reported.use.repeated > before.repeated
            if is_news or reported.use.refused > before.refused:
                self._uses[reported.worker] = reported.use
        if is_news:
            self._share()

    @property
    def use(self) -> RepeatUse:
        """What all workers have used of the budget of repetitions."""
        with self._lock:
            return sum(self._uses.values(), RepeatUse())

    def _share(self) -> None:
        with self._lock:
            members, uses = dict(self._members), dict(self._uses)
        if not uses:
            return
        for name, member in members.items():
            others = sum((use for other, use in uses.items() if other != name), RepeatUse())
            with suppress(Exception):  # a worker that is lost now
                self.cluster.ask([member], leave_repeats, self.run, others)

    def conclude(self, units: frozenset[str] | None) -> None:
        """Let all workers find what units have left behind in their prefixes."""
        known = {member.address for member in self.cluster.members()}
        members = [member for member in self._members.values() if member.address in known]
        for member, answer in self.cluster.ask(members, conclude_run, self.run, units).items():
            if isinstance(answer, bytes):
                more = PREPARED_WORKER.from_bytes(answer, source=f"the answer of {member.name}")
                before = self.found[member.name]
                self.found[member.name] = replace(
                    before,
                    outcomes=(*before.outcomes, *more.outcomes),
                    logs={**before.logs, **more.logs},
                )

    def suspects(self) -> frozenset[str]:
        """Return the units that may have changed a prefix, and all that ran where there is no answer."""
        found: set[str] = set()
        with suppress(Exception):
            answers = self.cluster.ask(self._members.values(), suspects_here, self.run)
            for name, member in self._members.items():
                answer = answers.get(member)
                found |= set(answer) if isinstance(answer, tuple) else self._names.get(name, set())
            return frozenset(found)
        return frozenset().union(*self._names.values())

    def outcomes(self, plan: Plan, results: Path) -> list[TestOutcome]:
        """Return one outcome for each test of the installer: the worst of all workers.

        That a worker had no space is a fault of the worker if another one could install.
        """
        groups: dict[tuple[str, str], list[tuple[str, TestOutcome]]] = {}
        for name, prepared in sorted(self.found.items()):
            for outcome in prepared.outcomes:
                groups.setdefault((outcome.suite, outcome.test), []).append((name, outcome))
        found = []
        for group in groups.values():
            own = [item for item in group if item[1].state is not OutcomeState.INFRA_ERROR] or group
            worst = worst_of([outcome for _, outcome in own])
            name = next(name for name, outcome in own if outcome is worst)
            logs = self.found[name].logs
            if worst.log is not None and is_log(worst.log) and worst.log in logs:
                write_logs({worst.log: logs[worst.log]}, results)
            if len(group) > 1 and worst.state.blocks:
                worst = replace(worst, reason=f"on {name}: {worst.reason}")
            faults = [outcome for _, outcome in group if outcome.state is OutcomeState.INFRA_ERROR]
            if faults and own is not group:
                worst = replace(worst, attempts=(*map(_attempt, faults), _attempt(worst)))
            found.append(worst)
        return found

    def environment(self, executor: DaskExecutor) -> Mapping[str, str]:
        """Return what a reader of the results needs to know of the workers."""
        ran = ", ".join(
            f"{name} ({len(self._names.get(name, ()))} units on {prepared.host})"
            for name, prepared in sorted(self.found.items())
        )
        found = {"host": _together(prepared.host for prepared in self.found.values()), "workers": ran}
        if executor.lost:
            found["lost_workers"] = ", ".join(executor.lost)
        if executor.refused:
            found["refused_workers"] = "; ".join(
                f"{name}: {why}" for name, why in sorted(executor.refused.items())
            )
        keys = dict.fromkeys(key for prepared in self.found.values() for key in prepared.environment)
        for key in keys:
            found[key] = _together(prepared.environment.get(key, "") for prepared in self.found.values())
        return found


def _attempt(outcome: TestOutcome) -> Attempt:
    return Attempt(state=outcome.state, seconds=outcome.seconds, reason=outcome.reason)


def _together(texts: Iterable[str]) -> str:
    return "; ".join(sorted(set(filter(None, texts))))

"""Testing one platform on the workers of a Dask cluster: units run there as they do here."""

import os
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cuvee.errors import InternalError, SourceUnreachableError
from cuvee.executors.dask_cluster import DaskCluster
from cuvee.executors.dask_executor import PATIENCE, DaskExecutor
from cuvee.executors.remote_work import LostWorkersError, Preparation, RemoteFuture
from cuvee.executors.shared_files import SharedFile
from cuvee.files import write_bytes
from cuvee.integration.collected_units import collect_outcomes
from cuvee.integration.complete_outcomes import complete_outcomes
from cuvee.integration.kept_units import KeptUnits, is_log, write_logs
from cuvee.integration.model import SMOKE, Plan
from cuvee.integration.outcome_rules import not_run
from cuvee.integration.outcomes import Attempt, OutcomeState, PlatformRun, TestOutcome
from cuvee.integration.prepared_workers import PreparedWorkers
from cuvee.integration.repeat_budget import RepeatBudget
from cuvee.integration.riding_tools import RidingTools
from cuvee.integration.tool_sets import KnownSets
from cuvee.integration.travelling_paths import pack
from cuvee.integration.unit_host import UnitRefusedError, end_run, platform_here, prepare_release, run_unit
from cuvee.integration.unit_reports import REPORTED_UNIT, RunOrder, SentTools
from cuvee.integration.units import INSTALLER, UnitChoice, targets_of
from cuvee.integration.wanted_tools import wanted_tools
from cuvee.progress import Reporter
from cuvee.temporary_folders import temporary_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPlatform:
    """How a cluster runs one platform.

    Attributes
    ----------
    runner
        The name of the runner that its workers have.
    emulate
        Whether a worker may imitate the platform.
    keeps_files_away
        Whether programs of packages can change nothing there that is not theirs.
    slots
        How many units its workers run at once.
    patience
        Seconds to wait for a worker once there is none.
    """

    cluster: DaskCluster
    runner: str
    emulate: bool = False
    keeps_files_away: bool = False
    slots: int = 1
    patience: float = PATIENCE


def run_on_cluster(
    plan: Plan,
    installer: Path,
    place: ClusterPlatform,
    *,
    results: Path,
    reporter: Reporter,
    timeout: float,
    hidden: tuple[Path, ...],
    choice: UnitChoice,
    kept: KeptUnits | None,
    tools: RidingTools | None = None,
) -> PlatformRun:
    """Install a release on each worker that runs its platform, and run its units there.

    Parameters
    ----------
    results
        The folder ``results/<platform>``, for logs; the others are those of `run_platform`.
    """
    plan = replace(plan, runner=place.runner)
    with temporary_folder("dask") as folder:
        run = os.urandom(8).hex()
        wanted = RunOrder(
            run=run,
            # Workers are not told how it is judged.
            plan=replace(plan, known_failures=(), quarantine=(), waivers=()),
            installer=installer,
            timeout=timeout,
            units=choice.names,
            emulate=place.emulate,
            administered=any(choice.takes(f"{SMOKE}/{name}") for name in ("verify", "check")),
            hidden=tuple(map(str, hidden)),
            tools=_sent_tools(tools, plan, choice),
        )
        data, files = pack(wanted, folder)
        write_bytes(folder / "order", data)
        order = SharedFile.of(folder / "order")
        workers = PreparedWorkers(cluster=place.cluster, run=run)
        preparation = Preparation(
            function=prepare_release,
            arguments=(run, order),
            take=workers.take,
            end=end_run,
            end_arguments=(run,),
        )
        executor = DaskExecutor(
            place.cluster, platform=plan.platform, emulated=place.emulate, files=(*files, order),
            preparation=preparation, patience=place.patience, reporter=reporter,
        )  # fmt: skip
        problems: list[str] = []
        with executor:
            units = _Units(plan=plan, run=run, results=results, workers=workers, kept=kept)
            try:
                outcomes = units.collect(executor, choice, reporter, problems)
                workers.conclude(choice.names)
            except BaseException:
                if kept is not None:
                    kept.drop(workers.suspects())
                raise
    outcomes += workers.outcomes(plan, results)
    digest = next(file.sha256 for file in files if file.path == str(installer))
    environment = {
        "executor": str(place.cluster),
        "installer": installer.name,
        "installer_sha256": digest,
        "repeated": str(RepeatBudget(repeated=workers.use.repeated, refused=workers.use.refused)),
        **workers.environment(executor),
        **({"resumed": kept.note} if kept and kept.note else {}),
    }
    return PlatformRun(
        platform=plan.platform,
        runner=place.runner,
        outcomes=complete_outcomes(plan, outcomes, problems, choice),
        environment=environment,
    )


def _sent_tools(tools: RidingTools | None, plan: Plan, choice: UnitChoice) -> SentTools | None:
    """Solve and fetch here what units may need besides the release: workers may have no channels."""
    if tools is None:
        return None
    try:
        sets = tools.sets(wanted_tools(plan, choice))
    except BaseException:
        tools.stop()
        raise
    return SentTools(lock=tools.lock, sets=KnownSets(sets=sets)) if sets else None


@dataclass(slots=True, kw_only=True)
class _Units:
    """The units of one run on a cluster; ``names`` has the unit of each future."""

    plan: Plan
    run: str
    results: Path
    workers: PreparedWorkers
    kept: KeptUnits | None
    names: dict[Future[Any], str] = field(default_factory=dict)

    def collect(
        self, executor: DaskExecutor, choice: UnitChoice, reporter: Reporter, problems: list[str]
    ) -> list[TestOutcome]:
        """Run the units that were chosen, but for those that an interrupted run has kept."""
        outcomes: list[TestOutcome] = []
        for unit in self._chosen(choice):
            known = self.kept.known(unit, self.results) if self.kept is not None else None
            if known is not None:
                outcomes += known
            else:
                self.names[executor.submit(run_unit, self.run, unit)] = unit
        futures = list(self.names)
        found = collect_outcomes(
            self.plan, futures, self._read, reporter, problems, fail_fast=choice.fail_fast
        )
        return [*outcomes, *found]

    def _chosen(self, choice: UnitChoice) -> list[str]:
        """Return the units to run, in the order in which they start; the installer's are the workers' own."""
        order = {name: number for number, name in enumerate(choice.order)}
        first = {f"{SMOKE}/{name}" for name in INSTALLER}
        names = [f"{suite.name}/{target}" for suite, target, _ in targets_of(self.plan)]
        chosen = [name for name in names if choice.takes(name) and name not in first]
        return sorted(chosen, key=lambda name: order.get(name, len(order)))

    def _read(self, future: Future[Any]) -> Sequence[TestOutcome]:
        """Return what became of a unit: what its worker reported, if that is about this unit."""
        unit = self.names[future]
        lost = tuple(_lost(name) for name in future.lost) if isinstance(future, RemoteFuture) else ()
        try:
            reported = REPORTED_UNIT.from_bytes(future.result(), source=f"the report of {unit}")
        except LostWorkersError as error:
            return self._not_ended(unit, str(error), lost)
        except UnitRefusedError:
            return ()  # of a suite that the worker's runner refuses, which its preparation has reported
        if reported.ended.unit != unit or not all(map(is_log, reported.ended.logs)):
            raise InternalError(f"{reported.worker} reported {reported.ended.unit} for {unit}")
        write_logs(reported.ended.logs, self.results)
        self.workers.has_reported(reported)
        outcomes = [_with_lost(outcome, lost) for outcome in reported.ended.outcomes]
        return self.kept.keep(unit, outcomes, self.results) if self.kept is not None else outcomes

    def _not_ended(self, unit: str, reason: str, lost: tuple[Attempt, ...]) -> Sequence[TestOutcome]:
        named = {f"{suite.name}/{target}": tests for suite, target, tests in targets_of(self.plan)}
        return [
            outcome
            if outcome.state is OutcomeState.NOT_SUPPORTED
            else replace(outcome, state=OutcomeState.INFRA_ERROR, attempts=lost)
            for outcome in not_run(named[unit], self.plan.platform, reason)
        ]


def _lost(worker: str) -> Attempt:
    return Attempt(state=OutcomeState.INFRA_ERROR, reason=f"the worker {worker} was lost")


def _with_lost(outcome: TestOutcome, lost: tuple[Attempt, ...]) -> TestOutcome:
    """Return an outcome with the attempts that ended because workers were lost, before its own."""
    if not lost:
        return outcome
    own = Attempt(state=outcome.state, seconds=outcome.seconds, reason=outcome.reason)
    return replace(outcome, attempts=(*lost, *(outcome.attempts or (own,))))


def platform_on_cluster(
    cluster: DaskCluster, platform: str, *, emulate: bool = False
) -> tuple[ClusterPlatform | None, str]:
    """Return how the workers of a cluster run a platform, as code there finds it; or `None`, and why not."""
    try:
        members = cluster.of_platform(platform)
        answers = {
            member: cluster.stranger(member)
            or cluster.ask([member], platform_here, platform, emulate).get(member)
            for member in members
        }
        seen = cluster.seen()
    except OSError as error:
        raise SourceUnreachableError(f"{cluster} does not answer any more: {error}") from error
    able = {member: answer for member, answer in answers.items() if isinstance(answer, tuple) and answer[0]}
    if not able:
        reasons = [f"{member.name}: {_said(answer)}" for member, answer in answers.items()]
        return None, f"{cluster} has no worker for it: {'; '.join((*reasons, seen))}"
    names = [name for name, _, _ in able.values()]
    runner = max(dict.fromkeys(names), key=names.count)
    same = {member: keeps for member, (name, _, keeps) in able.items() if name == runner}
    return (
        ClusterPlatform(
            cluster=cluster,
            runner=runner,
            emulate=emulate,
            keeps_files_away=all(same.values()),
            slots=sum(member.slots(platform) for member in same),
        ),
        "",
    )


def _said(answer: Any) -> str:
    return str(answer[1]) if isinstance(answer, tuple) else str(answer)

"""A tiny release is tested on four real workers of a Dask cluster."""

import platform
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cuvee.cli.test_plans import plan_lines
from cuvee.errors import SourceUnreachableError
from cuvee.executors.executor_choice import ExecutorChoice
from cuvee.integration.cluster_run import platform_on_cluster
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.progress import Silent
from cuvee.release.pipeline import run_tests
from cuvee.release.record import Release
from cuvee.release.selected_tests import plan_tests
from cuvee.release.session import Session
from dask_machines import Machines, machines
from tiny_distribution import Distribution, Recorder

pytestmark = pytest.mark.real

QUICK = """\
import pytest


@pytest.mark.packages("attrs")
def test_attributes():
    import attrs


def test_the_folder_of_the_suite():
    from pathlib import Path
    assert Path(__file__).with_name("data ü.txt").read_text() == "42"


def test_that_fails():
    assert 1 == 2


def test_nothing_of_the_release_is_seen():
    import os
    assert not os.path.exists({release!r})
"""
LONG = """\
import time
from pathlib import Path


def test_until_somebody_says_so():
    while not Path({marker!r}).exists():
        time.sleep(0.05)
"""


class Waiting:
    """A distribution whose suite has a test that runs until a file exists."""

    def __init__(self, root: Path, text: str, host: str) -> None:
        self.distribution = Distribution(root, Recorder())
        self.host, self.marker = host, root / "go on"
        suite = root / "integration_tests" / "waiting"
        suite.mkdir(parents=True)
        (suite / "suite.yaml").write_text("{title: Waiting, owner: core}", encoding="utf-8")
        folder = str(self.distribution.dist / "tiny-2026.11.0" / "installers")
        (suite / "test_quick.py").write_text(QUICK.format(release=folder), encoding="utf-8")
        (suite / "test_long.py").write_text(LONG.format(marker=str(self.marker)), encoding="utf-8")
        (suite / "data ü.txt").write_text("42")
        self.manifest = self.distribution.write(
            text.replace("suites: [smoke]", "suites: [smoke, waiting]")
            .replace("wheels: [tqdm", "wheels: [pytest, tqdm")
            .replace("packages:\n", 'packages:\n  pytest: {version: ">=8", owner: core}\n')
        )

    def session(self, executor: str, reporter: Silent, *platforms: str) -> Session:
        session = self.distribution.session(self.manifest, *(platforms or (self.host,)))
        choice = ExecutorChoice.parse(executor)
        options = replace(session.options, executor=choice, retest=True, keep_going=True)
        return Session(session.manifest, options, reporter)

    def run(self, executor: str, reporter: Silent) -> Release:
        session = self.session(executor, reporter)
        try:
            with session.workspace.locked():
                return run_tests(session)
        finally:
            session.close()


class Watch(Silent):
    """Calls a function once all units but one have ended."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act, self._left = act, -1
        self.warnings: list[str] = []

    def start(self, task: str, *, total: int | None = None) -> None:
        if task.startswith("Test "):
            self._left = total or 0

    def advance(self, task: str, amount: int = 1, *, note: str = "") -> None:
        if task.startswith("Test "):
            self._left -= amount
            if self._left == 1:
                self._act()

    def warn(self, message: str) -> None:
        self.warnings.append(message)


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory, tiny_text: str, host_platform: str) -> Waiting:
    return Waiting(tmp_path_factory.mktemp("on a cluster"), tiny_text, host_platform)


@pytest.fixture(scope="module")
def here(tested: Waiting) -> PlatformRun:
    """The run on threads of this host."""
    tested.marker.touch()
    (run,) = tested.run("threads", Silent()).runs
    tested.marker.unlink()
    return run


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, host_platform: str) -> Iterator[Machines]:
    """Three workers of this platform, and one that declares it and is another."""
    folder = tmp_path_factory.mktemp("dask")
    other = "aarch64" if platform.machine() == "x86_64" else "x86_64"
    preload = folder / "another_machine.py"
    preload.write_text(f"import platform\nplatform.machine = lambda: {other!r}\n")
    with machines(folder) as found:
        for name in ("one", "two", "three"):
            found.add(name, f"{host_platform}=1")
        found.add("liar", f"{host_platform}=1", "win-64=1", preload=preload)
        found.wait_for(4)
        yield found


def _holder(cluster: Machines, unit: str) -> str:
    """Return the worker in whose folder a unit runs."""
    (found,) = (path for path in _left(cluster) if list(path.glob(f"work/*{unit}*/cwd")))
    return found.relative_to(cluster.folder).parts[0]


def _left(cluster: Machines) -> list[Path]:
    """Return the folders of runs on workers that live; what a killed one left, Dask removes later."""
    found = cluster.folder.glob("*/**/cuvee/runs/*")
    return [path for path in found if path.relative_to(cluster.folder).parts[0] in cluster.workers]


def _states(run: PlatformRun) -> list[tuple[str, str, str]]:
    return [(item.suite, item.test, item.state.value) for item in run.outcomes]


def _reasons(run: PlatformRun) -> list[tuple[str, str]]:
    return sorted({(item.test, item.reason) for item in run.outcomes if item.reason})


def _outcome(run: PlatformRun, test: str) -> TestOutcome:
    (found,) = (item for item in run.outcomes if item.test.endswith(test))
    return found


def test_a_plan_says_where_it_would_run(tested: Waiting, here: PlatformRun, cluster: Machines) -> None:
    session = tested.session(cluster.executor, Silent())
    try:
        plan = plan_tests(session)
        found, reason = platform_on_cluster(session.cluster, "win-64")
    finally:
        session.close()
    assert f"{tested.host}, native, on {cluster.executor}" in "\n".join(plan_lines(plan))
    assert plan.slots == {tested.host: 3}
    assert found is None
    assert reason.startswith(f"{cluster.executor} has no worker for it: liar: no runner for it on this host")
    assert reason.endswith(f"its 4 workers declare {tested.host} (4), win-64 (1)")


def test_a_killed_worker_loses_nothing(tested: Waiting, here: PlatformRun, cluster: Machines) -> None:
    killed: list[str] = []

    def kill() -> None:
        killed.append(_holder(cluster, "test_long"))
        cluster.kill(killed[0])
        tested.marker.touch()

    watch = Watch(kill)
    (run,) = tested.run(cluster.executor, watch).runs
    tested.marker.unlink()
    assert _states(run) == _states(here), _reasons(run)
    waited = _outcome(run, "test_until_somebody_says_so")
    assert waited.state is OutcomeState.PASS
    lost, passed = waited.attempts
    assert (lost.state, lost.reason) == (OutcomeState.INFRA_ERROR, f"the worker {killed[0]} was lost")
    assert passed.state is OutcomeState.PASS
    assert not waited.flipped
    failed = _outcome(run, "test_that_fails")
    assert [item.state for item in failed.attempts] == [OutcomeState.FAIL, OutcomeState.FAIL]
    results = tested.distribution.dist / "tiny-2026.11.0" / "results" / tested.host
    assert failed.log is not None
    assert "1 == 2" in (results / failed.log).read_text()
    assert run.environment["lost_workers"] == killed[0]
    assert run.environment["installer_sha256"] == here.environment["installer_sha256"]
    assert run.environment["executor"] == cluster.executor
    assert "liar" in run.environment["refused_workers"]
    assert any("liar" in text for text in watch.warnings)
    assert not _left(cluster), "workers remove what a run left"
    installers = list(cluster.folder.glob(f"*/**/cuvee/files/{run.environment['installer_sha256']}"))
    assert len(installers) <= 3


def test_an_interrupted_run_ends_on_the_workers_and_goes_on(
    tested: Waiting, here: PlatformRun, cluster: Machines
) -> None:
    def interrupt() -> None:
        assert _holder(cluster, "test_long")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tested.run(cluster.executor, Watch(interrupt))
    assert not _left(cluster)
    tested.marker.touch()
    session = tested.session(cluster.executor, Silent())
    session.options = replace(session.options, retest=False)
    try:
        with session.workspace.locked():
            (run,) = run_tests(session).runs
    finally:
        session.close()
        tested.marker.unlink()
    assert _states(run) == _states(here), _reasons(run)
    assert "units are those of an earlier run" in run.environment["resumed"]


def test_processes_find_what_threads_find(tested: Waiting, here: PlatformRun) -> None:
    tested.marker.touch()
    (run,) = tested.run("processes", Silent()).runs
    tested.marker.unlink()
    assert _states(run) == _states(here), _reasons(run)
    failed = _outcome(run, "test_that_fails")
    assert [item.state for item in failed.attempts] == [OutcomeState.FAIL, OutcomeState.FAIL]
    results = tested.distribution.dist / "tiny-2026.11.0" / "results" / tested.host
    assert failed.log is not None
    assert "1 == 2" in (results / failed.log).read_text()
    assert run.environment["repeated"] == here.environment["repeated"]


def test_an_interrupt_ends_processes(tested: Waiting, here: PlatformRun) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tested.run("processes", Watch(interrupt))


def test_a_scheduler_that_does_not_answer_is_told(
    tested: Waiting, here: PlatformRun, cluster: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cuvee.executors.dask_cluster.CONNECT_SECONDS", 1.0)
    with pytest.raises(SourceUnreachableError, match="No scheduler of Dask answers"):
        tested.run("dask://127.0.0.1:1", Silent())

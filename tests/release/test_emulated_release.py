"""The tiny release for Windows: its installer made here, and its suites run with it under Wine."""

import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.channel.repodata_writer import index_channel
from cuvee.executors.executor_choice import ExecutorChoice
from cuvee.integration.outcomes import OutcomeState
from cuvee.progress import Silent
from cuvee.release.pipeline import run_tests
from cuvee.release.session import Session
from dask_machines import machines
from needed_programs import HANGING, needs
from tiny_distribution import Distribution, Recorder
from wine_desktop import running_below

pytestmark = [pytest.mark.real, pytest.mark.minutes(2)]

TOOL = PackageContent(
    name="sidetool",
    version="1.0",
    build="py_0",
    subdir="noarch",
    noarch="python",
    timestamp=1_700_000_000_000,
    depends=("python",),
    entry_points=("sidetool = sidetool:main",),
    files=(
        PackageFile(
            path="site-packages/sidetool.py",
            content=b"import sys, tqdm\n\n\ndef main():\n    print(sys.prefix, *sys.argv[1:])\n",
        ),
    ),
)
"""What rides beside the release, which does not have it."""

SUITE = """\
kind: command
title: Beside the release
owner: core
tools: [sidetool]
commands:
- {program: sidetool, arguments: [a b], says: a b}
- {script: check.py}
"""
CHECK = """\
import subprocess, sys, sidetool, tqdm
assert tqdm.__file__.startswith(sys.prefix), tqdm.__file__
assert not sidetool.__file__.startswith(sys.prefix), sidetool.__file__
done = subprocess.run(["sidetool"], capture_output=True, text=True, check=True)
assert done.stdout.strip() == sys.prefix, done
"""


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory, tiny_text: str) -> tuple[Distribution, Path]:
    """The tiny distribution, with a suite that needs a tool beside the release; and its manifest."""
    distribution = Distribution(tmp_path_factory.mktemp("for windows"), Recorder())
    root = distribution.root
    (root / "channel" / "noarch").mkdir(parents=True)
    write_package(TOOL, root / "channel" / "noarch")
    index_channel(root / "channel", ())
    suite = root / "integration_tests" / "beside"
    suite.mkdir(parents=True)
    (suite / "suite.yaml").write_text(SUITE)
    (suite / "check.py").write_text(CHECK)
    manifest = distribution.write(
        tiny_text.replace("linux: [sh]", "linux: [sh], win: [exe]")
        .replace("suites: [smoke]", "suites: [smoke, beside]")
        .replace("interpreter: host", "channels: [../../channel]\ninterpreter: host")
    )
    return distribution, manifest


@needs("wine")
@needs("makensis")
def test_windows_is_tested_with_its_own_installer(
    windows: tuple[Distribution, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    distribution, path = windows
    result = distribution.cut(path, "win-64", emulate=True)
    (run,) = result.runs
    outcomes = {outcome.test: (outcome.state, outcome.reason) for outcome in run.outcomes}
    assert run.runner == "wine"
    assert outcomes["install"][0] is OutcomeState.PASS, outcomes["install"]
    for test in (
        "verify",
        "check",
        "interpreter",
        "import:attrs",
        "import:tqdm",
        "command:tqdm",
        "metadata:tqdm",
        "sidetool",
        "check.py",
    ):
        assert outcomes[test][0] is OutcomeState.PASS, (test, outcomes[test])
    assert not result.verdict.exit_code
    assert not running_below(tmp_path)
    assert not list(tmp_path.glob("cuvee-test-*"))


class TogetherOnly(Silent):
    """Lets each platform go on after its first unit once all others have got there."""

    def __init__(self, *platforms: str) -> None:
        self._met = threading.Barrier(len(platforms))
        self._waiting = {f"Test {name}" for name in platforms}

    def advance(self, task: str, amount: int = 1, *, note: str = "") -> None:
        if task in self._waiting:
            self._waiting.remove(task)
            self._met.wait(HANGING)


@needs("wine")
@needs("makensis")
def test_one_plan_runs_on_machines_of_two_platforms_at_once(
    windows: tuple[Distribution, Path], tmp_path: Path, host_platform: str
) -> None:
    distribution, path = windows
    both = (host_platform, "win-64")
    session = distribution.session(path, *both, emulate=True)
    with machines(tmp_path) as cluster:
        for name in both:
            cluster.add(f"of {name}", f"{name}=1")
        cluster.wait_for(2)
        options = replace(session.options, executor=ExecutorChoice.parse(cluster.executor))
        session = Session(session.manifest, options, TogetherOnly(*both))
        try:
            with session.workspace.locked():
                runs = {run.platform: run for run in run_tests(session).runs}
        finally:
            session.close()
    assert {name: run.runner for name, run in runs.items()} == {host_platform: "native", "win-64": "wine"}
    tests = {name: {item.test: item.state for item in run.outcomes} for name, run in runs.items()}
    for name, run in runs.items():
        assert set(tests[name].values()) == {OutcomeState.PASS}, tests[name]
        assert run.environment["workers"].startswith(f"of {name} (")
        assert not {"lost_workers", "refused_workers"} & set(run.environment)
    assert tests["win-64"].items() > tests[host_platform].items(), "Windows has colorama, too"
    hashes = {run.environment["installer_sha256"] for run in runs.values()}
    assert len(hashes) == 2, "each with the installer of its platform"

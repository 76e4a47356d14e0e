"""A tiny release, made of a virtual environment and an installer that copies it, tested for real."""

import datetime as dt
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cuvee import platforms, process
from cuvee.integration import platform_run
from cuvee.integration.model import KnownFailure, PackagePlan, Plan, PlannedSuite, QuarantinedTest
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.integration.platform_run import run_platform
from cuvee.integration.results_folder import read_run
from cuvee.integration.runners.isolation import strongest_isolation
from cuvee.integration.runners.native import NativeRunner
from cuvee.integration.runners.protocol import Command, Sandbox
from cuvee.integration.suite_files import read_suite
from cuvee.process import Completed, Request
from cuvee.progress import SILENT, Silent
from needed_programs import HANGING

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(sys.platform != "linux", reason="the native runner's isolation is Linux's"),
]

HOST = platforms.host()
PLATFORM = HOST.name if HOST else "linux-64"

INSTALLER = """#!/bin/sh
set -e
while getopts bp: option; do case $option in p) PREFIX=$OPTARG;; *) ;; esac; done
cp -R '{source}' "$PREFIX"
for file in "$PREFIX"/bin/*; do
    if [ ! -L "$file" ] && head -n 1 "$file" | grep -q '^#!'; then
        sed -i "1s|.*|#!$PREFIX/bin/python|" "$file"
    fi
done
"""

SUITE = """
import ctypes, os, pathlib, socket, time
import pytest

def test_good():
    assert pathlib.Path.home() == pathlib.Path(os.environ["HOME"])

def test_bad():
    print("a hint on stdout")
    assert 1 == 2, "numbers differ"

def test_wobbly():
    mark = pathlib.Path.home() / "seen"
    seen = mark.exists()
    mark.touch()
    assert seen, "not yet"

def test_crash():
    ctypes.string_at(0)

def test_behind_the_crash():
    pass

def test_skipped():
    pytest.skip("no reason")

@pytest.mark.xfail(reason="one day")
def test_expected():
    raise AssertionError

@pytest.mark.packages("pandas")
def test_with_pandas():
    import pandas

@pytest.mark.parametrize("number", [1, 2])
def test_cases(number):
    assert number

def test_network():
    with pytest.raises(OSError):
        socket.create_connection(("192.0.2.1", 9), timeout=5)
    server = socket.create_server(("127.0.0.1", 0))
    socket.create_connection(server.getsockname(), timeout=5).close()

def test_environment():
    allowed = {"PATH", "HOME", "TMPDIR", "LANG", "TZ", "LC_CTYPE", "PYTEST_CURRENT_TEST", "PYTEST_VERSION"}
    assert {name for name in os.environ if not name.lower().endswith("_proxy")} <= allowed
    assert not os.listdir(".")
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prefix with six, click and pytest, which stands for what an installer unpacks."""
    prefix = tmp_path_factory.mktemp("source") / "prefix"
    uv = shutil.which("uv", path=f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv is None:
        pytest.skip("needs uv")
    for argv in (
        [sys.executable, "-m", "venv", "--without-pip", str(prefix)],
        [uv, "pip", "install", "-q", "--system-certs", "--python", str(prefix), "six", "click", "pytest"],
    ):
        subprocess.run(argv, check=True, capture_output=True)
    return prefix


@pytest.fixture
def installer(source: Path, tmp_path: Path) -> Path:
    path = tmp_path / "Tiny-2026.11.0-Linux.sh"
    path.write_text(INSTALLER.format(source=source))
    return path


Run = Callable[..., PlatformRun]


@pytest.fixture
def run(installer: Path, tmp_path: Path) -> Run:
    def run(plan: Plan, *, by: Path = installer, timeout: float = 30) -> PlatformRun:
        return run_platform(
            plan,
            installer=by,
            runner=NativeRunner(),
            results=tmp_path / "results",
            reporter=SILENT,
            timeout=timeout,
        )

    return run


def _plan(
    *packages: PackagePlan, suites: Sequence[PlannedSuite] = (), known: Sequence[KnownFailure] = ()
) -> Plan:
    return Plan(platform=PLATFORM, packages=packages, suites=tuple(suites), known_failures=tuple(known))


def _by_test(run: PlatformRun) -> dict[str, TestOutcome]:
    return {outcome.test: outcome for outcome in run.outcomes}


def test_smoke_finds_what_is_wrong_and_nothing_else(run: Run, source: Path, tmp_path: Path) -> None:
    version = next((source / "lib").glob("python*/site-packages/six-*.dist-info")).name.split("-")[1]
    six = PackagePlan(
        name="six", version=version.removesuffix(".dist"), imports=("six",), distributions=("six",)
    )
    pytest_ = PackagePlan(
        name="pytest",
        version="0.0",
        imports=("_pytest", "nope"),
        commands=("pytest", "gone"),
        distributions=("pytest",),
    )
    result = run(_plan(six, pytest_))
    found = _by_test(result)
    assert {test: outcome.state for test, outcome in found.items()} == {
        "install": OutcomeState.PASS,
        "interpreter": OutcomeState.PASS,
        "import:six": OutcomeState.PASS,
        "metadata:six": OutcomeState.PASS,
        "import:pytest": OutcomeState.FAIL,
        "metadata:pytest": OutcomeState.FAIL,
        "command:pytest": OutcomeState.PASS,
        "command:gone": OutcomeState.FAIL,
    }
    assert found["import:pytest"].reason == "nope: ModuleNotFoundError: No module named 'nope'"
    assert found["metadata:pytest"].reason.endswith("but 0.0 is locked")
    folder = tmp_path / "results" / PLATFORM
    assert "Traceback" in (folder / str(found["import:pytest"].log)).read_text()
    assert read_run(folder) == result
    assert result.environment["installer"] == "Tiny-2026.11.0-Linux.sh"


def test_each_fate_of_a_test_is_told(run: Run, suites_folder: Path, tmp_path: Path) -> None:
    (suites_folder / "interop" / "test_fates.py").write_text(SUITE)
    (suites_folder / "interop" / "test_broken.py").write_text("import nope\n\ndef test_a(): ...\n")
    suite = read_suite(suites_folder, "interop").for_packages({"pytest"})
    known = KnownFailure(suite="interop", test="*::test_behind*", reason="was broken")
    result = run(_plan(suites=[suite], known=[known]))
    found = {test.removeprefix("test_fates.py::"): outcome for test, outcome in _by_test(result).items()}
    states = {test: outcome.state.value for test, outcome in found.items()}
    if not strongest_isolation():  # it is up to the host what a test can reach
        states["test_network"] = "pass"
    assert states == {
        "install": "pass",
        "interpreter": "pass",
        "test_broken.py": "fail",
        "test_broken.py::test_a": "not-run",
        "test_good": "pass",
        "test_bad": "fail",
        "test_wobbly": "flaky",
        "test_crash": "fail",
        "test_behind_the_crash": "pass",
        "test_skipped": "skipped",
        "test_expected": "known-fail",
        "test_with_pandas": "not-supported",
        "test_cases[1]": "pass",
        "test_cases[2]": "pass",
        "test_network": "pass",
        "test_environment": "pass",
    }
    assert found["test_bad"].reason == "AssertionError: numbers differ"
    assert "SIGSEGV" in found["test_crash"].reason
    assert "ModuleNotFoundError" in found["test_broken.py"].reason
    assert found["test_behind_the_crash"].reason.startswith("this known failure passes now")
    assert found["test_with_pandas"].reason == "the release has no pandas"
    folder = tmp_path / "results" / PLATFORM
    assert "a hint on stdout" in (folder / str(found["test_bad"].log)).read_text()
    assert not any("cuvee-test-" in outcome.reason for outcome in result.outcomes)
    assert "in test_crash" in (folder / str(found["test_crash"].log)).read_text()
    assert found["test_good"].log is None
    assert [attempt.state.value for attempt in found["test_wobbly"].attempts] == ["fail", "pass"]
    assert [attempt.state.value for attempt in found["test_bad"].attempts] == ["fail", "fail"]
    assert not found["test_good"].attempts
    assert result.environment["repeated"] == "4 of at most 100 failed tests"


def test_a_quarantined_test_runs_and_does_not_block(run: Run, suites_folder: Path, tmp_path: Path) -> None:
    (suites_folder / "interop" / "test_fates.py").write_text(SUITE)
    suite = read_suite(suites_folder, "interop").for_packages({"pytest"})
    until = dt.date(2027, 1, 31)
    held = [
        QuarantinedTest(suite="interop", test=f"*::{name}", owner="core", reason="its clock", until=until)
        for name in ("test_wobbly", "test_bad", "test_good")
    ]
    result = run(replace(_plan(suites=[suite]), quarantine=tuple(held)))
    found = {test.partition("::")[2]: outcome for test, outcome in _by_test(result).items()}
    assert [found[name].state.value for name in ("test_wobbly", "test_bad", "test_good", "test_crash")] == [
        "quarantined", "quarantined", "pass", "fail",
    ]  # fmt: skip
    assert found["test_wobbly"].flipped
    assert "in quarantine until 2027-01-31, core" in found["test_bad"].reason
    junit = (tmp_path / "results" / PLATFORM / "junit.xml").read_text()
    assert 'type="quarantined"' in junit


def test_a_test_that_hangs_is_stopped_and_the_next_one_runs(run: Run, suites_folder: Path) -> None:
    (suites_folder / "interop" / "test_slow.py").write_text(
        "import threading\n\ndef test_hang():\n    threading.Event().wait()\n\ndef test_next(): ...\n"
    )
    found = _by_test(
        run(_plan(suites=[read_suite(suites_folder, "interop").for_packages({"pytest"})]), timeout=4)
    )
    assert found["test_slow.py::test_hang"].state is OutcomeState.TIMEOUT
    assert found["test_slow.py::test_next"].state is OutcomeState.PASS


@pytest.mark.parametrize("in_folder", [False, True])
def test_shipped_tests_are_run_by_name(in_folder: bool, run: Run, suites_folder: Path, source: Path) -> None:
    package = next((source / "lib").glob("python*/site-packages")) / "shipped" / "tests"
    package.mkdir(parents=True, exist_ok=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    (package / "test_it.py").write_text("def test_one(): ...\n\ndef test_two(): assert 0\n")
    listed = (
        "- {package: shipped, arguments: [-k, one], modules: [shipped.tests.test_it, shipped.tests.gone]}"
    )
    if in_folder:
        (suites_folder / "upstream").mkdir()
        text = f"kind: upstream\ntests:\n{listed}\n"
        (suites_folder / "upstream" / "suite.yaml").write_text(text)
    else:
        (suites_folder / "upstream.yaml").write_text(listed)
    suite = read_suite(suites_folder, "upstream").for_packages({"pytest", "shipped"})
    outcomes = [outcome for outcome in run(_plan(suites=[suite])).outcomes if outcome.suite == "upstream"]
    assert [(outcome.test, outcome.state, outcome.package) for outcome in outcomes] == [
        ("shipped/tests/gone.py", OutcomeState.NOT_SUPPORTED, "shipped"),
        ("shipped/tests/test_it.py::test_one", OutcomeState.PASS, "shipped"),
    ]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'the payload is damaged' >&2; exit 3", "exit code 3: the payload is damaged"),
        ("exit 0", "the installer succeeded, but the prefix has no interpreter"),
    ],
)
def test_an_installer_that_fails_fails_the_release(
    script: str, reason: str, run: Run, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.sh"
    broken.write_text(f"#!/bin/sh\n{script}\n")
    result = run(_plan(PackagePlan(name="six", version="1", imports=("six",))), by=broken)
    install, *rest = result.outcomes
    assert (install.test, install.state, install.reason) == ("install", OutcomeState.FAIL, reason)
    assert install.log
    assert {outcome.state for outcome in rest} == {OutcomeState.NOT_RUN}
    assert [outcome.test for outcome in rest] == ["interpreter", "import:six"]


def test_a_release_whose_interpreter_does_not_start_fails(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.sh"
    program = '"$3/bin/python"'
    broken.write_text(f'mkdir -p "$3/bin"; echo "#!/bin/false" > {program}; chmod +x {program}\n')
    result = run(_plan(PackagePlan(name="six", version="1", imports=("six",))), by=broken)
    assert [(outcome.test, outcome.state) for outcome in result.outcomes] == [
        ("install", OutcomeState.PASS),
        ("interpreter", OutcomeState.FAIL),
        ("import:six", OutcomeState.NOT_RUN),
    ]


def test_nothing_is_left_behind(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temp = tmp_path / "temp"
    temp.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temp))
    run(_plan())
    assert list(temp.iterdir()) == []
    assert [path.name for path in (tmp_path / "results").iterdir()] == [PLATFORM]


class _Interrupting(Silent):
    def advance(self, task: str, amount: int = 1, *, note: str = "") -> None:
        raise KeyboardInterrupt


def test_an_interrupted_run_ends_at_once_and_leaves_nothing(
    installer: Path, suites_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temp = tmp_path / "temp"
    temp.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temp))
    (suites_folder / "interop" / "test_hang.py").write_text(
        "import threading\n\ndef test_hang():\n    threading.Event().wait()\n"
    )
    plan = _plan(
        PackagePlan(name="six", version="1", imports=("six",)),
        suites=[read_suite(suites_folder, "interop").for_packages({"pytest"})],
    )
    completed: list[Completed] = []
    run = process.run

    def recorded(request: Request) -> Completed:
        completed.append(run(request))
        return completed[-1]

    monkeypatch.setattr(process, "run", recorded)
    monkeypatch.setattr(platform_run, "parallel_tests", lambda: 2)
    with pytest.raises(KeyboardInterrupt):
        run_platform(
            plan,
            installer=installer,
            runner=NativeRunner(),
            results=tmp_path / "results",
            reporter=_Interrupting(),
        )
    assert -signal.SIGKILL in [one.exit_code for one in completed]  # not ended by the watch over its time
    assert list(temp.iterdir()) == []
    assert list((tmp_path / "results").iterdir()) == []


def test_a_runner_may_end_what_stays_before_its_folder_goes(tmp_path: Path) -> None:
    class Leaving(NativeRunner):
        def install(self, sandbox: Sandbox, installer: Path, *, timeout: float) -> Request:
            return Request(argv=("false",))

        def finish(self, sandbox: Sandbox) -> Request | None:
            return Request(argv=("cp", "-R", str(sandbox.home), str(tmp_path / "kept")))

    results = tmp_path / "results"
    run = run_platform(_plan(), installer=Path(__file__), runner=Leaving(), results=results, reporter=SILENT)
    assert run.outcomes[0].state is OutcomeState.FAIL
    assert (tmp_path / "kept").is_dir()


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").symlink_to("/bin/sh")
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    return Sandbox(platform=PLATFORM, prefix=tmp_path, home=tmp_path, temp=tmp_path)


def test_the_network_is_loopback_alone(sandbox: Sandbox) -> None:
    if strongest_isolation() is None:
        pytest.skip("needs a host that allows network namespaces")
    with socket.create_server(("127.0.0.1", 0)) as ours:
        script = f"import socket; socket.create_connection(('127.0.0.1', {ours.getsockname()[1]}), 5)"
        command = Command(program="python", arguments=("-I", "-c", script), cwd=sandbox.temp, timeout=HANGING)
        completed = process.run(NativeRunner().request(sandbox, command))
    assert completed.exit_code == 1
    assert "ConnectionRefusedError" in completed.stderr  # its loopback is up, and is not the host's


def test_stray_children_end_with_their_test(sandbox: Sandbox) -> None:
    if "pid" not in (strongest_isolation() or ""):
        pytest.skip("needs a host that allows process namespaces")
    beat = sandbox.temp / "beat"
    child = f"import time, pathlib\nwhile True: pathlib.Path({str(beat)!r}).touch(); time.sleep(0.02)"
    script = (
        "import subprocess, sys, pathlib, time\n"
        f"subprocess.Popen([sys.executable, '-c', {child!r}], start_new_session=True)\n"
        f"while not pathlib.Path({str(beat)!r}).exists(): time.sleep(0.02)\n"
    )
    command = Command(program="python", arguments=("-I", "-c", script), cwd=sandbox.temp, timeout=HANGING)
    assert process.run(NativeRunner().request(sandbox, command)).ok
    beat.unlink(missing_ok=True)
    threading.Event().wait(0.3)
    assert not beat.exists()


def test_exit_codes_and_signals_come_through(sandbox: Sandbox) -> None:
    def code(script: str) -> int:
        command = Command(program="sh", arguments=("-c", script), cwd=sandbox.temp, timeout=HANGING)
        return process.run(NativeRunner().request(sandbox, command)).exit_code

    assert code("exit 7") == 7
    assert code("kill -SEGV $$") in {128 + 11, -11}


def test_stop_all_ends_what_other_threads_wait_for() -> None:
    done: list[int] = []
    request = Request(argv=(sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"))
    thread = threading.Thread(target=lambda: done.append(process.run(request).exit_code))
    thread.start()
    while thread.is_alive():
        process.stop_all()
        time.sleep(0.01)
    assert done == [-9]

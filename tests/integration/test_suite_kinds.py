"""Commands and notebooks in a tiny release that is a virtual environment, run for real."""

import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import pytest

from cuvee import platforms
from cuvee.files import write_json
from cuvee.integration.kept_units import KeptUnits
from cuvee.integration.model import KnownFailure, Plan, PlannedSuite
from cuvee.integration.outcomes import PlatformRun, TestOutcome
from cuvee.integration.platform_run import run_platform
from cuvee.integration.runners.isolation import strongest_isolation
from cuvee.integration.runners.native import NativeRunner
from cuvee.integration.runners.protocol import Runner
from cuvee.integration.runners.wine import WineRunner
from cuvee.integration.suite_files import read_suite
from cuvee.process import Completed
from cuvee.progress import SILENT, Reporter, Silent

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(sys.platform != "linux", reason="the native runner's isolation is Linux's"),
]

HOST = platforms.host()
PLATFORM = HOST.name if HOST else "linux-64"
PACKAGES = {"python", "pytest", "nbclient", "nbformat", "ipykernel"}
INSTALLER = "#!/bin/sh\nwhile getopts bp: o; do case $o in p) PREFIX=$OPTARG;; *) ;; esac; done\n"


@pytest.fixture(scope="module")
def installer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installer")
    prefix = folder / "prefix"
    uv = shutil.which("uv", path=sysconfig.get_path("scripts")) or shutil.which("uv")
    if uv is None:
        pytest.skip("needs uv")
    for argv in (
        [sys.executable, "-m", "venv", "--without-pip", str(prefix)],
        [
            uv,
            "pip",
            "install",
            "-q",
            "--system-certs",
            "--python",
            str(prefix),
            *sorted(PACKAGES - {"python"}),
        ],
    ):
        subprocess.run(argv, check=True, capture_output=True)
    path = folder / "Tiny-2026.11.0-Linux.sh"
    path.write_text(f"{INSTALLER}cp -R '{prefix}' \"$PREFIX\"\n")
    return path


def outcomes(
    installer: Path,
    suite: PlannedSuite,
    results: Path,
    *,
    runner: Runner | None = None,
    known_failures: tuple[KnownFailure, ...] = (),
) -> Mapping[str, TestOutcome]:
    run = run_platform(
        Plan(
            platform=PLATFORM,
            packages=(),
            smoke=False,
            suites=(suite.for_packages(PACKAGES),),
            known_failures=known_failures,
        ),
        installer=installer,
        runner=runner or NativeRunner(),
        results=results,
        reporter=SILENT,
        timeout=60,
    )
    return {outcome.test: outcome for outcome in run.outcomes if outcome.suite != "smoke"}


COMMANDS = """
kind: command
commands:
  - {name: version, program: python, arguments: [--version], says: Python 3}
  - {name: other, program: python, arguments: [--version], says: Python 2}
  - {name: seven, program: python, arguments: [-c, "raise SystemExit(7)"], exit-codes: [7]}
  - {name: eight, program: python, arguments: [-c, "raise SystemExit('eight it is')"]}
  - {name: gone, program: gone}
  - {name: script, script: check.py, arguments: [good], junit: out.xml}
  - {name: partly, script: check.py, arguments: [partly], junit: out.xml}
  - {name: broken, script: check.py, arguments: [broken], junit: out.xml}
  - {name: silent, script: check.py, arguments: [silent], junit: out.xml}
  - {name: lying, script: check.py, arguments: [lying], junit: out.xml}
  - {name: wobbly, script: wobbly.py}
  - {name: elsewhere, program: python, packages: [pandas]}
"""
SCRIPT = """
import sys, pathlib
kind = sys.argv[1]
assert pathlib.Path("beside.txt").read_text() == "here"
good, bad = '<testcase name="a"/>', '<testcase name="b"><failure message="no"/></testcase>'
text = {"good": good, "partly": good + bad, "broken": "<testcase", "lying": good}.get(kind)
if text:
    pathlib.Path("out.xml").write_text(f"<testsuite>{text}</testsuite>")
sys.exit(kind in {"partly", "lying"})
"""


WOBBLY = """
import pathlib, sys
mark = pathlib.Path.home() / "seen"
seen = mark.exists()
mark.touch()
sys.exit(not seen)
"""


def test_commands_are_judged_by_all_that_they_leave(
    installer: Path, suites_folder: Path, tmp_path: Path
) -> None:
    folder = suites_folder / "interop"
    (folder / "suite.yaml").write_text(COMMANDS)
    (folder / "check.py").write_text(SCRIPT)
    (folder / "wobbly.py").write_text(WOBBLY)
    (folder / "beside.txt").write_text("here")
    found = outcomes(installer, read_suite(suites_folder, "interop"), tmp_path / "results")
    states = {test: outcome.state.value for test, outcome in found.items()}
    assert states == {
        "version": "pass",
        "other": "fail",
        "seven": "pass",
        "eight": "fail",
        "gone": "fail",
        "script": "pass",
        "script::a": "pass",
        "partly": "pass",
        "partly::a": "pass",
        "partly::b": "fail",
        "broken": "fail",
        "silent": "fail",
        "lying": "fail",
        "lying::a": "pass",
        "wobbly": "flaky",
        "elsewhere": "not-supported",
    }
    assert found["other"].reason == "it does not print 'Python 2'"
    assert found["eight"].reason == "exit code 1: eight it is"
    assert found["partly::b"].reason == "no"
    assert found["broken"].reason.startswith("its JUnit XML out.xml is not XML: ")
    assert found["silent"].reason == "its JUnit XML out.xml was not written"
    assert found["lying"].reason == "exit code 1"


def write_notebook(path: Path, *cells: tuple[str, str | None], tags: tuple[str, ...] = ()) -> None:
    """Write a notebook of code cells, each with what it has printed."""
    made = [
        {
            "cell_type": "code",
            "id": f"cell{number}",
            "metadata": {"tags": list(tags)},
            "execution_count": None,
            "source": source,
            "outputs": [] if said is None else [{"output_type": "stream", "name": "stdout", "text": said}],
        }
        for number, (source, said) in enumerate(cells)
    ]
    write_json(path, {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made})


def test_notebooks_are_executed_and_compared(installer: Path, suites_folder: Path, tmp_path: Path) -> None:
    folder = suites_folder / "interop"
    (folder / "suite.yaml").write_text("{kind: notebook, compare: true, timeout: 60}")
    write_notebook(folder / "good.ipynb", ("a = 6", None), ("print(a * 7)", "42\n"))
    write_notebook(folder / "other.ipynb", ("print(object())", "<object object at 0x7f0000000000>\n"))
    write_notebook(folder / "changed.ipynb", ("print(1)", "1\n"), ("print(2)", "3\n"))
    write_notebook(folder / "free.ipynb", ("print(2)", "3\n"), tags=("any-output",))
    write_notebook(folder / "bad.ipynb", ("1", None), ("1 / 0", None), ("2", None))
    write_notebook(folder / "dead.ipynb", ("import os; os._exit(3)", None))
    write_notebook(folder / "empty.ipynb", ("1", None))
    (folder / "broken.ipynb").write_text(json.dumps({"cells": 3}))
    found = outcomes(installer, read_suite(suites_folder, "interop"), tmp_path / "results")
    reasons = {test: (outcome.state.value, outcome.reason) for test, outcome in found.items()}
    assert reasons.pop("broken.ipynb")[0] == "fail"
    assert reasons == {
        "good.ipynb": ("pass", ""),
        "other.ipynb": ("pass", ""),
        "changed.ipynb": ("fail", "cell 2: its output is not the one that is saved"),
        "free.ipynb": ("pass", ""),
        "bad.ipynb": ("fail", "cell 2: ZeroDivisionError: division by zero"),
        "dead.ipynb": ("fail", "the kernel died: Kernel died"),
        "empty.ipynb": ("fail", "no outputs are saved in it that could be compared"),
    }
    log = (tmp_path / "results" / PLATFORM / str(found["changed.ipynb"].log)).read_text()
    assert "[stream stdout] 3" in log


LACKING = """
import os, stat
import pytest

def call(function):
    # Wine writes where pytest does not capture it: to the pipe that pytest has put aside.
    said = f"wine: Call from 00 to unimplemented function {function}, aborting"
    for number in range(3, 30):
        try:
            if stat.S_ISFIFO(os.fstat(number).st_mode):
                os.write(number, said.encode())
        except OSError:
            continue
    os._exit(3)

@pytest.mark.parametrize("number", range(4))
def test_called(number):
    call(f"a.dll.f{number}")

def test_good():
    pass

def test_bad():
    assert False

def test_fault():
    assert False
"""


class Lacking(NativeRunner):
    """Runs the host's platform, and lacks what Wine does."""

    def limitation(self, completed: Completed) -> str | None:
        return WineRunner().limitation(completed)


def test_what_a_runner_lacks_ends_only_the_tests_that_need_it(
    installer: Path, suites_folder: Path, tmp_path: Path
) -> None:
    (suites_folder / "interop" / "test_a.py").write_text(LACKING)
    beginning = LACKING.partition("@")[0]
    (suites_folder / "interop" / "test_b.py").write_text(
        f"{beginning}\ncall('b.dll.g')\ndef test_never(): ...\n"
    )
    with_fault = KnownFailure(suite="interop", test="*::test_fault", runners=("native",), reason="its fault")
    suite = read_suite(suites_folder, "interop")
    found = outcomes(installer, suite, tmp_path / "results", runner=Lacking(), known_failures=(with_fault,))
    assert found["test_a.py::test_bad"].attempts
    assert not found["test_a.py::test_fault"].attempts, "a fault of the runner was tried again"
    assert {name: (outcome.state.value, outcome.reason) for name, outcome in found.items()} == {
        **{
            f"test_a.py::test_called[{number}]": ("not-supported", f"Wine lacks a.dll.f{number}")
            for number in range(4)
        },
        "test_a.py::test_good": ("pass", ""),
        "test_a.py::test_bad": ("fail", "assert False"),
        "test_a.py::test_fault": ("not-supported", "its fault: assert False"),
        "test_b.py": ("not-supported", "Wine lacks b.dll.g"),
        "test_b.py::test_never": ("not-supported", "Wine lacks b.dll.g"),
    }


HUNGRY = """
import subprocess, sys, time

def test_alone():
    pass

def test_hungry():
    block = "x = bytearray(150_000_000); import time; time.sleep(30)"
    children = [subprocess.Popen([sys.executable, "-c", block]) for _ in range(3)]
    for child in children:
        child.wait()

def test_after():
    pass
"""


def test_a_test_may_have_the_memory_of_its_suite(
    installer: Path, suites_folder: Path, tmp_path: Path
) -> None:
    if "pid" not in (strongest_isolation() or ""):
        pytest.skip("needs a host that allows process namespaces")
    folder = suites_folder / "interop"
    (folder / "test_memory.py").write_text(HUNGRY)
    (folder / "suite.yaml").write_text("memory: 300 MB")
    found = outcomes(installer, read_suite(suites_folder, "interop"), tmp_path / "results")
    states = {test.partition("::")[2]: outcome.state.value for test, outcome in found.items()}
    assert states == {"test_alone": "pass", "test_hungry": "fail", "test_after": "pass"}
    reason = found["test_memory.py::test_hungry"].reason
    assert reason.endswith("MB of memory, and its suite allows 300 MB")


class Interrupted(Silent):
    """Ctrl-C after so many units."""

    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, task: str, amount: int = 1, *, note: str = "") -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_a_run_that_was_interrupted_goes_on(installer: Path, suites_folder: Path, tmp_path: Path) -> None:
    folder = suites_folder / "interop"
    for name in "abc":
        path = str(tmp_path / name)
        text = f"def test_{name}():\n    with open({path!r}, 'a') as file:\n        file.write('x')\n"
        (folder / f"test_{name}.py").write_text(text)
    suite = read_suite(suites_folder, "interop").for_packages(PACKAGES)
    plan = Plan(platform=PLATFORM, packages=(), smoke=False, suites=(suite,))

    def run(reporter: Reporter) -> PlatformRun:
        return run_platform(
            plan,
            installer=installer,
            runner=NativeRunner(),
            results=tmp_path / "results",
            reporter=reporter,
            timeout=60,
            kept=KeptUnits(tmp_path / "kept", "1"),
        )

    with pytest.raises(KeyboardInterrupt):
        run(Interrupted(after=1))
    done = run(SILENT)
    assert {outcome.state.value for outcome in done.outcomes} == {"pass"}
    assert int(done.environment["resumed"].split()[0]) in {1, 2, 3}
    assert "x" in {(tmp_path / name).read_text() for name in "abc"}, "at least one ran once in both runs"
    assert "resumed" not in run(SILENT).environment


def test_what_is_above_a_suite_is_no_part_of_it(
    installer: Path, suites_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on Windows and macOS; on Linux, tests may not see such a file.
    monkeypatch.setattr("cuvee.integration.runners.native.strongest_isolation", lambda: None)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    for folder in (temporary, suites_folder):
        (folder / "conftest.py").write_text("raise SystemExit(3)\n")
    (suites_folder / "interop" / "conftest.py").write_text("import pytest\n\npytest.own = True\n")
    (suites_folder / "interop" / "test_a.py").write_text("import pytest\n\ndef test_a(): assert pytest.own\n")
    found = outcomes(installer, read_suite(suites_folder, "interop"), tmp_path / "results")
    assert {test: outcome.state.value for test, outcome in found.items()} == {"test_a.py::test_a": "pass"}

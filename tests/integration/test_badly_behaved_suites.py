"""Tests that hang, fork, fill the disk, print without end, kill or crash, and what becomes of the others."""

import os
import shutil
import subprocess
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

import pytest

from cuvee import platforms
from cuvee.integration.model import Plan
from cuvee.integration.outcomes import PlatformRun
from cuvee.integration.platform_run import run_platform
from cuvee.integration.runners.isolation import strongest_isolation
from cuvee.integration.runners.native import NativeRunner
from cuvee.integration.suite_files import read_suite
from cuvee.progress import SILENT

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(sys.platform != "linux", reason="the native runner's isolation is Linux's"),
]

HOST = platforms.host()
PLATFORM = HOST.name if HOST else "linux-64"
INSTALLER = "#!/bin/sh\nwhile getopts bp: o; do case $o in p) PREFIX=$OPTARG;; *) ;; esac; done\n"

TOKEN = f"hanging-{os.getpid()}"
BAD = {
    "hangs": (
        "import subprocess, sys\n"
        f"    subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)', {TOKEN!r}])"
    ),
    "forks": (
        "import os, signal\n    while True:\n        if os.fork() == 0:\n            signal.pause()\n"
        "            os._exit(0)"
    ),
    "many_files": (
        "import tempfile, pathlib\n    folder = pathlib.Path(tempfile.mkdtemp())\n"
        "    for number in range(100_000):\n        (folder / str(number)).write_bytes(bytes(1_000_000))"
    ),
    "one_file": (
        "with open('large', 'wb') as file:\n        for _ in range(100_000):\n"
        "            file.write(bytes(1_000_000))"
    ),
    "prints": "import sys\n    for _ in range(100_000):\n        sys.stdout.write('x' * 1_000_000)",
    "kills_parent": "import os, signal\n    os.kill(os.getppid(), signal.SIGKILL)",
    "kills_group": "import os, signal\n    os.kill(0, signal.SIGKILL)",
    "crashes": "import ctypes\n    ctypes.string_at(0)",
}


@pytest.fixture(scope="module")
def installer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installer")
    prefix = folder / "prefix"
    uv = shutil.which("uv", path=sysconfig.get_path("scripts")) or shutil.which("uv")
    if uv is None:
        pytest.skip("needs uv")
    for argv in (
        [sys.executable, "-m", "venv", "--without-pip", str(prefix)],
        [uv, "pip", "install", "-q", "--system-certs", "--python", str(prefix), "pytest"],
    ):
        subprocess.run(argv, check=True, capture_output=True)
    path = folder / "Tiny-2026.11.0-Linux.sh"
    path.write_text(f"{INSTALLER}cp -R '{prefix}' \"$PREFIX\"\n")
    return path


@pytest.fixture(scope="module")
def run(installer: Path, tmp_path_factory: pytest.TempPathFactory) -> PlatformRun:
    if "pid" not in (strongest_isolation() or ""):
        pytest.skip("needs a host that allows process namespaces")
    folder = tmp_path_factory.mktemp("suites") / "bad"
    folder.mkdir()
    (folder / "suite.yaml").write_text("{timeout: 40, memory: 2 GB, disk: 50 MB}")
    for name, body in BAD.items():
        text = f"def test_bad():\n    {body}\n\n\ndef test_after():\n    pass\n"
        (folder / f"test_{name}.py").write_text(text)
    return run_platform(
        Plan(
            platform=PLATFORM,
            packages=(),
            smoke=False,
            suites=(read_suite(folder.parent, "bad").for_packages({"pytest"}),),
        ),
        installer=installer,
        runner=NativeRunner(),
        results=tmp_path_factory.mktemp("results"),
        reporter=SILENT,
    )


def test_each_has_an_outcome_of_its_own_and_the_rest_goes_on(run: PlatformRun) -> None:
    found = {outcome.test: outcome for outcome in run.outcomes}
    bad = {name: found[f"test_{name}.py::test_bad"] for name in BAD}
    states = {name: outcome.state.value for name, outcome in bad.items()}
    assert states == {
        "hangs": "timeout",
        "forks": "fail",
        "many_files": "fail",
        "one_file": "fail",
        "prints": "fail",
        "kills_parent": "pass",
        "kills_group": "infra-error",
        "crashes": "fail",
    }, {name: outcome.reason for name, outcome in bad.items()}
    assert bad["forks"].reason.endswith("processes, and a suite may have 500")
    assert "MB of disk space, and its suite allows 50 MB" in bad["many_files"].reason
    # Which limit is seen first depends on the moment: the file's own, or the folder's.
    limits = ("File too large", "MB of disk space, and its suite allows 50 MB")
    assert any(limit in bad["one_file"].reason for limit in limits)
    assert "SIGKILL" in bad["kills_group"].reason
    assert "SIGSEGV" in bad["crashes"].reason
    after = {name: found[f"test_{name}.py::test_after"].state.value for name in BAD}
    assert after == dict.fromkeys(BAD, "pass")


def test_nothing_is_left_running(run: PlatformRun) -> None:
    assert run.outcomes
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            assert TOKEN.encode() not in (process / "cmdline").read_bytes()

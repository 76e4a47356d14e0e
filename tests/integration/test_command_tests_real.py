"""Commands of projects of the Python index whose ways of answering once counted as failures."""

import shutil
import subprocess
import sys
import sysconfig

import pytest

from cuvee.integration.model import PackagePlan, Plan
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.platform_run import run_platform
from cuvee.integration.runners.native import NativeRunner
from cuvee.progress import SILENT

pytestmark = [pytest.mark.real, pytest.mark.skipif(sys.platform != "linux", reason="the runner is Linux's")]

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
COMMANDS = {
    "awscli": ("aws_bash_completer", "aws_completer", "aws_zsh_completer.sh"),
    "mcp": ("mcp",),
    "httpx": ("httpx",),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TestOutcome]:
    folder = tmp_path_factory.mktemp("commands")
    prefix = folder / "prefix"
    uv = shutil.which("uv", path=sysconfig.get_path("scripts")) or shutil.which("uv")
    if uv is None:
        pytest.skip("needs uv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(prefix)], check=True)
    argv = [uv, "pip", "install", "-q", "--system-certs", "--python", str(prefix), *COMMANDS]
    subprocess.run(argv, check=True, capture_output=True)
    installer = folder / "Tiny-Linux.sh"
    installer.write_text(INSTALLER.format(source=prefix))
    packages = tuple(
        PackagePlan(name=name, version="1", commands=commands, distributions=(name,))
        for name, commands in COMMANDS.items()
    )
    run = run_platform(
        Plan(platform="linux-64", packages=packages),
        installer=installer,
        runner=NativeRunner(),
        results=folder / "results",
        reporter=SILENT,
    )
    return {outcome.test: outcome for outcome in run.outcomes}


@pytest.mark.parametrize(
    ("command", "state", "reason"),
    [
        ("aws_completer", OutcomeState.PASS, ""),
        ("aws_bash_completer", OutcomeState.NOT_SUPPORTED, "no #! line"),
        ("aws_zsh_completer.sh", OutcomeState.NOT_SUPPORTED, "no #! line"),
        ("mcp", OutcomeState.NOT_SUPPORTED, "mcp[cli], which needs "),
        ("httpx", OutcomeState.NOT_SUPPORTED, "httpx[cli], which needs "),
    ],
)
def test_the_command_is_judged_fairly(
    outcomes: dict[str, TestOutcome], command: str, state: OutcomeState, reason: str
) -> None:
    found = outcomes[f"command:{command}"]
    assert found.state is state, found.reason
    assert reason in found.reason


def test_metadata_of_these_projects_hold_except_for_the_version(outcomes: dict[str, TestOutcome]) -> None:
    for name in COMMANDS:
        assert outcomes[f"metadata:{name}"].reason.endswith("but 1 is locked")

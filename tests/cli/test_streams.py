"""Exit codes do not depend on who reads the output, but on whether it can be written."""

import os
import sys

import pytest

from cuvee import process
from needed_programs import HANGING, need

pytestmark = pytest.mark.real


def run(redirection: str, *arguments: str) -> process.Completed:
    """Run cuvee with streams that bash redirects."""
    need("bash")
    command = f'"$@" {redirection}; exit ${{PIPESTATUS[0]}}'
    argv = ("bash", "-c", command, "bash", sys.executable, "-m", "cuvee", *arguments)
    return process.run(process.Request(argv=argv, environment=dict(os.environ), timeout=HANGING))


@pytest.mark.parametrize(
    "redirection", ["| true", "| head -n 1", ">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full"]
)
def test_output_without_a_reader(redirection: str) -> None:
    assert run(redirection, "check", "--list").exit_code == 0
    assert run(redirection, "show", "nowhere.yaml").exit_code == 2


def test_output_that_cannot_be_written() -> None:
    done = run(">/dev/full", "check", "--list")
    assert done.exit_code == 6
    assert done.stderr == "Error: The output cannot be written: No space left on device.\n"
    assert run(">/dev/full", "show", "nowhere.yaml").exit_code == 2

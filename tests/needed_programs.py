"""What tests need of the machine. A test that needs what is not here is skipped, with the way to get it.

`script/system-packages` is the one list of programs and the Debian packages that bring them.
"""

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

LIST = Path(__file__).parents[1] / "script" / "system-packages"

HANGING = 1800
"""Seconds after which a program that a test runs is taken to hang; no machine is as slow as that."""


@cache
def packages() -> dict[str, str]:
    """Return the Debian packages that bring each program, as the arguments of apt-get."""
    lines = (line.split(maxsplit=1) for line in LIST.read_text().splitlines() if not line.startswith("#"))
    return {program: names.strip() for program, names in lines}


def missing(*programs: str) -> str:
    """Return why a test that needs these programs is skipped, or "" if all are on PATH."""
    for program in programs:
        if shutil.which(program) is None:
            found = packages().get(program)
            return f"needs {program}: apt-get install {found}" if found else f"needs {program}"
    return ""


def need(*programs: str) -> None:
    """Skip the test unless all programs are on PATH."""
    if reason := missing(*programs):
        pytest.skip(reason)


def needs(*programs: str) -> pytest.MarkDecorator:
    """Return the mark that skips tests unless all programs are on PATH."""
    reason = missing(*programs)
    return pytest.mark.skipif(bool(reason), reason=reason or "needs nothing that is missing")


def needed(program: str) -> str:
    """Return the path of a program; skip the test if it is not on PATH."""
    need(program)
    path = shutil.which(program)
    assert path is not None
    return path


def need_shell_that_searches_path(*shell: str) -> None:
    """Skip the test if the shell has a `uname` of its own, as busybox may, and would not run one on PATH."""
    need(shell[0])
    done = subprocess.run(
        [*shell, "-c", "command -v uname"], capture_output=True, check=False, timeout=HANGING
    )
    if not done.stdout.startswith(b"/"):
        pytest.skip(f"needs a {shell[0]} that runs the programs on PATH, as Debian's package {shell[0]} does")


def need_root(purpose: str = "") -> None:
    """Skip the test unless it is run by root."""
    if os.geteuid() != 0:
        pytest.skip(f"needs root{purpose and ', '}{purpose}")


def skipped_lines(reasons: Iterable[str]) -> list[str]:
    """Return the table of what was skipped: how many tests, and what would bring them."""
    counted = Counter(reason.removeprefix("Skipped: ") for reason in reasons)
    return [f"{count:5}  {reason}" for reason, count in sorted(counted.items(), key=lambda x: (-x[1], x[0]))]

"""Which limits of a runner make tests of pytest fail: functions and libraries that it does not have."""

import re
from dataclasses import replace

from cuvee.integration.runners.protocol import Runner
from cuvee.process import Completed

# https://docs.python.org/3/library/exceptions.html#ImportError, as Python words it on Windows
_NOT_LOADED = re.compile(r"DLL load failed while importing (\w+)")


def limit_of_test(runner: Runner, detail: str, completed: Completed) -> str | None:
    """Return which limit of the runner made a test fail; `None` when the release did.

    What counts is what the test itself has printed, and its programs. Of what the whole process has printed,
    only lines about a library that the test could not load count.

    Parameters
    ----------
    detail
        What pytest reports of the test.
    """
    libraries = [f"\\{name}." for name in _NOT_LOADED.findall(detail)]
    lines = [line for line in completed.stderr.splitlines() if any(name in line for name in libraries)]
    return runner.limitation(replace(completed, stdout=detail, stderr="\n".join(lines)))

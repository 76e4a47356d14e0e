"""Keeping a program away from the network, as far as this host allows: Linux namespaces.

See namespaces(7), and ``inside/isolate.py``, which enters them.
"""

import sys
from functools import cache
from pathlib import Path

from cuvee import process
from cuvee.process import Request

_ISOLATE = Path(__file__).parents[1] / "inside" / "isolate.py"
_LEVELS = ("net,pid", "net,pid,user", "net", "net,user")


def isolation_command(level: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", str(_ISOLATE), level)


@cache
def strongest_isolation() -> str | None:
    """Give the strongest isolation that this host allows, by trying; `None` when it allows none."""
    if sys.platform != "linux":
        return None
    for level in _LEVELS:
        argv = (*isolation_command(level), sys.executable, "-I", "-S", "-c", "")
        if process.run(Request(argv=argv, environment={}, timeout=20)).ok:
            return level
    return None


def network_isolation() -> tuple[str, ...]:
    """Give what to put before a command so that it has no network, and children may outlive it."""
    level = strongest_isolation()
    return (
        ()
        if level is None
        else isolation_command(",".join(flag for flag in level.split(",") if flag != "pid"))
    )

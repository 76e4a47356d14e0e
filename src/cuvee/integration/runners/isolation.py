"""Isolation of a program from the network, as far as this host allows it: Linux namespaces.

See https://man7.org/linux/man-pages/man7/namespaces.7.html, and ``inside/isolate.py``, which enters them.
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
    """Return the strongest isolation that this host allows, by trying; `None` when it allows none."""
    if sys.platform != "linux":
        return None
    for level in _LEVELS:
        argv = (*isolation_command(level), sys.executable, "-I", "-S", "-c", "")
        if process.run(Request(argv=argv, environment={}, timeout=20)).ok:
            return level
    return None


def network_isolation() -> tuple[str, ...]:
    """Return what to prefix a command with so that it has no network; its children may outlive it."""
    level = strongest_isolation()
    return () if level is None else isolation_command(level.replace(",pid", ""))


def network_note() -> str:
    return "none but loopback" if network_isolation() else "not kept away"

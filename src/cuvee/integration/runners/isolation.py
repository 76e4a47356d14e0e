"""Isolation of a program from the network and from files, as far as this host allows it: Linux namespaces.

See https://man7.org/linux/man-pages/man7/namespaces.7.html, and ``inside/isolate.py``, which enters them.
"""

import json
import sys
from functools import cache
from pathlib import Path

from cuvee import process
from cuvee.integration.runners.protocol import Sandbox
from cuvee.process import Request

ISOLATE = Path(__file__).parents[1] / "inside" / "isolate.py"
LEVELS = ("net,pid,files", "net,pid,files,user", "net,pid", "net,pid,user", "net", "net,user")
"""The strongest first; ``user`` is how a user who is not root gets the others."""


def isolation_command(
    level: str, sandbox: Sandbox | None = None, *, root: Path | None = None
) -> tuple[str, ...]:
    """Return what to prefix a command with; of the files it sees what its sandbox says.

    ``root`` is a folder with another Linux system, in which the command then runs, see ``isolate.py``.
    """
    files: dict[str, list[str] | str | None] = {"writable": [], "readonly": [], "hidden": [], "root": None}
    flags = level.split(",")
    if sandbox is not None and "files" in flags:
        files["writable"] = [str(sandbox.home.parent)]
        files["readonly"] = [str(path) for path in sandbox.readonly if path.is_dir()]
        files["hidden"] = [str(path) for path in sandbox.hidden]
        files["root"] = str(root) if root is not None else None
    if sandbox is not None and sandbox.network:
        flags.remove("net")
    limits = {
        "memory": sandbox.memory if sandbox is not None else None,
        "disk": sandbox.disk if sandbox is not None else None,
        "folders": [str(path) for path in sandbox.watched] if sandbox is not None else [],
        "processes": sandbox.processes if sandbox is not None else None,
    }
    argv = (sys.executable, "-I", "-S", str(ISOLATE))
    return (*argv, ",".join(flags), json.dumps(files), json.dumps(limits))


@cache
def strongest_isolation() -> str | None:
    """Return the strongest isolation that this host allows, by trying; `None` when it allows none.

    Only one with ``files`` keeps programs from the publisher's key and from what is released.
    """
    if sys.platform != "linux":
        return None
    for level in LEVELS:
        argv = (*isolation_command(level), sys.executable, "-I", "-S", "-c", "")
        if process.run(Request(argv=argv, environment={}, timeout=20)).ok:
            return level
    return None


def network_isolation(sandbox: Sandbox | None = None) -> tuple[str, ...]:
    """Return what to prefix a command with so that it has no network; its children may outlive it."""
    level = None if sandbox is not None and sandbox.network else strongest_isolation()
    return () if level is None else isolation_command(level.replace(",pid", "").replace(",files", ""))


def network_note() -> str:
    """Return what the report says of the network."""
    return "none but loopback" if network_isolation() else "not kept away"


def limits_note(level: str | None) -> str:
    """Return what the report says of the limits of a suite's programs."""
    if level is not None and "pid" in level:
        return "time, memory, disk space, number of processes, output"
    return "time and output; others need process namespaces, which this host or runner does not have"


def files_note(level: str | None) -> str:
    """Return what the report says of the files that programs can reach."""
    if level is not None and "files" in level:
        return "read-only but for the test's own folder; the release folder and the signing key are hidden"
    return "not kept away: programs of packages may read and write what the user who cuts the release may"

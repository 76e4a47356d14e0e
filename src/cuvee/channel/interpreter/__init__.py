"""Packing CPython interpreters as the conda package `python`, one per platform, all of one minor version.

The host's platform gets the interpreter that runs cuvee; Windows the embeddable build that the Python index
carries; the other Linux machine Debian's packages, where the host has apt. Nothing here runs foreign code.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from cuvee import platforms as known
from cuvee.channel.interpreter.debian import pack_debian
from cuvee.channel.interpreter.host import base_executable, host_tree, probe
from cuvee.channel.interpreter.layout import lay_out, source_files
from cuvee.channel.interpreter.model import LinuxTree, minor_of
from cuvee.channel.interpreter.selftest import check_layout
from cuvee.channel.interpreter.store import keep, recall, source_key, stamps
from cuvee.channel.interpreter.windows import pack_windows
from cuvee.channel.model import Absent, Interpreter
from cuvee.files import sha256_file
from cuvee.progress import Reporter

__all__ = ["pack_interpreters"]

_CHANNEL_HINT = "Use a channel that carries python for it, such as conda-forge."


def pack_interpreters(
    platforms: Sequence[str], *, cache: Path, reporter: Reporter, executable: Path | None = None
) -> tuple[Interpreter | Absent, ...]:
    """Pack an interpreter for each platform, all of the minor version of the one that runs cuvee.

    Parameters
    ----------
    platforms
        Names of platforms; the result has one entry for each, in the same order.
    cache
        Archives are kept below ``cache/interpreters``; what was packed from an unchanged source is reused.
    executable
        Pack this interpreter instead of the one that runs cuvee.

    Raises
    ------
    SourceUnreachableError
        If the index or the archive of Debian's packages can not be reached.
    IntegrityError
        If a download is not what its pinned hash or its signature promises.
    CuveeError
        If the packed interpreter does not work.
    """
    folder = cache / "interpreters"
    probed = probe(executable or base_executable())
    host = known.host()
    results: list[Interpreter | Absent] = []
    for name in platforms:
        platform = known.get(name)
        task = f"interpreter {name}"
        reporter.start(task)
        result: Interpreter | Absent
        if platform == host and platform.system == "linux":
            tree = host_tree(name, probed, os.environ)
            result = tree if isinstance(tree, Absent) else _pack_host(tree, folder, reporter)
        elif platform.system == "win":
            result = pack_windows(name, minor_of(probed.version), cache=folder, reporter=reporter)
        elif platform.system == "linux":
            result = pack_debian(name, minor_of(probed.version), cache=folder, reporter=reporter)
        else:
            result = Absent(
                platform=name,
                reason="no source of a macOS interpreter is reachable from this machine",
                hint=_CHANNEL_HINT,
            )
        results.append(result)
        reporter.finish(task, note=result.reason if isinstance(result, Absent) else result.origin)
    return tuple(results)


def _pack_host(tree: LinuxTree, cache: Path, reporter: Reporter) -> Interpreter:
    sources = source_files(tree)
    key = source_key(tree.platform, [tree.version, sha256_file(tree.executable), stamps(sources)])
    known_one = recall(cache, key)
    if known_one is not None:
        return known_one
    layout = lay_out(tree)
    for line in layout.dropped:
        reporter.warn(f"{tree.platform}: left out {line}")
    check_layout(layout, cache)
    return keep(cache, key, layout)

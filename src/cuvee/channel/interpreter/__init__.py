"""Packing CPython interpreters as the conda package `python`, one per platform, all of one minor version.

The host's platform gets the interpreter that runs cuvee; Windows the embeddable build on the Python index;
the other Linux architecture Debian's packages, if the host has apt. Nothing here runs foreign code.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from cuvee import platforms as known
from cuvee.channel.interpreter.compiled_library import LibraryCompiler
from cuvee.channel.interpreter.debian_packages import pack_debian
from cuvee.channel.interpreter.embeddable_build import pack_windows
from cuvee.channel.interpreter.host_interpreter import (
    InterpreterDescription,
    base_executable,
    host_tree,
    probe,
)
from cuvee.channel.interpreter.interpreter_cache import load, save, source_key, stamps
from cuvee.channel.interpreter.linux_package import linux_content, source_files
from cuvee.channel.interpreter.model import LinuxTree, minor_of
from cuvee.channel.interpreter.selftest import check_content
from cuvee.channel.model import Absent, Interpreter
from cuvee.files import sha256_file
from cuvee.platforms import Platform
from cuvee.progress import Reporter

__all__ = ["pack_interpreters"]

_CHANNEL_HINT = "Use a channel that carries python for it, such as conda-forge."


def pack_interpreters(
    platforms: Sequence[str],
    *,
    cache: Path,
    reporter: Reporter,
    executable: Path | None = None,
    found: Callable[[str, str], None] = lambda *_: None,
) -> tuple[Interpreter | Absent, ...]:
    """Pack an interpreter for each platform, all of the minor version of the one that runs cuvee.

    The result has one entry for each platform, in the same order. Archives are in ``cache/interpreters``, and
    those of unchanged sources are reused.

    Parameters
    ----------
    executable
        What is packed instead of the one that runs cuvee.
    found
        Called in a thread with a platform and the full version of its interpreter, as soon as that is known.

    Raises
    ------
    SourceUnreachableError
        If the index or the archive of Debian's packages cannot be reached.
    IntegrityError
        If a download does not match its pinned hash or its signature.
    CuveeError
        If the packed interpreter does not work.
    """
    probed = probe(executable or base_executable())
    compiler = LibraryCompiler(
        executable=probed.executable, version=probed.version, cache=cache, reporter=reporter
    )

    def one(name: str) -> Interpreter | Absent:
        task = f"interpreter {name}"
        reporter.start(task)
        tell = partial(found, name)
        result = _pack(known.get(name), probed, compiler, cache / "interpreters", reporter, tell=tell)
        if isinstance(result, Interpreter):
            tell(result.version)
        reporter.finish(task, note=result.reason if isinstance(result, Absent) else result.origin)
        return result

    # Each waits for something else: a self-test, Debian's archive, the index.
    with ThreadPoolExecutor(max(1, len(platforms)), thread_name_prefix="interpreter") as pool:
        return tuple(pool.map(one, platforms))


def _pack(
    platform: Platform,
    probed: InterpreterDescription,
    compiler: LibraryCompiler,
    cache: Path,
    reporter: Reporter,
    *,
    tell: Callable[[str], None],
) -> Interpreter | Absent:
    minor = minor_of(probed.version)
    if platform.system == "win":
        return pack_windows(platform.name, minor, cache=cache, reporter=reporter, tell=tell)
    if platform.system == "linux" and platform == known.host():
        tree = host_tree(platform.name, probed, os.environ)
        if isinstance(tree, Absent):
            return tree
        tell(tree.version)
        return _pack_host(tree, compiler, cache, reporter)
    if platform.system == "linux":
        return pack_debian(platform.name, minor, compiler=compiler, cache=cache, reporter=reporter, tell=tell)
    return Absent(
        platform=platform.name,
        reason="no source of a macOS interpreter is reachable from this machine",
        hint=_CHANNEL_HINT,
    )


def _pack_host(tree: LinuxTree, compiler: LibraryCompiler, cache: Path, reporter: Reporter) -> Interpreter:
    sources = source_files(tree)
    key = source_key(tree.platform, [tree.version, sha256_file(tree.executable), stamps(sources)])
    if (cached := load(cache, key, reporter)) is not None:
        return cached
    content = compiler.compiled(linux_content(tree))
    for line in content.dropped:
        reporter.warn(f"{tree.platform}: left out {line}")
    check_content(content, cache)
    return save(cache, key, content)

"""The oldest glibc that runs what was built here: compilers bind to the newest symbols that this machine has.

``depends`` says it, so that solvers see it before a loader does:
https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-virtual.html
"""

import re
from collections.abc import Iterable, Sequence

from cuvee.channel.inspection.binary_reader import MAGIC_BYTES, format_of, read_binary
from cuvee.channel.package_writer import PackageFile
from cuvee.conda.match_spec import read_spec

_NAME = "__glibc"
_VERSION = re.compile(r"GLIBC_(\d+(?:\.\d+)+)")
_RELR, _WITH_RELR = "GLIBC_ABI_DT_RELR", (2, 36)
"""A feature of the loader since glibc 2.36, required like a symbol version."""


def glibc_floor(files: Iterable[PackageFile]) -> str:
    """Return the newest version of glibc whose symbols ELF files require; "" if they require none."""
    found = [
        version
        for file in files
        if file.link_target is None
        for wanted in _required(file)
        if (version := _parsed(wanted)) is not None
    ]
    return ".".join(map(str, max(found))) if found else ""


def with_glibc(depends: Sequence[str], least: str) -> list[str]:
    """Return dependencies with that on glibc, unless they state it already."""
    spec = f"{_NAME} >={least}"
    if not least or any(read_spec(item).name == _NAME and _states(item, least) for item in depends):
        return list(depends)
    return sorted([*depends, spec])


def _states(spec: str, least: str) -> bool:
    """Whether a dependency on glibc allows nothing older than ``least``."""
    stated = re.search(r">=\s*(\d+(?:\.\d+)*)", spec)
    return stated is not None and _numbers(stated[1]) >= _numbers(least)


def _required(file: PackageFile) -> Iterable[str]:
    content = file.content
    if isinstance(content, bytes):
        head = content[:MAGIC_BYTES]
    else:
        with content.open("rb") as stream:
            head = stream.read(MAGIC_BYTES)
    if format_of(head) != "elf":
        return ()
    return [
        wanted.version
        for binary in read_binary(file.path, "elf", content)
        for wanted in binary.required_versions
    ]


def _parsed(symbol: str) -> tuple[int, ...] | None:
    if symbol == _RELR:
        return _WITH_RELR
    match = _VERSION.fullmatch(symbol)
    return _numbers(match[1]) if match is not None else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))

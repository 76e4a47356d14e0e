"""Reading and relocating ELF files with lief.

A packed interpreter finds its libraries through one DT_RPATH, that of its executable: unlike DT_RUNPATH it
also applies to the modules and libraries that the process loads later, so nothing else is rewritten.
Folders of the build machine are removed from the other files in place.

- https://man7.org/linux/man-pages/man8/ld.so.8.html
- https://gabi.xinuos.com/elf/08-dynamic.html (dynamic section)
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.errors import IntegrityError
from cuvee.process import Request, run
from cuvee.temporary_folders import temporary_folder

if TYPE_CHECKING:
    import lief

_GLIBC = re.compile(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Elf:
    """The parts of the dynamic section that the loader uses.

    ``runpath`` has the folders of DT_RUNPATH or DT_RPATH, ``$ORIGIN`` as written; ``glibc`` is the newest
    version that one of its symbols requires, (0, 0) for none.
    """

    machine: str
    needed: tuple[str, ...]
    runpath: tuple[str, ...]
    glibc: tuple[int, int]


def is_elf(path: Path) -> bool:
    """Whether a file begins like an ELF file."""
    with path.open("rb") as stream:
        return stream.read(4) == b"\x7fELF"


def read(path: Path) -> Elf:
    """Read the dynamic section of a file.

    Raises
    ------
    IntegrityError
        If it is not an ELF file.
    """
    binary = _parse(path)
    search_path = _search_path(binary)
    return Elf(
        machine=binary.header.machine_type.name,
        needed=tuple(str(name) for name in binary.libraries),
        runpath=tuple(search_path.split(":")) if search_path else (),
        glibc=max(map(glibc_version, _required_versions(binary)), default=(0, 0)),
    )


def glibc_version(symbol: str) -> tuple[int, int]:
    """Return (2, 34) for ``GLIBC_2.34``; (0, 0) for versions of other libraries."""
    if symbol == "GLIBC_ABI_DT_RELR":  # a feature of the loader since glibc 2.36
        return (2, 36)
    match = _GLIBC.fullmatch(symbol)
    return (int(match[1]), int(match[2])) if match else (0, 0)


@contextmanager
def without_debugging(path: Path) -> Iterator[Path]:
    """Yield the file without debugging symbols, if it has any and ``strip`` is installed; else itself.

    They are most of the size of an interpreter that was built locally.
    """
    tool = shutil.which("strip")
    if tool is None or not _parse(path).has_section(".debug_info"):
        yield path
        return
    with temporary_folder("elf") as folder:
        lean = folder / path.name
        argv = (tool, "--strip-debug", "-o", str(lean), str(path))
        completed = run(Request(argv=argv, timeout=120))
        yield lean if completed.ok else path


def with_rpath(path: Path, rpath: str) -> bytes:
    """Return the content of an executable with ``rpath`` as its DT_RPATH."""
    import lief

    binary = _parse(path, whole=True)
    for tag in (lief.ELF.DynamicEntry.TAG.RUNPATH, lief.ELF.DynamicEntry.TAG.RPATH):
        if binary.has(tag):
            binary.remove(tag)
    binary.add(lief.ELF.DynamicEntryRpath(rpath))
    with temporary_folder("elf") as folder:
        written = folder / "elf"
        binary.write(os.fspath(written))
        return written.read_bytes()


def with_runpath(path: Path, runpath: str) -> bytes:
    """Return the content of a file with another search path.

    The path is overwritten in place, so that nothing else in the file moves, unless it is too short or other
    names share its end (linkers merge the ends of strings).
    """
    import lief

    binary = _parse(path)
    tags = lief.ELF.DynamicEntry.TAG
    entry, names = binary.get(tags.RUNPATH) or binary.get(tags.RPATH), binary.get(tags.STRTAB)
    start = binary.virtual_address_to_offset(names.value) if names else None
    old = _search_path(binary).encode()
    if entry is None or not isinstance(start, int) or len(runpath) > len(old):
        return with_rpath(path, runpath)
    content, at = path.read_bytes(), start + entry.value
    changed = content[:at] + runpath.encode().ljust(len(old), b"\0") + content[at + len(old) :]
    after = lief.ELF.parse(list(changed))
    if after is None or _search_path(after) != runpath or _names(after) != _names(binary):
        return with_rpath(path, runpath)
    return changed


def without_prefix(content: bytes, prefix: str) -> bytes:
    """Return an interpreter's code without the fallback to the prefix that it was built for.

    It finds its prefix from its own path; without a standard library there it would look in the old prefix,
    which on another machine may belong to another user. Only the first name of the constant changes, to one
    that does not exist: its end may be shared with another constant, such as the version of ``/opt/3.11.7``.
    """
    top, *rest = prefix.lstrip("/").split("/")
    if not rest or prefix.startswith("/usr/"):
        return content
    nowhere = "/".join(("", "0" * len(top.encode()), *rest))
    return content.replace(f"\0{prefix}\0".encode(), f"\0{nowhere}\0".encode())


def _names(binary: "lief.ELF.Binary") -> list[str]:
    """Return all names in the string table of a file, besides its search path."""
    return [
        *map(str, binary.libraries),
        *(str(item.name) for item in binary.symbols_version_requirement),
        *_required_versions(binary),
        *(str(symbol.name) for symbol in binary.dynamic_symbols),
        *(str(entry) for entry in binary.dynamic_entries if "PATH" not in entry.tag.name),
    ]


def _required_versions(binary: "lief.ELF.Binary") -> list[str]:
    requirements = binary.symbols_version_requirement
    return [str(symbol.name) for item in requirements for symbol in item.get_auxiliary_symbols()]


def _search_path(binary: "lief.ELF.Binary") -> str:
    import lief

    tags = lief.ELF.DynamicEntry.TAG
    for tag in (tags.RUNPATH, tags.RPATH):
        entry = binary.get(tag) if binary.has(tag) else None
        if isinstance(entry, lief.ELF.DynamicEntryRunPath):
            return str(entry.runpath)
        if isinstance(entry, lief.ELF.DynamicEntryRpath):
            return str(entry.rpath)
    return ""


def _parse(path: Path, *, whole: bool = False) -> "lief.ELF.Binary":
    import lief

    lief.logging.disable()  # it would write to the terminal
    config = lief.ELF.ParserConfig()
    if not whole:
        config.parse_relocations = config.parse_notes = config.parse_overlay = False
        config.parse_symtab_symbols = False
    binary = lief.ELF.parse(os.fspath(path), config)
    if binary is None:
        raise IntegrityError(f"{path} is not an ELF file that can be read")
    return binary

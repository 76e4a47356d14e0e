"""Reading and relocating ELF files, on lief.

A packed interpreter finds its libraries through one DT_RPATH, that of its executable: unlike DT_RUNPATH it
also serves the modules and libraries that the process loads later (ld.so(8)), so nothing else is rewritten.
Folders of the machine that it came from are taken out of the other files in place.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.errors import IntegrityError
from cuvee.process import Request, run

if TYPE_CHECKING:
    import lief

_MAGIC = b"\x7fELF"
_GLIBC = re.compile(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Elf:
    """What the loader reads of a file.

    Attributes
    ----------
    needed
        Names of the libraries that it is linked with.
    runpath
        Where it looks for them first, from DT_RUNPATH or DT_RPATH, ``$ORIGIN`` as written.
    glibc
        The newest version of glibc that one of its symbols asks for, (0, 0) for none.
    """

    machine: str
    needed: tuple[str, ...]
    runpath: tuple[str, ...]
    glibc: tuple[int, int]


def is_elf(path: Path) -> bool:
    """Whether a file begins as ELF files do."""
    with path.open("rb") as stream:
        return stream.read(4) == _MAGIC


def read(path: Path) -> Elf:
    """Read the dynamic section of a file.

    Raises
    ------
    IntegrityError
        If it is no ELF file.
    """
    binary = _parse(path)
    versions = [
        glibc_version(str(symbol.name))
        for requirement in binary.symbols_version_requirement
        for symbol in requirement.get_auxiliary_symbols()
    ]
    return Elf(
        machine=binary.header.machine_type.name,
        needed=tuple(str(name) for name in binary.libraries),
        runpath=tuple(_search_path(binary).split(":")) if _search_path(binary) else (),
        glibc=max(versions, default=(0, 0)),
    )


def glibc_version(symbol: str) -> tuple[int, int]:
    """Give (2, 34) for ``GLIBC_2.34``; (0, 0) for versions of other libraries."""
    if symbol == "GLIBC_ABI_DT_RELR":  # not a version but a feature, which came with 2.36
        return (2, 36)
    match = _GLIBC.fullmatch(symbol)
    return (int(match[1]), int(match[2])) if match else (0, 0)


@contextmanager
def without_debugging(path: Path) -> Iterator[Path]:
    """Give the file without debugging symbols, if it has any and binutils' ``strip`` is there; else itself.

    They are most of the size of an interpreter that was built by hand, and change nothing that it does.
    """
    tool = shutil.which("strip")
    if tool is None or not _parse(path).has_section(".debug_info"):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        lean = Path(folder, path.name)
        argv = (tool, "--strip-debug", "-o", str(lean), str(path))
        completed = run(Request(argv=argv, timeout=120))
        yield lean if completed.ok else path


def with_rpath(path: Path, rpath: str) -> bytes:
    """Give the content of an executable that looks in ``rpath`` first, for all libraries that it loads."""
    import lief

    binary = _parse(path, whole=True)
    for tag in (lief.ELF.DynamicEntry.TAG.RUNPATH, lief.ELF.DynamicEntry.TAG.RPATH):
        if binary.has(tag):
            binary.remove(tag)
    binary.add(lief.ELF.DynamicEntryRpath(rpath))
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, "elf")
        binary.write(os.fspath(written))
        return written.read_bytes()


def with_runpath(path: Path, runpath: str) -> bytes:
    """Give the content of a file with another search path in place of its own.

    Where the old one is as long, it is overwritten in place: nothing else moves, so nothing else can break.

    Raises
    ------
    IntegrityError
        If the file has no search path, or something else shares its bytes.
    """
    import lief

    binary = _parse(path)
    old = _search_path(binary).encode()
    tags = lief.ELF.DynamicEntry.TAG
    entry = binary.get(tags.RUNPATH) or binary.get(tags.RPATH)
    names = binary.get(tags.STRTAB)
    start = binary.virtual_address_to_offset(names.value) if names else None
    if entry is None or not isinstance(start, int):
        raise IntegrityError(f"{path} has no search path that could be replaced")
    if len(runpath) > len(old):
        return with_rpath(path, runpath)
    content, at = path.read_bytes(), start + entry.value
    if content[at : at + len(old) + 1] != old + b"\0":
        raise IntegrityError(f"The search path of {path} is not where its dynamic section says")
    changed = content[:at] + runpath.encode().ljust(len(old), b"\0") + content[at + len(old) :]
    if _names(lief.ELF.parse(list(changed))) != _names(binary):
        raise IntegrityError(f"The search path of {path} shares its bytes with another name")
    return changed


def _names(binary: "lief.ELF.Binary | None") -> list[str]:
    if binary is None:
        return []
    return [*map(str, binary.libraries), *(str(symbol.name) for symbol in binary.dynamic_symbols)]


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

    lief.logging.disable()  # it would write to the terminal by itself
    config = lief.ELF.ParserConfig()
    if not whole:
        config.parse_relocations = config.parse_notes = config.parse_overlay = False
        config.parse_symtab_symbols = False
    binary = lief.ELF.parse(os.fspath(path), config)
    if binary is None:
        raise IntegrityError(f"{path} is not an ELF file that can be read")
    return binary

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
    """Give the content of a file that has a search path, with another one in its place.

    It is overwritten where it stands, since then nothing else moves and nothing can break; unless it is too
    short, or other names are part of it (linkers share the ends of strings).
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
    """Give an interpreter's code that does not fall back on the prefix that it was built for.

    It finds its prefix by its own place; without a standard library there it would look in the old one, which
    on another machine may be somebody else's folder. Only the first name of the constant changes, to one that
    no machine has: its end may serve as another constant, such as the version of ``/opt/3.11.7``.
    """
    top, *rest = prefix.lstrip("/").split("/")
    if not rest or prefix.startswith("/usr/"):
        return content
    nowhere = "/".join(("", "0" * len(top.encode()), *rest))
    return content.replace(f"\0{prefix}\0".encode(), f"\0{nowhere}\0".encode())


def _names(binary: "lief.ELF.Binary") -> list[str]:
    """Give all names that a file shares its string table with."""
    requirements = list(binary.symbols_version_requirement)
    versions = [str(symbol.name) for item in requirements for symbol in item.get_auxiliary_symbols()]
    symbols = [str(symbol.name) for symbol in binary.dynamic_symbols]
    entries = [str(entry) for entry in binary.dynamic_entries if "PATH" not in entry.tag.name]
    return [
        *map(str, binary.libraries),
        *(str(item.name) for item in requirements),
        *versions,
        *symbols,
        *entries,
    ]


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

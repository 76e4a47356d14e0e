"""Reading programs and libraries: ELF, Mach-O and PE, as far as a loader reads them.

lief parses the formats. A file that it refuses is reported, never raised: archives have broken ones, such as
the data of tests.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.channel.inspection.model import Binary, Format, SymbolVersion
from cuvee.conda.printable_text import printable

if TYPE_CHECKING:
    import lief

MAGIC_BYTES = 8
"""Bytes at the start of a file that tell whether it is a program or library."""

_ELF = b"\x7fELF"
_MACHO = frozenset(bytes.fromhex(magic) for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe"))
_MACHO_FAT = frozenset(bytes.fromhex(magic) for magic in ("cafebabe", "cafebabf"))
_MOST_MACHINES = 40
# Java's class files begin with the same magic; where fat Mach-O files count machines, they have a number from
# 45 on: https://docs.oracle.com/javase/specs/jvms/se21/html/jvms-4.html

_MACHINES = {
    "AMD64": "x86_64",
    "X86_64": "x86_64",
    "I386": "x86",
    "X86": "x86",
    "ARM64": "aarch64",
    "AARCH64": "aarch64",
}
_WINDOWS_SUFFIXES = (".dll", ".exe", ".pyd")
_WEAK = 2  # VER_FLG_WEAK of elf.h: the loader only warns if the version is missing
_LEVELS = {"V2": 2, "V3": 3, "V4": 4}
_PATH_END = re.compile(r"[\x00]+$")


def format_of(head: bytes) -> Format | None:
    """Return the format of a program or library from its first bytes; `None` for any other file."""
    if head.startswith(_ELF):
        return "elf"
    if head.startswith(b"MZ"):
        return "pe"
    magic, count = head[:4], int.from_bytes(head[4:8], "big")
    if magic in _MACHO or (magic in _MACHO_FAT and 0 < count < _MOST_MACHINES):
        return "macho"
    return None


def read_binary(path: str, kind: Format, content: bytes | Path) -> tuple[Binary, ...]:
    """Read one file; return nothing if no loader would load it, such as an object file.

    Parameters
    ----------
    path
        The path in the result.
    content
        The whole file, or where it is on disk, from which lief reads without a second copy in memory.
    """
    import lief

    lief.logging.disable()  # it writes to the terminal
    try:
        return tuple({"elf": _elf, "macho": _macho, "pe": _pe}[kind](path, content))
    except Exception as error:  # noqa: BLE001 - lief may raise anything for hostile bytes
        return (unreadable(path, kind, f"{type(error).__name__}: {error}"),)


def unreadable(path: str, kind: Format, problem: str) -> Binary:
    """Return what is known of a file that could not be read."""
    return Binary(path=path, format=kind, problem=printable(problem))


def _elf(path: str, content: bytes | Path) -> Iterator[Binary]:
    import lief

    config = lief.ELF.ParserConfig()
    config.parse_relocations = config.parse_overlay = False
    config.parse_symtab_symbols = config.parse_dyn_symbols = False
    binary = lief.ELF.parse(_source(content), config)
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    if binary is None or _is_cut(binary, size):
        yield unreadable(path, "elf", "it is not a complete ELF file")
        return
    if binary.header.file_type.name not in {"EXEC", "DYN"}:
        return
    tags = lief.ELF.DynamicEntry.TAG
    rpath, runpath, soname = (_entry(binary, tag) for tag in (tags.RPATH, tags.RUNPATH, tags.SONAME))
    yield Binary(
        path=path,
        format="elf",
        machine=_machine(binary.header.machine_type.name),
        is_program=binary.has_interpreter,
        needed=_texts(binary.libraries),
        name=soname or None,
        search_paths=tuple((runpath or rpath).split(":")) if runpath or rpath else (),
        is_inherited=bool(rpath and not runpath),
        required_versions=tuple(_required_versions(binary)),
        defined_versions=_texts(
            name for item in binary.symbols_version_definition for name in _names(item.auxiliary_symbols)[:1]
        ),
        cpu_level=_cpu_level(binary),
    )


def _source(content: bytes | Path) -> bytes | str:
    return str(content) if isinstance(content, Path) else content


def _is_cut(binary: "lief.ELF.Binary", size: int) -> bool:
    """Whether a segment or the table of sections ends beyond the file, which lief accepts.

    The table is mostly the last thing in a file, behind symbols that no segment has.
    """
    header = binary.header
    table = header.section_header_offset + header.numberof_sections * header.section_header_size
    ends = (
        segment.file_offset + segment.physical_size
        for segment in binary.segments
        if segment.type.name in {"LOAD", "DYNAMIC"}
    )
    return max(table, *ends, 0) > size


def _required_versions(binary: "lief.ELF.Binary") -> Iterator[SymbolVersion]:
    for requirement in binary.symbols_version_requirement:
        for symbol in requirement.get_auxiliary_symbols():
            if not symbol.flags & _WEAK:
                yield SymbolVersion(library=_text(requirement.name), version=_text(symbol.name))


def _entry(binary: "lief.ELF.Binary", tag: "lief.ELF.DynamicEntry.TAG") -> str:
    import lief

    entry = binary.get(tag) if binary.has(tag) else None
    if isinstance(entry, lief.ELF.DynamicEntryRunPath):
        return _text(entry.runpath)
    if isinstance(entry, lief.ELF.DynamicEntryRpath):
        return _text(entry.rpath)
    return _text(entry.name) if isinstance(entry, lief.ELF.DynamicSharedObject) else ""


def _cpu_level(binary: "lief.ELF.Binary") -> int:
    import lief

    levels = [0]
    for note in binary.notes:
        for item in note.properties if isinstance(note, lief.ELF.NoteGnuProperty) else ():
            if isinstance(item, lief.ELF.X86ISA):
                levels += [_LEVELS.get(isa.name, 0) for flag, isa in item.values if flag.name == "NEEDED"]
    return max(levels)


def _macho(path: str, content: bytes | Path) -> Iterator[Binary]:
    import lief

    config = lief.MachO.ParserConfig()
    config.parse_dyld_bindings = config.parse_dyld_exports = config.parse_dyld_rebases = False
    parsed = lief.MachO.parse(_source(content), config)
    # lief accepts a file that is cut short.
    if parsed is None or any(len(item.commands) < max(1, item.header.nb_cmds) for item in parsed):
        yield unreadable(path, "macho", "it is not a complete Mach-O file")
        return
    commands = lief.MachO.LoadCommand.TYPE
    for binary in parsed:
        kind = binary.header.file_type.name
        if kind not in {"EXECUTE", "DYLIB", "BUNDLE"}:
            continue
        own = [item for item in binary.libraries if item.command is commands.ID_DYLIB]
        optional = {commands.ID_DYLIB, commands.LOAD_WEAK_DYLIB}
        yield Binary(
            path=path,
            format="macho",
            machine=_machine(binary.header.cpu_type.name),
            is_program=kind == "EXECUTE",
            needed=_texts(item.name for item in binary.libraries if item.command not in optional),
            name=_text(own[0].name) if own else None,
            search_paths=_texts(item.path for item in binary.rpaths),
            is_inherited=True,
            oldest_system=_oldest_system(binary),
        )


def _oldest_system(binary: "lief.MachO.Binary") -> str | None:
    build, older = binary.build_version, binary.version_min
    if build is not None:
        if build.platform.name != "MACOS":
            return None
        parts = list(build.minos)
    elif older is not None:
        parts = list(older.version)
    else:
        return None
    return ".".join(map(str, parts if any(parts[2:]) else parts[:2]))


def _pe(path: str, content: bytes | Path) -> Iterator[Binary]:
    import lief

    config = lief.PE.ParserConfig()
    config.parse_exceptions = config.parse_exports = config.parse_reloc = False
    config.parse_rsrc = config.parse_signature = False
    binary = lief.PE.parse(_source(content), config)
    if binary is None:
        # Programs for DOS begin with the same two letters, and so may any text.
        if path.lower().endswith(_WINDOWS_SUFFIXES):
            yield unreadable(path, "pe", "it is not a complete program or library for Windows")
        return
    is_net = binary.data_directory(lief.PE.DataDirectory.TYPES.CLR_RUNTIME_HEADER)
    machine = _machine(binary.header.machine.name)
    yield Binary(
        path=path,
        format="pe",
        machine="any" if is_net is not None and is_net.rva and machine == "x86" else machine,
        is_program=not binary.header.has_characteristic(lief.PE.Header.CHARACTERISTICS.DLL),
        needed=_texts(item.name for item in binary.imports),
    )


def _machine(name: str) -> str:
    return _MACHINES.get(name, name.lower())


def _names(symbols: "Iterable[lief.ELF.SymbolVersionAux]") -> list[str | bytes]:
    return [symbol.name for symbol in symbols]


def _texts(values: Iterable[str | bytes]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_text(value) for value in values))


def _text(value: str | bytes) -> str:
    """Return a name that lief read as text; it gives bytes for names that are not UTF-8."""
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
    return printable(_PATH_END.sub("", text))

"""What is known of an archive once it has been inspected."""

from dataclasses import dataclass
from typing import Literal

from cuvee.conda.package_info import IndexJson
from cuvee.conda.package_paths import PathType
from cuvee.conda.project_links import ProjectLink

Format = Literal["elf", "macho", "pe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedFile:
    """One file of a package, as the archive holds it.

    Attributes
    ----------
    path
        As the package names it, with ``/``; unprintable characters are escaped.
    sha256, size
        Of the bytes in the archive; `None` for links and folders.
    placeholder
        The prefix that a linker replaces in it, or `None`.
    link_target
        What a symbolic link points to, as written.
    """

    path: str
    file_type: PathType = "hardlink"
    sha256: str | None = None
    size: int | None = None
    placeholder: str | None = None
    link_target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolVersion:
    """A version of a library's symbols that a file requires: ``GLIBC_2.17`` of ``libc.so.6``."""

    library: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """What a loader reads of a program or library; a file for several machines gives one per machine.

    Attributes
    ----------
    machine
        ``x86_64``, ``aarch64``, ``x86``, or as the format's specification calls it; ``any`` for .NET.
    is_program
        Whether it is an executable rather than a library.
    needed
        Libraries without which it does not load, as written: neither delay-loaded ones (PE) nor weak ones
        (Mach-O).
    name
        Its own name: ``DT_SONAME`` or the install name.
    search_paths
        Where it looks for libraries: ``DT_RUNPATH`` or ``DT_RPATH`` or ``LC_RPATH``, entry by entry.
    is_inherited
        Whether the libraries that it loads search there as well: ``DT_RPATH`` and ``LC_RPATH``.
    required_versions, defined_versions
        Symbol versions (ELF).
    oldest_system
        ``minos`` (Mach-O): the oldest macOS that it runs on.
    cpu_level
        The x86-64 level that its linker marked as needed: 2, 3 or 4; 0 if none. Levels are those of
        https://gitlab.com/x86-psABIs/x86-64-ABI.
    problem
        Why it could not be read; then all other fields are empty.
    """

    path: str
    format: Format
    machine: str = ""
    is_program: bool = False
    needed: tuple[str, ...] = ()
    name: str | None = None
    search_paths: tuple[str, ...] = ()
    is_inherited: bool = False
    required_versions: tuple[SymbolVersion, ...] = ()
    defined_versions: tuple[str, ...] = ()
    oldest_system: str | None = None
    cpu_level: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonDistribution:
    """A Python distribution that a package installs.

    ``name`` is normalised (PEP 503), ``path`` that of the file with its metadata, as the package names it,
    and ``links`` are the addresses in it.
    """

    name: str
    version: str
    path: str
    links: tuple[ProjectLink, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveContents:
    """What one archive holds.

    Attributes
    ----------
    sha256, md5, size
        Of the archive itself.
    entry_points
        ``name = module:function`` lines, from which linking makes commands.
    problems
        Where its files differ from its list of them, or no linker would accept them.
    distributions
        The Python distributions whose metadata it has.
    irregularities
        Where the wheel that it was made from breaks its format.
    links
        The addresses in its ``info/about.json``.
    """

    sha256: str
    md5: str
    size: int
    index: IndexJson
    entry_points: tuple[str, ...] = ()
    files: tuple[ArchivedFile, ...] = ()
    binaries: tuple[Binary, ...] = ()
    problems: tuple[str, ...] = ()
    distributions: tuple[PythonDistribution, ...] = ()
    irregularities: tuple[str, ...] = ()
    links: tuple[ProjectLink, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableArchive:
    """An archive that could not be read, and why."""

    reason: str

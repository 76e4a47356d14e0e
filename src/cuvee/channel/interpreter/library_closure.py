"""The shared libraries that an interpreter needs, and where the loader finds them (ld.so(8), ldconfig(8))."""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cuvee.channel.interpreter import elf
from cuvee.channel.interpreter.model import FindLibrary
from cuvee.process import Request, run

_GLIBC_OWN = re.compile(
    r"(ld-linux.*|libc|libm|libdl|libpthread|librt|libutil|libresolv|libanl|libnss_\w+|libBrokenLocale)\.so\.\d+"
)
_CACHE_LINE = re.compile(r"^\s+(?P<name>\S+) \((?P<kind>[^)]*)\) => (?P<path>/.*)$", re.MULTILINE)
_DEFAULT_FOLDERS = ("/lib64", "/usr/lib64", "/lib", "/usr/lib")
_MACHINES = {"linux-64": "X86_64", "linux-aarch64": "AARCH64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryClosure:
    """The libraries that a set of ELF files needs beyond the C library: their files by soname, sorted.

    ``broken`` are files of the set that need, directly or not, a library that cannot be found, with its name;
    ``glibc`` is the newest version that the others and their libraries require.
    """

    libraries: Mapping[str, Path]
    broken: Mapping[Path, str]
    glibc: tuple[int, int]


def belongs_to_glibc(name: str) -> bool:
    """Whether a library is part of glibc: each system has it, and those of two versions cannot be mixed."""
    return _GLIBC_OWN.fullmatch(name) is not None


def library_closure(files: Iterable[Path], platform: str, find: FindLibrary) -> LibraryClosure:
    """Return all libraries that ``files`` need. A library for another machine counts as not found."""
    machine, read = _MACHINES[platform], functools.cache(elf.read)

    def fits(path: Path) -> bool:
        return elf.is_elf(path) and read(path).machine == machine

    def follow(start: Path) -> tuple[dict[str, Path], str | None]:
        """Return the libraries that ``start`` adds to those found, or the name of one that is missing."""
        if not fits(start):
            return {}, start.name
        added: dict[str, Path] = {}
        waiting = [start]
        while waiting:
            path = waiting.pop()
            for name in read(path).needed:
                if belongs_to_glibc(name) or name in found or name in added:
                    continue
                library = find(name, path)
                if library is None or not fits(library):
                    return {}, name
                added[name] = library
                waiting.append(library)
        return added, None

    found: dict[str, Path] = {}
    broken: dict[Path, str] = {}
    glibc = (0, 0)
    for file in sorted(files):
        mine, missing = follow(file)
        if missing is not None:
            broken[file] = missing
            continue
        found |= mine
        glibc = max(glibc, *(read(path).glibc for path in (file, *mine.values())))
    return LibraryClosure(libraries=dict(sorted(found.items())), broken=broken, glibc=glibc)


def host_finder(environment: Mapping[str, str]) -> FindLibrary:
    """Return a search like ld.so's: DT_RUNPATH, ``LD_LIBRARY_PATH``, the cache, default folders."""
    extra = [Path(folder) for folder in environment.get("LD_LIBRARY_PATH", "").split(":") if folder]
    cache = _loader_cache()

    def find(name: str, needing: Path) -> Path | None:
        own = [Path(folder.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", str(needing.parent)))
               for folder in elf.read(needing).runpath]  # fmt: skip
        candidates = [*(folder / name for folder in (*own, *extra)), *cache.get(name, ())]
        candidates += [Path(folder, name) for folder in _DEFAULT_FOLDERS]
        return next((path.resolve() for path in candidates if path.is_file()), None)

    return find


def tree_finder(root: Path, folders: Iterable[str]) -> FindLibrary:
    """Return a search in ``folders`` of a system that is unpacked below ``root``; never outside of it."""
    top = root.resolve()
    searched = [top / folder for folder in folders]

    def find(name: str, _needing: Path) -> Path | None:
        candidates = ((folder / name).resolve() for folder in searched)
        return next((path for path in candidates if path.is_relative_to(top) and path.is_file()), None)

    return find


def _loader_cache() -> dict[str, list[Path]]:
    """Return what ``ldconfig -p`` lists for 64-bit programs; nothing if there is no ldconfig."""
    tool = next((path for path in ("/sbin/ldconfig", "/usr/sbin/ldconfig") if Path(path).is_file()), None)
    if tool is None:
        return {}
    return parse_loader_cache(run(Request(argv=(tool, "-p"), environment={"LC_ALL": "C"}, timeout=60)).stdout)


def parse_loader_cache(text: str) -> dict[str, list[Path]]:
    """Return the files that ``ldconfig -p`` prints, by name and in the loader's order."""
    cache: dict[str, list[Path]] = {}
    for line in _CACHE_LINE.finditer(text):
        if "x86-64" in line["kind"] or "AArch64" in line["kind"]:
            cache.setdefault(line["name"], []).append(Path(line["path"]))
    return cache

"""Where a dynamic linker finds the libraries that a binary needs, by names and search paths.

Rules: https://man7.org/linux/man-pages/man8/ld.so.8.html for Linux, `man dyld` for macOS, and
https://learn.microsoft.com/windows/win32/dlls/dynamic-link-library-search-order for Windows.
"""

import enum
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from cuvee.graph.prefix_contents import InstalledBinary, PrefixContents, resolve_in_prefix
from cuvee.graph.system_libraries import Availability, availability_of

_WINDOWS_FOLDERS = ("", "library/mingw-w64/bin", "library/usr/bin", "library/bin", "scripts", "bin", "dlls")
"""Folders of a prefix that activation puts on PATH, and Python's own; in lower case."""

SYSROOT = "/sysroot/"
"""Part of the path of what compilers link against; nothing is loaded from there at run time."""

_ORIGINS = ("$ORIGIN", "${ORIGIN}", "@loader_path", "@executable_path")


class Resolution(enum.Enum):
    """Where a needed library was found."""

    LOADER = "on the loader's search path"
    SYSTEM = "on the system"
    ELSEWHERE = "in the prefix, but not on the loader's search path"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededLibrary:
    """One library that a binary needs, the files of the prefix that it may be, or which systems have it."""

    library: str
    resolution: Resolution
    paths: tuple[str, ...] = ()
    availability: Availability | None = None


class DynamicLoader:
    """The dynamic linker of one platform, for a prefix that does not exist yet."""

    def __init__(self, contents: PrefixContents) -> None:
        self._contents = contents
        self._system = contents.platform.system
        self._fold = contents.platform.is_windows
        self._by_name: dict[str, list[str]] = {}
        self._by_path: dict[str, str] = {}
        for path in contents.files:
            folded = path.lower() if self._fold else path
            self._by_path[folded] = path
            self._by_name.setdefault(folded.rpartition("/")[2], []).append(path)
        self.owners = {path: claims[-1].package.name for path, claims in contents.files.items()}
        self.binaries = {item.path: item for item in loaded_binaries(contents)}
        for item in loaded_binaries(contents):
            if item.binary.name and self._system == "linux":
                paths = self._by_name.setdefault(item.binary.name, [])
                if item.path not in paths:
                    paths.append(item.path)
        self._inherited: dict[str, tuple[str, ...]] = {}
        self._inherit()

    def _inherit(self) -> None:
        """Pass RPATHs on: a library is also searched for in the RPATHs of what loads it, recursively."""
        pending = list(self.binaries.values())
        while pending:
            item = pending.pop()
            own = self._own_folders(item) if item.binary.is_inherited else ()
            passed_on = (*own, *self._inherited.get(item.path, ()))
            if not passed_on:
                continue
            for needed in self.needs(item):
                for path in needed.paths if needed.resolution is Resolution.LOADER else ():
                    known = self._inherited.get(path, ())
                    grown = tuple(dict.fromkeys((*known, *passed_on)))
                    if path in self.binaries and len(grown) > len(known):
                        self._inherited[path] = grown
                        pending.append(self.binaries[path])

    def needs(self, item: InstalledBinary) -> Iterator[NeededLibrary]:
        """Yield each library that a binary must have to be loaded."""
        find = self._on_windows if self._system == "win" else self._on_unix
        for library in item.binary.needed:
            yield find(item, library)

    def _on_unix(self, item: InstalledBinary, library: str) -> NeededLibrary:
        name = library.rpartition("/")[2]
        start, _, rest = library.partition("/")
        if self._system == "osx" and (start in _ORIGINS or library.startswith("/")):
            direct = self.folder(item, library)
            candidates = [] if direct is None else [direct]
        else:
            folders = self._folders(item) if self._system == "linux" or start == "@rpath" else ()
            file = name if self._system == "linux" else rest
            candidates = [posixpath.normpath(posixpath.join(folder, file)) for folder in (*folders, "lib")]
        for path in candidates:
            if path in self._by_path:
                return NeededLibrary(library=library, resolution=Resolution.LOADER, paths=(self._real(path),))
        return self._other(library, name)

    def _on_windows(self, item: InstalledBinary, library: str) -> NeededLibrary:
        name = library.lower()
        folder = posixpath.dirname(item.path).lower()
        for candidate in (folder, *_WINDOWS_FOLDERS):
            path = self._by_path.get(posixpath.join(candidate, name))
            if path is not None:
                return NeededLibrary(library=library, resolution=Resolution.LOADER, paths=(path,))
        # Python packages call os.add_dll_directory for their own folders when they are imported.
        own = [path for path in self._by_name.get(name, ()) if self.owners[path] == item.package.name]
        if own:
            return NeededLibrary(library=library, resolution=Resolution.LOADER, paths=tuple(own))
        return self._other(library, name)

    def _other(self, library: str, name: str) -> NeededLibrary:
        availability = availability_of(self._system, library)
        if availability is not None:
            return NeededLibrary(library=library, resolution=Resolution.SYSTEM, availability=availability)
        paths = tuple(self._by_name.get(name, ()))
        return NeededLibrary(
            library=library, resolution=Resolution.ELSEWHERE if paths else Resolution.NOWHERE, paths=paths
        )

    def _real(self, path: str) -> str:
        """Return the file that a path leads to through symbolic links, as far as archives list them."""
        for _ in range(10):
            file = self._contents.files[path][-1].file
            target = file.link_target if file is not None else None
            further = None if target is None else resolve_in_prefix(posixpath.dirname(path), target)
            if further is None or further not in self._contents.files:
                break
            path = further
        return path

    def _folders(self, item: InstalledBinary) -> tuple[str, ...]:
        """Return the folders of the prefix that the loader searches for a binary's libraries, in order."""
        own = self._own_folders(item)
        has_runpath = bool(item.binary.search_paths) and not item.binary.is_inherited
        return own if has_runpath else (*own, *self._inherited.get(item.path, ()))

    def _own_folders(self, item: InstalledBinary) -> tuple[str, ...]:
        found = (self.folder(item, entry) for entry in item.binary.search_paths)
        return tuple(folder for folder in found if folder is not None)

    def folder(self, item: InstalledBinary, entry: str) -> str | None:
        """Return the folder of the prefix that an entry of a search path means; `None` for any other."""
        # What linking replaces by the prefix, if the binary has it.
        claims = self._contents.files.get(item.path, ())
        own = (claim.file for claim in claims if claim.package is item.package)
        placeholder = next((file.placeholder for file in own if file is not None), None)
        if placeholder and (entry + "/").startswith(placeholder + "/"):
            return resolve_in_prefix("", entry[len(placeholder) :].lstrip("/") or ".")
        start, _, rest = entry.partition("/")
        if start not in _ORIGINS:
            return None
        origin = "bin" if start == "@executable_path" else posixpath.dirname(item.path)
        return resolve_in_prefix(origin, rest or ".")


@lru_cache(maxsize=8)
def loader_of(contents: PrefixContents) -> DynamicLoader:
    """Return the loader of a platform; it is built once for all checks."""
    return DynamicLoader(contents)


def loaded_binaries(contents: PrefixContents) -> Iterator[InstalledBinary]:
    """Yield the binaries that this platform's loader can load: readable ones, for its machine."""
    machine = contents.platform.machine.lower().replace("amd64", "x86_64").replace("arm64", "aarch64")
    kind = {"linux": "elf", "osx": "macho", "win": "pe"}[contents.platform.system]
    for item in contents.binaries:
        binary = item.binary
        is_ours = binary.problem is None and binary.format == kind and binary.machine in {machine, "any"}
        if is_ours and SYSROOT not in item.path:
            yield item

"""Stage 0: the smallest part of a prefix in which the release's own interpreter starts.

It is computed: the runtime's modules, all modules that they import, and all shared libraries that those need.
Only the packages are read, so it works for every platform on every host.
"""

import ast
import gzip
import io
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cuvee import checked_cache
from cuvee.errors import BlockedError
from cuvee.files import sha256_bytes, write_bytes
from cuvee.image.elf_needed import needed_by_elf
from cuvee.image.model import SOURCE_TIME, FileKind, PlannedFile
from cuvee.image.python_paths import DECODERS, PythonPaths, needs_decoder
from cuvee.image.stage0_facts import Stage0Facts
from cuvee.progress import SILENT, Reporter

RUNTIME_FOLDER = ".cuvee/runtime"
"""Where stage 0 keeps the runtime, relative to the prefix that is being made."""

_GZIP_LEVELS = {False: 4, True: 6}
"""gzip levels, for trying and for publication: that takes twice as long, for 3 % of stage 0."""

_STARTUP = (
    "abc", "codecs", "encodings", "encodings.aliases", "encodings.ascii", "encodings.cp437",
    "encodings.latin_1", "encodings.utf_8", "encodings.mbcs", "io", "os", "ntpath", "posixpath",
    "genericpath", "stat", "site", "_sitebuiltins", "_collections_abc", "importlib", "importlib.machinery",
    "importlib.util", "warnings", "linecache", "traceback", "zipimport", "_hashlib", "_sha1", "_sha2",
    "_sha256", "_sha512", "fcntl", "msvcrt",
)  # fmt: skip

REFUSED = (
    "_asyncio", "_bz2", "_ctypes", "_decimal", "_elementtree", "_lzma", "_msi", "_multiprocessing",
    "_overlapped", "_sqlite3", "_ssl", "_tkinter", "_uuid", "asyncio", "cffi", "ctypes", "distutils",
    "doctest", "email", "ensurepip", "http", "idlelib", "lib2to3", "multiprocessing", "pdb", "pydoc",
    "pydoc_data", "pyexpat", "sqlite3", "ssl", "test", "tkinter", "turtle", "turtledemo",
    "unittest", "urllib", "venv", "xml", "zstandard._cffi", "zstandard.backend_cffi",
    "zstandard.backend_rust",
)  # fmt: skip
"""Large modules, which others import only under conditions that never hold in the runtime."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage0File:
    """A file of stage 0, as it is before relocation."""

    path: str
    mode: int
    data: bytes
    link_target: str | None = None
    mtime: int = SOURCE_TIME


def select_stage0(
    files: Mapping[str, PlannedFile],
    python: PythonPaths,
    runtime: Mapping[str, bytes],
    facts: Stage0Facts,
    foreign: Mapping[str, str],
) -> frozenset[str]:
    """Return the paths of the planned files that stage 0 needs, without byte code.

    Parameters
    ----------
    files
        The whole link plan of the platform, by path.
    runtime
        The runtime's modules: file name to source.
    foreign
        The paths of packages that must not run in installers, see `installer_core`, with their names.

    Raises
    ------
    BlockedError
        If the interpreter, or a module that can decompress zstd, is not in the plan; or if the interpreter
        would load a library of a foreign package.
    """
    if python.interpreter not in files:
        raise BlockedError(
            f"The python package for {python.platform} has no {python.interpreter}",
            hint="Its installer could not start; use another build of python.",
        )
    own = {path: file for path, file in files.items() if path not in foreign}
    modules = _module_files(own, python)
    seeds = [*_STARTUP, *_decoder(modules, python)]
    for name, source in runtime.items():
        seeds += facts.find(f"runtime/{name}", partial(_imports, module="runtime.x"), source)
    chosen = {python.interpreter}
    chosen.update(_module_closure(seeds, modules, python, facts))
    return frozenset(_library_closure(chosen, files, python, facts, foreign))


def write_stage0(
    files: Iterable[Stage0File],
    target: Path,
    *,
    cache: Path,
    publish: bool = False,
    reporter: Reporter = SILENT,
) -> None:
    """Write a ``tar.gz`` that any `tar` unpacks, reproducibly; one in the cache is not compressed again."""
    data, level = tar_of(files), _GZIP_LEVELS[publish]
    path = cache / "stage0" / f"{sha256_bytes(data)}-{level}-{zlib.ZLIB_RUNTIME_VERSION}.tar.gz"
    content: bytes | memoryview | None = checked_cache.load(path, reporter)
    if content is None:
        content = gzipped(data, level)
        checked_cache.save(path, content)
    write_bytes(target, content)


def gzipped(data: bytes, level: int = _GZIP_LEVELS[True]) -> bytes:
    """Return ``data`` compressed with gzip, reproducibly."""
    stream = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=level, fileobj=stream, mtime=0) as zipped:
        zipped.write(data)
    return stream.getvalue()


def tar_of(files: Iterable[Stage0File]) -> bytes:
    """Return the uncompressed tar of files, reproducibly."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for file in sorted(files, key=lambda file: file.path):
            info = tarfile.TarInfo(file.path)
            info.mtime, info.mode = file.mtime, file.mode
            if file.link_target is None:
                info.size = len(file.data)
            else:
                info.type, info.linkname = tarfile.SYMTYPE, file.link_target
            tar.addfile(info, io.BytesIO(file.data))
    return stream.getvalue()


def _decoder(modules: Mapping[str, list[str]], python: PythonPaths) -> list[str]:
    if needs_decoder(python.full_version) is None:
        return ["compression.zstd"]
    for name in DECODERS:
        if name in modules:
            # The module chooses its backend when it runs, so import statements do not name the right one.
            return [name, *(module for module in modules if module.startswith(f"{name}."))]
    raise BlockedError(
        f"Nothing in the release can decompress zstd under Python {python.version} on {python.platform}",
        hint=f"Add `{DECODERS[0]}` to the manifest's packages.",
    )


def _module_files(files: Mapping[str, PlannedFile], python: PythonPaths) -> dict[str, list[str]]:
    """Return the files of each module, by its name; those of a package are its ``__init__``."""
    dynamic = "DLLs" if python.platform.is_windows else f"{python.stdlib}/lib-dynload"
    roots = (python.site_packages, dynamic, python.stdlib)
    modules: dict[str, list[str]] = {}
    for path, file in files.items():
        root = next((root for root in roots if path.startswith(f"{root}/")), None)
        if root is None or file.kind is FileKind.DIRECTORY:
            continue
        folder, _, name = path[len(root) + 1 :].rpartition("/")
        if not name.endswith((".py", ".pyc", ".so", ".pyd")) or "__pycache__" in folder:
            continue
        stem = name.partition(".")[0]
        parts = [*(folder.split("/") if folder else ()), *(() if stem == "__init__" else (stem,))]
        if parts and all(part.isidentifier() for part in parts):
            modules.setdefault(".".join(parts), []).append(path)
    return modules


def _module_closure(
    seeds: Iterable[str], modules: Mapping[str, list[str]], python: PythonPaths, facts: Stage0Facts
) -> Iterator[str]:
    todo, seen = list(seeds), set[str]()
    library = [
        name
        for name, paths in modules.items()
        if not any(path.startswith(f"{python.site_packages}/") for path in paths)
    ]
    while todo:
        name = todo.pop()
        if name in seen or any(name == refused or name.startswith(f"{refused}.") for refused in REFUSED):
            continue
        seen.add(name)
        if "." in name:
            todo.append(name.rpartition(".")[0])
        for path in modules.get(name, ()):
            yield path
            if path.endswith(".pyc"):
                # A standard library without sources (python.org's embeddable package) does not say what it
                # imports, so all of it is taken.
                todo += library
                library = []
            elif path.endswith(".py"):
                module = f"{name}.__init__" if path.endswith("/__init__.py") else name
                todo += facts.find(path, partial(_imports, module=module))


def _imports(source: bytes, module: str) -> list[str]:
    """Return what a module imports when it is imported: statements inside functions do not count."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    found: list[str] = []
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = module.split(".")[: -node.level] if node.level else []
            base = ".".join([*parents, *((node.module,) if node.module else ())])
            found += [base, *(f"{base}.{alias.name}" for alias in node.names)]
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            todo += ast.iter_child_nodes(node)
    return found


def _library_closure(
    chosen: set[str],
    files: Mapping[str, PlannedFile],
    python: PythonPaths,
    facts: Stage0Facts,
    foreign: Mapping[str, str],
) -> set[str]:
    """Return the files with all planned shared libraries that they need, and links to those."""
    by_name: dict[str, list[str]] = {}
    for path in files:
        name = path.rpartition("/")[2]
        if ".so" in name or name.lower().endswith(".dll"):
            by_name.setdefault(name.lower() if python.platform.is_windows else name, []).append(path)
    libraries = partial(_needed_libraries, windows=python.platform.is_windows)
    todo = [path for path in chosen if not path.endswith((".py", ".pyc"))]
    result = set(chosen)
    while todo:
        path = todo.pop()
        file = files[path]
        if file.kind is FileKind.LINK:
            needed = [_link_destination(path, target) for target in facts.find(path, _only_line)]
        else:
            needed = [_nearest(by_name.get(name, []), path, foreign) for name in facts.find(path, libraries)]
        for found in needed:
            if found in foreign:
                raise BlockedError(
                    f"{foreign[found]} has {found}, which {path} would load in the installer",
                    hint="Neither python nor a package that it needs has that file. Leave the package out.",
                )
            if found in files and found not in result:
                result.add(found)
                todo.append(found)
    return result


def _only_line(data: bytes) -> list[str]:
    return [data.decode()]


def _link_destination(path: str, target: str) -> str:
    parts = path.split("/")[:-1]
    for part in target.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _nearest(candidates: list[str], user: str, foreign: Mapping[str, str]) -> str:
    """Return one of several libraries: beside the user, else in the search path, else any own one."""
    folder = user.rpartition("/")[0]
    for searched in (folder, "lib", "", "DLLs", "Library/bin"):
        for path in candidates:
            if path.rpartition("/")[0] == searched:
                return path
    return min((path for path in candidates if path not in foreign), default="")


def _needed_libraries(data: bytes, *, windows: bool) -> list[str]:
    known = None if windows else needed_by_elf(data)
    if known is not None:
        return known
    import lief

    if windows:
        pe = lief.PE.parse(io.BytesIO(data))
        return [] if pe is None else [str(entry.name).lower() for entry in pe.imports]
    if data.startswith(b"\x7fELF"):
        elf = lief.ELF.parse(io.BytesIO(data))
        return [] if elf is None else [str(name) for name in elf.libraries]
    return []

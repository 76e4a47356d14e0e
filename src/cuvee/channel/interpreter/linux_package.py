"""The package of a CPython for Linux: the paths of its files in a prefix, and what is excluded."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from cuvee.channel.interpreter import elf
from cuvee.channel.interpreter.library_closure import LibraryClosure, library_closure
from cuvee.channel.interpreter.model import InterpreterContent, LinuxTree
from cuvee.channel.interpreter.stdlib_patches import BUNDLED_WHEELS, is_patched, patched, sitecustomize
from cuvee.channel.package_writer import PackageFile
from cuvee.errors import CuveeError

LEFT_OUT_FOLDERS = frozenset(
    {
        "__pycache__", "site-packages", "dist-packages", "lib-dynload",
        "test", "idlelib", "turtledemo", "tkinter",
        "lib2to3/tests", "distutils/tests", "ctypes/test", "sqlite3/test", "unittest/test",
    }
)  # fmt: skip
"""Folders of the standard library that are not packed: test suites, what needs Tcl/Tk, installed packages."""

_LEFT_OUT_FILES = frozenset(
    {
        "turtle.py", "sitecustomize.py", "usercustomize.py",
        "EXTERNALLY-MANAGED", "_distutils_system_mod.py", "build-details.json",
    }
)  # fmt: skip
_LEFT_OUT_SUFFIXES = frozenset({".pyc", ".pyo", ".a", ".o", ".exe", ".egg-info"})

# Test helpers of CPython; Tcl/Tk and GNU dbm, which need large or copyleft libraries; nis (PEP 594).
_LEFT_OUT_MODULES = frozenset(
    {
        "_tkinter", "_gdbm", "nis", "_ctypes_test", "_testbuffer", "_testcapi", "_testclinic",
        "_testclinic_limited", "_testexternalinspection", "_testimportmultiple", "_testinternalcapi",
        "_testlimitedcapi", "_testmultiphase", "_testsinglephase", "_xxtestfuzz", "xxlimited",
        "xxlimited_35", "xxsubtype",
    }
)  # fmt: skip

_ALWAYS_IMPORTED = (
    "asyncio", "concurrent.futures", "email", "encodings.idna", "hashlib", "json", "multiprocessing",
    "unittest", "venv", "xml.etree.ElementTree", "zoneinfo",
)  # fmt: skip
_IMPORTED_WITH = {
    "bz2": "_bz2", "ctypes": "_ctypes", "curses": "_curses", "decimal": "_decimal", "lzma": "_lzma",
    "readline": "readline", "sqlite3": "_sqlite3", "ssl": "_ssl", "uuid": "_uuid", "zlib": "zlib",
}  # fmt: skip


def linux_content(tree: LinuxTree) -> InterpreterContent:
    """Return the content of the package of ``tree``.

    Raises
    ------
    CuveeError
        If the executable itself needs a library that cannot be found.
    """
    modules = _extension_modules(tree)
    libraries = library_closure([tree.executable, *modules.values()], tree.platform, tree.find_library)
    if tree.executable in libraries.broken:
        raise CuveeError(
            f"{tree.executable} needs {libraries.broken[tree.executable]}, which cannot be found",
            hint="If it does not start, run cuvee with another CPython.",
        )
    kept = {name: path for name, path in modules.items() if path not in libraries.broken}
    imports = (name for name, needs in _IMPORTED_WITH.items() if needs in tree.builtins | kept.keys())
    files = [
        *_programs(tree),
        *_standard_library(tree),
        *(_elf_file(f"{_stdlib_path(tree)}/lib-dynload/{path.name}", path) for path in kept.values()),
        *(_library(tree, name, path) for name, path in libraries.libraries.items()),
        *_headers(tree),
        *(
            PackageFile(path=f"{BUNDLED_WHEELS.format(tree.minor)}/{path.name}", content=path.resolve())
            for path in _wheels(tree)
        ),
    ]
    return InterpreterContent(
        platform=tree.platform,
        version=tree.version,
        origin=tree.origin,
        site_packages=f"lib/python{tree.minor}/site-packages",
        depends=("__glibc >={}.{},<3.0.a0".format(*libraries.glibc),),
        files=tuple(files),
        license_files=_licenses(tree, libraries),
        test_imports=tuple(sorted((*_ALWAYS_IMPORTED, *imports))),
        dropped=tuple(
            f"{name} needs {libraries.broken[path]}, which cannot be found"
            for name, path in modules.items()
            if name not in kept
        ),
        inputs=tuple(libraries.libraries.values()),
    )


def standard_library_files(tree: LinuxTree) -> Iterator[Path]:
    """Yield the packed files of the standard library, in a stable order, without its compiled modules."""
    yield from _walk(tree.stdlib, tree)


def source_files(tree: LinuxTree) -> list[Path]:
    """Return all files of the interpreter itself that a package would be made from."""
    headers = sorted(tree.include.rglob("*.h")) if tree.include else []
    modules = _extension_modules(tree).values()
    return [tree.executable, *standard_library_files(tree), *modules, *headers, *_wheels(tree)]


def _walk(folder: Path, tree: LinuxTree) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if not _leave_out_folder(path, tree):
                yield from _walk(path, tree)
        elif (
            path.name not in _LEFT_OUT_FILES
            and path.suffix not in _LEFT_OUT_SUFFIXES
            and path.resolve().is_relative_to(tree.root)
            and path.is_file()
        ):
            yield path


def _leave_out_folder(path: Path, tree: LinuxTree) -> bool:
    inside = path.relative_to(tree.stdlib).as_posix()
    if path.name == "__pycache__" or inside in LEFT_OUT_FOLDERS or inside.startswith("config-"):
        return True
    return inside == "ensurepip" and not (path / "_bundled").is_dir() and not _wheels(tree)


def _wheels(tree: LinuxTree) -> list[Path]:
    """Return the wheels for `ensurepip` that Debian and Fedora have in a folder of the distribution."""
    folder = tree.wheels
    if folder is None or not folder.is_dir():
        return []
    wheels = [path for name in ("pip", "setuptools") for path in sorted(folder.glob(f"{name}-*.whl"))]
    return [path for path in wheels if path.resolve().is_relative_to(tree.root)]


def _stdlib_path(tree: LinuxTree) -> str:
    return f"{tree.libdir}/python{tree.minor}"


def _programs(tree: LinuxTree) -> Iterator[PackageFile]:
    name = f"python{tree.minor}"
    with elf.without_debugging(tree.executable) as lean:
        content = elf.without_prefix(elf.with_rpath(lean, "$ORIGIN/../lib"), tree.prefix)
    yield PackageFile(path=f"bin/{name}", content=content, executable=True)
    for link in ("python3", "python"):
        yield PackageFile(path=f"bin/{link}", content=b"", link_target=name)


def _standard_library(tree: LinuxTree) -> Iterator[PackageFile]:
    for path in standard_library_files(tree):
        inside = path.relative_to(tree.stdlib).as_posix()
        content: Path | bytes = path.resolve()
        if path.suffix == ".py":
            old = path.read_bytes()
            new = patched(inside, old.decode()).encode() if is_patched(inside) else old
            content = content if new == old else new
        yield PackageFile(path=f"{_stdlib_path(tree)}/{inside}", content=content)
    own = sitecustomize((tree.stdlib / "site.py").read_text(encoding="utf-8"))
    if own is not None:
        yield PackageFile(path=f"{_stdlib_path(tree)}/sitecustomize.py", content=own)


def _extension_modules(tree: LinuxTree) -> dict[str, Path]:
    """Return the files of modules by name, without those that are excluded by choice."""
    return {
        name: path
        for path in sorted(tree.dynload.glob("*.so"))
        if path.is_file()
        and path.resolve().is_relative_to(tree.root)
        and (name := path.name.split(".")[0]) not in _LEFT_OUT_MODULES
    }


def _elf_file(target: str, path: Path) -> PackageFile:
    """Return a module or library without debugging symbols, with ``lib`` as its search path if it has one."""
    foreign = [folder for folder in elf.read(path).runpath if not folder.startswith(("$ORIGIN", "${ORIGIN}"))]
    up = "/".join([".."] * (len(PurePosixPath(target).parts) - 2))
    content: Path | bytes = path
    with elf.without_debugging(path) as lean:
        if foreign:
            content = elf.with_runpath(lean, f"$ORIGIN/{up}".rstrip("/"))
        elif lean != path:
            content = lean.read_bytes()
    return PackageFile(path=target, content=content, executable=True)


def _library(tree: LinuxTree, name: str, path: Path) -> PackageFile:
    file = _elf_file(f"lib/{name}", path)
    if not name.startswith("libpython"):
        return file
    return replace(file, content=elf.without_prefix(file.read(), tree.prefix))


def _headers(tree: LinuxTree) -> Iterator[PackageFile]:
    if tree.include is None:
        return
    # Debian's pyconfig.h only includes the one of the architecture (multiarch), which is in another folder.
    own = tree.include.parent / tree.multiarch / tree.include.name / "pyconfig.h"
    for path in sorted(tree.include.rglob("*.h")):
        inside = path.relative_to(tree.include).as_posix()
        content = own if inside == "pyconfig.h" and tree.multiarch and own.is_file() else path
        if content.resolve().is_relative_to(tree.root):
            yield PackageFile(path=f"include/python{tree.minor}/{inside}", content=content.resolve())


def _licenses(tree: LinuxTree, libraries: LibraryClosure) -> dict[str, bytes]:
    texts: dict[str, bytes] = {}
    for path in (tree.stdlib / "LICENSE.txt", tree.stdlib / "LICENSE"):
        if path.is_file():
            texts["LICENSE.txt"] = path.read_bytes()
    for path in libraries.libraries.values():
        texts.update(tree.find_license(path))
    return texts

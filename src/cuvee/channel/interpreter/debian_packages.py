"""CPython for another Linux architecture from Debian's packages, on a host that has apt, without root.

apt verifies the packages with the keys that the host trusts. Libraries are in folders per architecture
(https://wiki.debian.org/Multiarch).
"""

import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from cuvee.channel.interpreter.apt import Apt, DebianPackage
from cuvee.channel.interpreter.compiled_library import LibraryCompiler
from cuvee.channel.interpreter.interpreter_cache import load, save, source_key
from cuvee.channel.interpreter.library_closure import tree_finder
from cuvee.channel.interpreter.linux_package import linux_content
from cuvee.channel.interpreter.model import FindLicense, InterpreterContent, LinuxTree
from cuvee.channel.model import Absent, Interpreter
from cuvee.errors import IntegrityError
from cuvee.files import storage_errors
from cuvee.process import Request, run
from cuvee.progress import Reporter
from cuvee.temporary_folders import temporary_folder

_MACHINES = {"linux-64": ("amd64", "x86_64-linux-gnu"), "linux-aarch64": ("arm64", "aarch64-linux-gnu")}
_VERSION = re.compile(r"(?:\d+:)?(?P<upstream>\d+\.\d+\.\d+)(?=[-+~]|$)")

# Debian splits the standard library; not every release has all of the optional parts.
_PARTS = ("python{}", "python{}-minimal", "libpython{}-minimal", "libpython{}-stdlib")
_OPTIONAL_PARTS = (
    "python{}-venv", "python3-pip-whl", "python3-setuptools-whl", "python3-distutils", "python3-lib2to3",
    "libpython{}-dev",
)  # fmt: skip

# The C library, libraries of modules that are excluded, and headers of other libraries than python's own.
_UNWANTED = re.compile(r"libc6|.*-dev|libgcc-s1|libnsl\d*|libtirpc.*|libgdbm.*|libtcl.*|libtk.*|libpython.*")
_CHANNEL_HINT = "Or use a channel that carries python for it, such as conda-forge."


def pack_debian(
    platform: str,
    minor: str,
    *,
    compiler: LibraryCompiler,
    cache: Path,
    reporter: Reporter,
    tell: Callable[[str], None] = lambda _: None,
) -> Interpreter | Absent:
    """Pack Debian's Python ``minor`` for a machine that is not the host's.

    A packed interpreter is reused until the cache is cleared, even if Debian has published a newer version:
    the same release must consist of the same bytes. ``compiler`` is of the same minor version; ``tell`` is
    called with the full version before the interpreter is packed.

    Raises
    ------
    SourceUnreachableError
        If the packages cannot be reached.
    IntegrityError
        If apt refuses their signature.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return Absent(
            platform=platform,
            reason="its interpreter comes from Debian's packages, and this host has no apt",
            hint=f"Run cuvee on Debian or Ubuntu. {_CHANNEL_HINT}",
        )
    key = source_key(platform, [minor, compiler.version, Apt.host_sources()])
    if (known := load(cache, key, reporter)) is not None:
        return known
    with temporary_folder("debian") as folder, storage_errors(folder):
        content = _fetch(platform, minor, folder)
        if isinstance(content, Absent):
            return content
        tell(content.version)
        for line in content.dropped:
            reporter.warn(f"{platform}: left out {line}")
        return save(cache, key, compiler.compiled(content))


def _fetch(platform: str, minor: str, folder: Path) -> InterpreterContent | Absent:
    architecture, multiarch = _MACHINES[platform]
    apt = Apt(architecture, folder / "apt")
    apt.update()
    names = [part.format(minor) for part in _PARTS]
    if len(apt.available(names)) < len(names):
        apt.explain_absence()
        return Absent(
            platform=platform,
            reason=f"this host's package sources have no {names[0]} for {architecture}",
            hint="Run cuvee with the Python of this host's distribution; Ubuntu also needs its ports archive "
            f"among the sources. {_CHANNEL_HINT}",
        )
    names += apt.available(part.format(minor) for part in _OPTIONAL_PARTS)
    root = folder / "root"
    return _content(platform, minor, multiarch, _unpack_all(apt, names, root), root)


def _unpack_all(apt: Apt, names: Iterable[str], root: Path) -> list[DebianPackage]:
    """Download and unpack packages and the libraries that they depend on."""
    packages = list(names)
    wanted = dict.fromkeys(packages)
    waiting = packages
    # A library's own libraries are two steps away at most: python, readline, tinfo.
    for _ in range(3):
        waiting = [
            name
            for name in apt.dependencies(waiting)
            if name not in wanted and name.startswith(("lib", "zlib")) and not _UNWANTED.fullmatch(name)
        ]
        wanted |= dict.fromkeys(waiting)
        if not waiting:
            break
    downloads = apt.download(wanted)
    root.mkdir()
    for download in downloads:
        argv = ("dpkg-deb", "--extract", str(download.path), str(root))
        completed = run(Request(argv=argv, timeout=300))
        if not completed.ok:
            raise IntegrityError(f"{download.path.name} cannot be unpacked\n{completed.stderr.strip()}")
    return downloads


def _content(
    platform: str, minor: str, multiarch: str, downloads: list[DebianPackage], root: Path
) -> InterpreterContent:
    version = next(download.version for download in downloads if download.name == f"python{minor}")
    top = root.resolve()
    stdlib = top / "usr/lib" / f"python{minor}"
    include = top / "usr/include" / f"python{minor}"
    tree = LinuxTree(
        platform=platform,
        version=upstream_version(version),
        executable=top / f"usr/bin/python{minor}",
        stdlib=stdlib,
        dynload=stdlib / "lib-dynload",
        prefix="/usr",
        root=top,
        find_library=tree_finder(top, [f"{usr}lib/{multiarch}" for usr in ("", "usr/")]),
        find_license=_license_finder(top, downloads),
        wheels=top / "usr/share/python-wheels",
        multiarch=multiarch,
        include=include if (include / "Python.h").is_file() else None,
        builtins=frozenset({"zlib"}),
        origin=f"Debian's python{minor} {version}",
    )
    # The unpacked libraries no longer exist when the cache is used again.
    return replace(linux_content(tree), inputs=())


def upstream_version(version: str) -> str:
    """Return ``3.11.2`` of Debian's ``3.11.2-6+deb12u6``.

    Raises
    ------
    IntegrityError
        If it does not begin with the version of a release of CPython.
    """
    match = _VERSION.match(version)
    if match is None:
        raise IntegrityError(f"Debian's version {version} is not that of a release of CPython")
    return match["upstream"]


def _license_finder(root: Path, downloads: list[DebianPackage]) -> FindLicense:
    """Find a library's licence by the package that was unpacked: each contains its copyright file."""
    owners: dict[str, str] = {}
    for download in downloads:
        listing = run(Request(argv=("dpkg-deb", "--contents", str(download.path)), timeout=60))
        for line in listing.stdout.splitlines():
            owners[line.split(maxsplit=5)[-1].partition(" -> ")[0].rpartition("/")[2]] = download.name

    def find(library: Path) -> Mapping[str, bytes]:
        package = owners.get(library.name, "")
        path = (root / "usr/share/doc" / package / "copyright").resolve()
        return {f"{package}.txt": path.read_bytes()} if path.is_relative_to(root) and path.is_file() else {}

    return find

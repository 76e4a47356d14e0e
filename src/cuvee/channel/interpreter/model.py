"""What the sources of interpreters have in common."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cuvee.channel.package_writer import PackageFile

TIMESTAMP = 1_704_067_200_000
"""2024-01-01T00:00:00Z in ms. Any constant serves: the same interpreter must give the same bytes."""

CONTENT_VERSION = 3
"""Raised when the same source is laid out in another way, so that older archives in a cache are not used."""

FindLibrary = Callable[[str, Path], Path | None]
"""Give the file that the loader would take for a name such as ``libssl.so.3``, for the file that needs it."""

FindLicense = Callable[[Path], Mapping[str, bytes]]
"""Give the licence texts, by file name, of the package that a library belongs to; none if it is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinuxTree:
    """A CPython for Linux as it lies on this disk: the host's own, or one unpacked from packages.

    Attributes
    ----------
    version
        The full version, such as ``3.11.7``.
    executable
        The real file, not a link to it.
    stdlib
        The folder of `os.py`; its compiled modules are in ``dynload``.
    prefix
        The one that it was built for.
    root
        No file outside of it may be packed.
    libdir
        ``lib``, or what `sys.platlibdir` says.
    include
        The folder of ``Python.h``, if there is one.
    wheels
        Where a distribution keeps the wheels that `ensurepip` installs, if not in `ensurepip` itself.
    builtins
        Modules that the executable itself carries, as far as known.
    origin
        For people: where it came from.
    """

    platform: str
    version: str
    executable: Path
    stdlib: Path
    dynload: Path
    prefix: str
    root: Path
    find_library: FindLibrary
    find_license: FindLicense
    libdir: str = "lib"
    include: Path | None = None
    wheels: Path | None = None
    multiarch: str = ""
    builtins: frozenset[str] = frozenset()
    origin: str

    @property
    def minor(self) -> str:
        """``3.11``."""
        return minor_of(self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpreterContent:
    """An interpreter in the places that it will have in a prefix.

    Attributes
    ----------
    depends
        What it needs of the system, as conda's match specs.
    dropped
        Modules of the source that are left out because a library is missing or by choice; for people.
    inputs
        Files outside of the interpreter's own folders that it was made from: the shared libraries.
    """

    platform: str
    version: str
    origin: str
    site_packages: str
    depends: tuple[str, ...]
    files: tuple[PackageFile, ...]
    license_files: Mapping[str, bytes] = field(default_factory=dict)
    test_imports: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    inputs: tuple[Path, ...] = ()


def minor_of(version: str) -> str:
    """``3.11`` of ``3.11.7``."""
    return ".".join(version.split(".")[:2])

"""Types that the sources of interpreters share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cuvee.channel.package_writer import PackageFile

TIMESTAMP = 1_704_067_200_000
"""2024-01-01T00:00:00Z in ms. Any constant would do: the same interpreter must give the same bytes."""

FindLibrary = Callable[[str, Path], Path | None]
"""Returns the file that the loader uses for a name (``libssl.so.3``) that a file needs."""

FindLicense = Callable[[Path], Mapping[str, bytes]]
"""Returns the licence texts, by file name, of the package that contains a library; none if it is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinuxTree:
    """A CPython for Linux on this disk: the host's, or one unpacked from packages.

    Attributes
    ----------
    executable
        The real file, not a link to it.
    stdlib
        The folder of `os.py`; its compiled modules are in ``dynload``.
    prefix
        The prefix that it was built for.
    root
        The folder outside of which no file may be packed.
    include
        The folder of ``Python.h``, if there is one.
    wheels
        The folder with the wheels that `ensurepip` installs, if they are not in `ensurepip` itself.
    builtins
        Modules that are built into the executable, as far as known.
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
    """The content of a package of an interpreter.

    ``dropped`` says, for messages, which modules are excluded because a library is missing. ``inputs`` are
    files outside the interpreter's folders that it was made from: the shared libraries.
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
    """Return ``3.11`` for ``3.11.7``."""
    return ".".join(version.split(".")[:2])

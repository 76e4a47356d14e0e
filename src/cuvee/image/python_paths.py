"""The folders of Python's files in a prefix, and whether its standard library can read zstd."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from cuvee.byte_code.pyc_paths import cache_tag, module_path, pyc_path
from cuvee.conda.noarch_python import default_site_packages, noarch_target
from cuvee.errors import BlockedError
from cuvee.lock.model import PlatformLock
from cuvee.platforms import Platform, get

if TYPE_CHECKING:
    from cuvee.manifest.model import Position, Requirement

DECODERS = ("zstandard", "backports.zstd")
"""Packages that can decompress zstd, for older interpreters; the first one in the closure is used."""

_STDLIB_ZSTD = (3, 14)  # https://peps.python.org/pep-0784/


def needs_decoder(python_version: str) -> str | None:
    """Return the package with which a release's own interpreter can read an image.

    `None` from Python 3.14 on, whose standard library has ``compression.zstd``.
    """
    major, minor = python_version.split(".")[:2]
    return None if (int(major), int(minor)) >= _STDLIB_ZSTD else DECODERS[0]


def is_decoder(name: str) -> bool:
    """Whether a package can decompress zstd; imported ones may be spelled ``backports-zstd``."""
    if name in DECODERS:
        return True
    from packaging.utils import canonicalize_name

    return canonicalize_name(name) in map(canonicalize_name, DECODERS)


def decoder_requirement(platforms: tuple[str, ...], position: "Position") -> "Requirement":
    """Return the requirement of a decoder, for a release that requests none."""
    from cuvee.manifest.model import Requirement

    return Requirement(
        name=DECODERS[0], platforms=platforms, position=position, reason="installers need a decoder"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonPaths:
    """The folders of Python's files in a prefix of one platform; all paths are relative, with ``/``.

    The ``version`` is the minor one, ``3.11``, and the ``full_version`` ``3.11.7``.
    """

    platform: Platform
    version: str
    full_version: str
    site_packages: str

    @classmethod
    def of_lock(cls, lock: PlatformLock, site_packages: str | None) -> Self:
        """Return the paths on a locked platform; ``site_packages`` is what its `python` record asks for.

        Raises
        ------
        BlockedError
            If the platform's closure has no `python`, on which installers run.
        """
        python = lock.by_name.get("python")
        if python is None:
            raise BlockedError(
                f"The release has no python on {lock.platform}, so no installer can be made for it",
                hint="Add `python` to the manifest's packages.",
            )
        platform = get(lock.platform)
        default = default_site_packages(python.version, is_windows=platform.is_windows)
        return cls(
            platform=platform,
            version=".".join(python.version.split(".")[:2]),
            full_version=python.version,
            site_packages=site_packages or default,
        )

    @property
    def stdlib(self) -> str:
        """The standard library's folder."""
        return "Lib" if self.platform.is_windows else f"lib/python{self.version}"

    @property
    def module_roots(self) -> tuple[str, str]:
        """The folders of modules: ``site-packages``, and the standard library, which may have it."""
        return self.site_packages, self.stdlib

    @property
    def scripts(self) -> str:
        """The folder of executables."""
        return "Scripts" if self.platform.is_windows else "bin"

    @property
    def interpreter(self) -> str:
        """The executable."""
        return "python.exe" if self.platform.is_windows else f"bin/python{self.version}"

    @property
    def cache_tag(self) -> str:
        """The tag in names of byte code files, https://peps.python.org/pep-3147/: ``cpython-311``."""
        return cache_tag(self.version)

    def target(self, path: str) -> str:
        """Return where a path of a ``noarch: python`` package goes."""
        return noarch_target(path, site_packages=self.site_packages, scripts=self.scripts)

    def module_path(self, path: str) -> str | None:
        """Return a Python source's path below ``site-packages`` or the standard library; else `None`."""
        return module_path(path, self.module_roots)

    def pyc_path(self, path: str) -> str:
        """Return where the byte code of the source at ``path`` goes."""
        return pyc_path(path, self.version)

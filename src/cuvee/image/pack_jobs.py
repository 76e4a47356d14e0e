"""What the processes that pack packages are sent, and what they answer."""

from dataclasses import dataclass
from pathlib import Path

from cuvee.conda.package_info import PackageInfo
from cuvee.errors import CuveeError
from cuvee.image.model import PlannedFile
from cuvee.image.packer import Packer
from cuvee.image.python_paths import PythonPaths
from cuvee.image.settings import ByteCode


@dataclass(frozen=True, slots=True, kw_only=True)
class PackSettings:
    """What a packer is made of in another process; the first thing that a worker is sent."""

    python: PythonPaths
    executable: Path | None
    cache: Path
    level: int
    byte_code: ByteCode

    @classmethod
    def of(cls, packer: Packer) -> "PackSettings":
        """Return the settings of a packer."""
        return cls(
            python=packer.python,
            executable=None if packer.compiler is None else packer.compiler.executable,
            cache=packer.cache,
            level=packer.level,
            byte_code=packer.byte_code,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PackJob:
    """A package to be packed, and where in the cache it goes.

    Attributes
    ----------
    stage0
        The paths of stage 0 that the package has.
    """

    info: PackageInfo
    plan: tuple[PlannedFile, ...]
    target: Path
    stage0: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackAnswer:
    """How it went: the warnings, and the error that has ended it."""

    warnings: tuple[str, ...]
    error: CuveeError | None

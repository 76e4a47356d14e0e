"""The parts of a certificate, as its file has them."""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self, TypeAlias

from cuvee.conda.package_record import LockedPackage
from cuvee.conda.url_secrets import without_secrets
from cuvee.conda.virtual_packages import VirtualPackage

_SHA256 = re.compile("[0-9a-f]{64}")
_BUILD_NUMBERS = range(1 << 64)

Entry: TypeAlias = Mapping[str, str | None]
"""One step of the proof: a match spec, the record that has it, and the record that meets it."""


def require_sha256(text: str, where: str) -> None:
    """Raise `ValueError` unless ``text`` is a SHA-256 in hexadecimal digits."""
    if _SHA256.fullmatch(text) is None:
        raise ValueError(f"{where}: {text[:80]!r} is not a SHA-256")


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateInputs:
    """Hex SHA-256 of what the release was made from.

    Attributes
    ----------
    manifests
        The manifest and all that it is based on, by file name.
    lock
        The ``pixi.lock``, byte for byte.
    repodata
        By ``<channel>/<subdir>``, for the channels whose repodata is a file that can be hashed.
    """

    manifests: Mapping[str, str]
    lock: str
    repodata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what is not a hash."""
        require_sha256(self.lock, "inputs.lock")
        for key, digests in (("manifests", self.manifests), ("repodata", self.repodata)):
            for name, digest in digests.items():
                require_sha256(digest, f"inputs.{key}.{name}")


class InputState(enum.Enum):
    """Whether an input is still the one that a certificate was made from."""

    SAME = "same"
    DIFFERS = "differs"
    NOT_COMPARED = "not compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedInput:
    """An input of a certificate: its name as words, and how it differs, or why it was not compared."""

    name: str
    state: InputState
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifiedRecord:
    """What a certificate states of a package."""

    name: str
    version: str
    build: str
    build_number: int
    subdir: str
    sha256: str
    url: str
    depends: tuple[str, ...]
    constrains: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse what is not a hash or a build number."""
        require_sha256(self.sha256, f"{self.name}: sha256")
        if self.build_number not in _BUILD_NUMBERS:
            raise ValueError(f"{self.name}: {self.build_number} is not a build number")

    @classmethod
    def of(cls, package: LockedPackage) -> Self:
        """Return what a certificate states of ``package``."""
        return cls(
            name=package.name,
            version=package.version,
            build=package.build,
            build_number=package.build_number,
            subdir=package.subdir,
            sha256=package.sha256,
            url=without_secrets(package.url),
            depends=package.depends,
            constrains=package.constrains,
        )

    @property
    def stem(self) -> str:
        """``name-version-build``."""
        return f"{self.name}-{self.version}-{self.build}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChecks:
    """Identifiers of the checks that compared the packages' files, and their findings."""

    checks: tuple[str, ...]
    collisions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformProof:
    """The proof for one platform: its assumptions, its records, and a step for each dependency and bound.

    Attributes
    ----------
    metapackages
        The packages that name the records exactly; none in format 1, and none of another tool's lock.
    """

    virtual_packages: tuple[VirtualPackage, ...]
    requirements: tuple[Entry, ...]
    constraints: tuple[Entry, ...]
    records: tuple[CertifiedRecord, ...]
    edges: tuple[Entry, ...]
    constrains: tuple[Entry, ...]
    files: FileChecks
    metapackages: tuple[CertifiedRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate of the format's version ``certificate``.

    ``sha256`` is that of the file with these digits as zeros; ``not_certified`` has the platforms for which
    the claim is not true, and why.
    """

    certificate: int
    sha256: str
    release: str
    inputs: CertificateInputs
    channels: tuple[str, ...]
    not_certified: Mapping[str, tuple[str, ...]]
    platforms: Mapping[str, PlatformProof]

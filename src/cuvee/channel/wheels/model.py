"""The input and the result of importing wheels."""

from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelRequest:
    """A project that the manifest requests from the Python index, or a bound on one.

    Attributes
    ----------
    name
        Normalised as in PEP 503; also the conda name.
    extras
        Extras whose dependencies the imported package gets.
    version
        A conda version spec, ``*`` for any.
    platforms
        The platforms that it is requested for.
    position
        The line of the manifest, as ``file:line:column``.
    constraint
        Whether it only bounds a project that something else requires.
    """

    name: str
    extras: tuple[str, ...] = ()
    version: str = "*"
    platforms: tuple[str, ...]
    position: str
    constraint: bool = False

    def __str__(self) -> str:
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{self.name}{extras}" if self.version == "*" else f"{self.name}{extras} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedWheel:
    """The wheel that resolving chose for one project on one platform.

    Attributes
    ----------
    url
        ``https:``, ``http:`` or ``file:``, as in the index.
    sha256
        Hex, as in the index.
    size
        Bytes, or `None` when the index does not say.
    """

    name: str
    version: Version
    file_name: str
    url: str
    sha256: str
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedPackage:
    """A conda package that was made from a wheel.

    Attributes
    ----------
    archive
        The ``.conda`` file, in the release's channel folder.
    subdir
        ``noarch``, or the platform.
    platforms
        The platforms of the release that use it.
    wheel, url, sha256
        The wheel's file name, where it came from, and its hex digest.
    """

    archive: Path
    name: str
    version: str
    build: str
    subdir: str
    platforms: tuple[str, ...]
    wheel: str
    url: str
    sha256: str

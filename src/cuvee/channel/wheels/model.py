"""The input and the result of importing wheels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from packaging.version import Version

from cuvee.channel.repodata_writer import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelRequest:
    """A project that the manifest requests from the Python index, or a bound on one (``constraint``).

    ``name`` is normalised as in PEP 503; ``conda_name`` is the manifest's spelling, empty if it is the same.
    ``version`` is a conda version spec, ``position`` the line of the manifest, as ``file:line:column``;
    ``extras_position`` is that of the extras, if it is another.
    """

    name: str
    conda_name: str = ""
    extras: tuple[str, ...] = ()
    version: str = "*"
    platforms: tuple[str, ...]
    position: str
    extras_position: str = ""
    constraint: bool = False

    def __str__(self) -> str:
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{self.name}{extras}" if self.version == "*" else f"{self.name}{extras} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionTarget:
    """A platform to resolve for: its name, the full version of Python, and the oldest system (floor).

    ``prefer`` gives versions to keep where the requests allow it.
    """

    platform: str
    python: str
    floor: Mapping[str, str]
    exclude_newer: datetime | None = None
    prefer: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedWheel:
    """The wheel that resolving chose for one project on one platform, as the index describes it.

    ``url`` is ``https:``, ``http:`` or ``file:``; ``size`` is in bytes, `None` when the index does not say.
    ``yanked`` is why it was yanked, perhaps an empty text, and `None` if it was not.
    """

    name: str
    version: Version
    file_name: str
    url: str
    sha256: str
    size: int | None = None
    yanked: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedPackage:
    """A conda package that was made from a wheel; ``archive`` is in the release's channel folder.

    ``platforms`` of the release use it. ``wheel`` is a file name; ``url`` and ``sha256`` are the wheel's.
    ``record`` is what repodata says of the package.
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
    record: Record

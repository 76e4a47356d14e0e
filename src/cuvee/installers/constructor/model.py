"""A constructor project, evaluated for one platform."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cuvee.conda.explicit_list import ExplicitArchive
from cuvee.image.settings import InstallerSettings
from cuvee.installers.branding import Branding


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRemap:
    """A channel of packages, and the channel that the prefix's records name instead."""

    source: str
    destination: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPackages:
    """The packages of a project, and their channels.

    Attributes
    ----------
    channels
        Names, URLs or absolute folders, the first wins.
    specs
        Match specs; empty if there are archives.
    archives
        Every package of the closure; empty if specs are to be solved.
    requested
        The requested specs in the prefix's records.
    floor
        The oldest supported system: ``{"glibc": "2.28"}``.
    """

    channels: tuple[str, ...]
    remaps: tuple[ChannelRemap, ...] = ()
    specs: tuple[str, ...] = ()
    archives: tuple[ExplicitArchive, ...] = ()
    requested: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    floor: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOutputs:
    """The files to write beside the installers.

    Attributes
    ----------
    hashes
        Algorithms, each with a file ``<installer>.<algorithm>``.
    licenses, license_texts
        ``licenses.json``, and whether it has the texts.
    """

    hashes: tuple[str, ...] = ()
    info: bool = False
    package_list: bool = False
    lockfile: bool = False
    licenses: bool = False
    license_texts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A ``construct.yaml``, evaluated for one platform.

    Attributes
    ----------
    formats
        The formats of installers: ``("exe", "msi")``.
    file_name
        The name of the only installer; empty for the default name.
    frozen
        The JSON text of ``conda-meta/frozen``; empty for none.
    warnings
        Keys that are not honoured, a line for each.
    """

    source: Path
    platform: str
    name: str
    version: str
    formats: tuple[str, ...]
    file_name: str = ""
    packages: ProjectPackages
    settings: InstallerSettings
    frozen: str = ""
    branding: Branding
    outputs: BuildOutputs
    warnings: tuple[str, ...] = ()

    @property
    def distribution(self) -> str:
        """The name as lower-case letters, digits and dashes."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "distribution"

"""What a constructor project asks for on one platform."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cuvee.image.settings import InstallerSettings
from cuvee.installers.branding import Branding


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRemap:
    """A channel that packages come from, and the one that the prefix's records name instead."""

    source: str
    destination: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplicitArchive:
    """A package that is named by its address.

    Attributes
    ----------
    url
        Of the archive, without a hash.
    md5, sha256
        Hex digests that came with it; empty when none did.
    """

    url: str
    md5: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPackages:
    """Where packages come from, and which.

    Attributes
    ----------
    channels
        Names, URLs or absolute folders, the first wins.
    specs
        Match specs; empty when the archives say it all.
    archives
        Every package of the closure by its address; empty when there is something to solve.
    requested
        What the prefix's records say was asked for, as match specs.
    exclude
        Names that are taken out of what was solved.
    floor
        The oldest system: ``{"glibc": "2.28"}``.
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
    """The files that are written beside the installers.

    Attributes
    ----------
    hashes
        Algorithms, each with a file ``<installer>.<algorithm>``.
    licenses, license_texts
        ``licenses.json``, and whether it holds the texts.
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
    source
        The file.
    name, version
        As written.
    formats
        What to make: ``("exe", "msi")``.
    file_name
        The one installer's name; empty for the usual one.
    frozen
        The JSON text of ``conda-meta/frozen``; empty for none.
    warnings
        What the project asks for and does not get: a line for each key.
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
        """The name as a word of small letters, digits and dashes."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "distribution"

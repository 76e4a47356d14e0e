"""From an image to a `.pkg`: a product archive with one component.

The ``Distribution`` file is documented at
https://developer.apple.com/library/archive/documentation/DeveloperTools/Reference/DistributionDefinitionRef/.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from cuvee.errors import IntegrityError, UsageError
from cuvee.files import replacing, sha256_file, storage_errors
from cuvee.image.model import Image
from cuvee.installers import jinja_templates
from cuvee.installers.naming import installer_name
from cuvee.installers.pkg.bom import bom, check_size
from cuvee.installers.pkg.cpio import cpio
from cuvee.installers.pkg.payload_entries import ROOT, PayloadEntry, file_entry, folder_entry
from cuvee.installers.pkg.stored_streams import gzip_stored
from cuvee.installers.pkg.xar import XarFile, XarFolder, write_xar
from cuvee.installers.sh import build_sh
from cuvee.platforms import get
from cuvee.progress import Reporter
from cuvee.temporary_folders import temporary_folder

LOCATION = "/opt"
"""The parent of the distribution's folder; below the home folder if it is installed for one user."""

SCRIPT_SECONDS = 3600
"""Seconds until Installer stops waiting for the script."""

_INSTALLER = "installer.sh"
_IDENTIFIER = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_SECTOR = 512
_KB = 1024


def build_pkg(
    image: Image,
    *,
    identifier: str,
    license_text: str,
    welcome_text: str,
    target: Path,
    reporter: Reporter,
) -> Path:
    """Write the macOS package of ``image`` to ``target``, whole or not at all; return ``target``.

    The package installs one file into a hidden folder: the distribution's `.sh` installer. Its script runs
    that and removes the folder, even after a failure. The package is reproducible, and not signed;
    ``rcodesign sign`` or ``productsign`` write a signed copy.

    Parameters
    ----------
    identifier
        The package's identifier on macOS, the same for all releases: ``org.example.starter``.
    license_text, welcome_text
        Plain texts for Installer's pages; a page without a text is left out.

    Raises
    ------
    UsageError
        If the image is not for macOS, or has a name that is not allowed there.
    TooLargeError
        If the image is too large for the format; raised before anything is written.
    IntegrityError
        If the image differs from its hashes.
    """
    _check(image, identifier)
    reporter.start(target.name)
    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    with storage_errors(target), temporary_folder("pkg", within=target.parent) as scratch:
        installer = build_sh(
            image,
            license_text=license_text,
            target=scratch / installer_name(image, "sh"),
            reporter=reporter,
        )
        package = _Package(
            image=image,
            identifier=identifier,
            license_text=license_text,
            welcome_text=welcome_text,
            payload=(
                folder_entry(ROOT),
                folder_entry(_staging(image)),
                file_entry(f"{_staging(image)}/{_INSTALLER}", installer),
            ),
            scripts=_scripts(image),
        )
        with replacing(target) as beside, beside.open("wb") as stream:
            write_xar(package.members(), stream)
    reporter.finish(target.name, note=f"{target.stat().st_size / 1e6:,.1f} MB")
    return target


@dataclass(frozen=True, slots=True, kw_only=True)
class _Package:
    """A package's parts, before they are bytes."""

    image: Image
    identifier: str
    license_text: str
    welcome_text: str
    payload: tuple[PayloadEntry, ...]
    scripts: tuple[PayloadEntry, ...]

    @property
    def component(self) -> str:
        """The archive's folder of the component."""
        return f"{self.image.label.distribution}.pkg"

    @property
    def install_kb(self) -> int:
        """The space that Installer requires: for the payload, and for the prefix made from it."""
        sectors = sum(-(-entry.size // _SECTOR) for entry in self.payload if not entry.is_folder)
        folders = sum(entry.is_folder for entry in self.payload) - 1
        return -(-(sectors + folders) // 2) + -(-self.image.size_on_disk // _KB)

    def members(self) -> tuple[XarFile | XarFolder, ...]:
        """Return the archive's members in the order of Apple's own tools."""
        component = XarFolder(
            name=self.component,
            members=(
                _member("Bom", bom(self.payload)),
                XarFile(name="Payload", chunks=lambda: gzip_stored(cpio(self.payload))),
                XarFile(name="Scripts", chunks=lambda: gzip_stored(cpio(self.scripts))),
                _member("PackageInfo", self._package_info()),
            ),
        )
        pages = {"license.html": self.license_text, "welcome.html": self.welcome_text}
        resources = tuple(
            _member(name, jinja_templates.page(text)) for name, text in pages.items() if text.strip()
        )
        shown = (XarFolder(name="Resources", members=resources),) if resources else ()
        return (component, *shown, _member("Distribution", self._distribution()))

    def _package_info(self) -> bytes:
        return jinja_templates.render(
            "pkg/PackageInfo.xml.j2",
            {
                "identifier": self.identifier,
                "version": self.image.label.version,
                "location": LOCATION,
                "paths": len(self.payload),
                "install_kb": self.install_kb,
                "timeout": SCRIPT_SECONDS,
            },
        )

    def _distribution(self) -> bytes:
        oldest = self.image.floor.get("__osx", "")
        return jinja_templates.render(
            "pkg/Distribution.xml.j2",
            {
                "title": _title(self.image),
                "has_welcome": bool(self.welcome_text.strip()),
                "has_license": bool(self.license_text.strip()),
                "architecture": get(self.image.platform).machine,
                "oldest_macos": "" if oldest == "0" else oldest,
                "identifier": self.identifier,
                "version": self.image.label.version,
                "install_kb": self.install_kb,
                "component": self.component,
            },
        )


def _check(image: Image, identifier: str) -> None:
    platform, label = get(image.platform), image.label
    if platform.system != "osx":
        raise UsageError(f"A .pkg installer is for macOS, not for {platform.title}")
    if _IDENTIFIER.fullmatch(identifier) is None:
        raise UsageError(
            f"{identifier!r} cannot identify a macOS package",
            hint="Use a reverse domain name of letters, digits and hyphens, such as org.example.starter.",
        )
    for name in (label.distribution, label.version):
        if _NAME.fullmatch(name) is None:
            raise UsageError(f"A macOS package cannot have the name {name!r}")
    oldest = image.floor.get("__osx", "0")
    if _VERSION.fullmatch(oldest) is None:
        raise UsageError(f"{oldest!r} is not a version of macOS", hint='State the floor as in {osx: "11.0"}.')
    hashes = {
        image.stage0: image.stage0_sha256,
        image.manifest: image.manifest_sha256,
        image.payload: image.payload_sha256,
    }
    check_size(sum(path.stat().st_size for path in hashes))
    for path, sha256 in hashes.items():
        if sha256_file(path) != sha256:
            raise IntegrityError(
                f"The image's {path.name} differs from its hash",
                hint="Delete the image's folder and cut the release again.",
            )


def _scripts(image: Image) -> tuple[PayloadEntry, ...]:
    values = {
        "title": _title(image),
        "distribution": image.label.distribution,
        "location": LOCATION,
        "staging": _staging(image),
        "installer": _INSTALLER,
    }
    script = file_entry(
        "postinstall", jinja_templates.render("pkg/postinstall.sh.j2", values), executable=True
    )
    return folder_entry(ROOT), script


def _staging(image: Image) -> str:
    return f".{image.label.distribution}-installer"


def _title(image: Image) -> str:
    return jinja_templates.xml_line(f"{image.label.title} {image.label.version}")


def _member(name: str, data: bytes) -> XarFile:
    return XarFile(name=name, chunks=lambda: (data,))

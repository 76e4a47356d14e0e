"""The installer formats, and the function that makes each."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from cuvee.image.model import Image
from cuvee.installers.branding import Branding
from cuvee.installers.naming import installer_name
from cuvee.installers.pkg.build import build_pkg
from cuvee.installers.sh import build_sh
from cuvee.installers.windows.exe import build_exe
from cuvee.installers.windows.msi import build_msi, check_msi
from cuvee.installers.windows.osslsigncode import signer_from_environment
from cuvee.progress import Reporter

Build = Callable[[Image, Branding, Path, Reporter], Path]


def _sh(image: Image, branding: Branding, target: Path, reporter: Reporter) -> Path:
    return build_sh(image, license_text=branding.license_text, target=target, reporter=reporter)


def _exe(image: Image, branding: Branding, target: Path, reporter: Reporter) -> Path:
    signer = signer_from_environment(os.environ)
    return build_exe(image, branding=branding, target=target, reporter=reporter, signer=signer)


def _msi(image: Image, branding: Branding, target: Path, reporter: Reporter) -> Path:
    # Errors are raised before the .exe is made, which takes ten seconds.
    check_msi(image)
    with TemporaryDirectory(prefix="cuvee-msi-") as folder:
        exe = _exe(image, branding, Path(folder) / installer_name(image, "exe"), reporter)
        return _msi_around(exe, image, branding, target, reporter)


def _msi_around(exe: Path, image: Image, branding: Branding, target: Path, reporter: Reporter) -> Path:
    signer = signer_from_environment(os.environ)
    return build_msi(image, exe=exe, branding=branding, target=target, reporter=reporter, signer=signer)


def _pkg(image: Image, branding: Branding, target: Path, reporter: Reporter) -> Path:
    return build_pkg(
        image,
        identifier=branding.identifier or f"local.{image.label.distribution}",
        license_text=branding.license_text,
        welcome_text=branding.welcome,
        target=target,
        reporter=reporter,
    )


FORMATS: Mapping[str, Build] = {"sh": _sh, "exe": _exe, "msi": _msi, "pkg": _pkg}
"""The function that makes each format, reproducibly; it raises `ToolMissingError` without the right tools."""


def in_order(kinds: Iterable[str]) -> list[str]:
    """Return formats in the order in which to make them: an `.msi` holds the `.exe`, so that comes first."""
    return sorted(kinds, key="msi".__eq__)


def make(
    kind: str,
    image: Image,
    branding: Branding,
    target: Path,
    reporter: Reporter,
    *,
    exe: Path | None = None,
) -> Path:
    """Make the installer of one format; return ``target``.

    Parameters
    ----------
    exe
        The `.exe` of the same image and branding, if there is one already. An `.msi` contains it, or else a
        temporary one; but for signatures, the result is the same.
    """
    if kind == "msi" and exe is not None:
        return _msi_around(exe, image, branding, target, reporter)
    return FORMATS[kind](image, branding, target, reporter)

"""Making an installer of any format; what makes it is imported then."""

import os
from collections.abc import Iterable
from pathlib import Path

from cuvee.image.model import Image
from cuvee.installers.branding import Branding
from cuvee.progress import Reporter
from cuvee.temporary_folders import temporary_folder


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
    """Make the installer of one format, reproducibly but for signatures; return ``target``.

    Parameters
    ----------
    exe
        The `.exe` of the same image and branding, if there is one already. An `.msi` contains it, or else a
        temporary one; but for signatures, the result is the same.

    Raises
    ------
    ToolMissingError
        If this host lacks a program.
    """
    match kind:
        case "sh":
            from cuvee.installers.sh import build_sh

            return build_sh(image, license_text=branding.license_text, target=target, reporter=reporter)
        case "exe":
            from cuvee.installers.windows.exe import build_exe
            from cuvee.installers.windows.osslsigncode import signer_from_environment

            signer = signer_from_environment(os.environ)
            return build_exe(image, branding=branding, target=target, reporter=reporter, signer=signer)
        case "msi":
            from cuvee.installers.naming import installer_name
            from cuvee.installers.windows.msi import build_msi, check_msi
            from cuvee.installers.windows.osslsigncode import signer_from_environment

            if exe is None:
                check_msi(image)  # before the .exe is made, which takes ten seconds
                with temporary_folder("msi") as folder:
                    temporary = folder / installer_name(image, "exe")
                    exe = make("exe", image, branding, temporary, reporter)
                    return make("msi", image, branding, target, reporter, exe=exe)
            signer = signer_from_environment(os.environ)
            return build_msi(
                image, exe=exe, branding=branding, target=target, reporter=reporter, signer=signer
            )
        case "pkg":
            from cuvee.installers.pkg.build import build_pkg

            return build_pkg(
                image,
                identifier=branding.identifier or f"local.{image.label.distribution}",
                license_text=branding.license_text,
                welcome_text=branding.welcome,
                target=target,
                reporter=reporter,
            )
    raise AssertionError(f"there is no format {kind}")

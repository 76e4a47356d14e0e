"""The installer formats: for each its name, what makes it, and from what."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from cuvee.image.model import Image
from cuvee.installers.looks import Looks
from cuvee.platforms import get
from cuvee.progress import Reporter

Build = Callable[[Image, Looks, Path, Reporter], Path]


def _sh(image: Image, looks: Looks, target: Path, reporter: Reporter) -> Path:
    from cuvee.installers.sh import build_sh

    return build_sh(image, license_text=looks.license_text, target=target, reporter=reporter)


def _exe(image: Image, looks: Looks, target: Path, reporter: Reporter) -> Path:
    from cuvee.installers.windows.exe import build_exe
    from cuvee.installers.windows.signing import configured

    signer = configured(os.environ)
    return build_exe(image, looks=looks, target=target, reporter=reporter, signer=signer)


def _msi(image: Image, looks: Looks, target: Path, reporter: Reporter) -> Path:
    from cuvee.installers.windows.msi import check_msi

    # What stands in its way is told before ten seconds are spent on the .exe.
    check_msi(image)
    with TemporaryDirectory(prefix="cuvee-msi-") as folder:
        exe = _exe(image, looks, Path(folder) / file_name(image, "exe"), reporter)
        return _msi_around(exe, image, looks, target, reporter)


def _msi_around(exe: Path, image: Image, looks: Looks, target: Path, reporter: Reporter) -> Path:
    from cuvee.installers.windows.msi import build_msi
    from cuvee.installers.windows.signing import configured

    signer = configured(os.environ)
    return build_msi(image, exe=exe, looks=looks, target=target, reporter=reporter, signer=signer)


def _pkg(image: Image, looks: Looks, target: Path, reporter: Reporter) -> Path:
    from cuvee.installers.pkg import build_pkg

    return build_pkg(
        image,
        identifier=looks.identifier or f"local.{image.label.distribution}",
        license_text=looks.license_text,
        welcome_text=looks.welcome,
        target=target,
        reporter=reporter,
    )


FORMATS: Mapping[str, Build] = {"sh": _sh, "exe": _exe, "msi": _msi, "pkg": _pkg}
"""What makes each format that cuvee can make. Each gives the same bytes for the same image and looks, and
raises `ToolMissingError` for a program that this host lacks."""


def in_order(kinds: Iterable[str]) -> list[str]:
    """Give formats in the order in which to make them: an `.msi` holds the `.exe`, so that comes first."""
    return sorted(kinds, key="msi".__eq__)


def make(
    kind: str, image: Image, looks: Looks, target: Path, reporter: Reporter, *, exe: Path | None = None
) -> Path:
    """Make the installer of one format; give ``target``.

    Parameters
    ----------
    exe
        The `.exe` of the same image and looks, if there is one already: an `.msi` holds it, and makes its own
        otherwise. The bytes are the same either way, signatures aside.
    """
    if kind == "msi" and exe is not None:
        return _msi_around(exe, image, looks, target, reporter)
    return FORMATS[kind](image, looks, target, reporter)


def file_name(image: Image, kind: str) -> str:
    """Give an installer's file name: ``Starter-2026.11.0-Linux-x86_64.sh``."""
    name = image.label.distribution
    return f"{name[:1].upper()}{name[1:]}-{image.label.version}-{get(image.platform).label}.{kind}"

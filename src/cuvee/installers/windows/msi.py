"""The `.msi` installer: a Windows Installer database that contains the `.exe`, for managed deployment.

https://learn.microsoft.com/windows/win32/msi/windows-installer-portal
"""

import mmap
import operator
import re
import shutil
import uuid
from pathlib import Path

from cuvee.errors import TooLargeError, UsageError
from cuvee.files import replacing, sha256_file
from cuvee.image.model import Image
from cuvee.installers.branding import Branding
from cuvee.installers.jinja_templates import render, xml_line
from cuvee.installers.naming import display_name
from cuvee.installers.windows import msi_actions
from cuvee.installers.windows.osslsigncode import Osslsigncode
from cuvee.installers.windows.wixl import Wixl
from cuvee.progress import Reporter
from cuvee.temporary_folders import temporary_folder

_NAMESPACE = uuid.UUID("5d2c7c0e-3c86-5b0e-9d6c-0f1f6a3f7c11")
"""The namespace of all identifiers. It must never change: Windows identifies products by them."""

_LARGEST = (1 << 31) - (64 << 20)
"""A database must stay below 2 GiB."""

_FIRST = msi_actions.FIRST_INSTALLATION
_SECURE = ";".join(("INSTALLDIR", "FOUNDFORALL", "FOUNDFORME", *msi_actions.OPTIONS, "NEWER", "OLDER"))
_CORRECTIONS = (
    # Properties that a command line may set when the installation needs an administrator.
    f"UPDATE `Property` SET `Value` = '{_SECURE}' WHERE `Property` = 'SecureCustomProperties'",  # noqa: S608
    # The older product is removed after the upgrade in place, within the same transaction. By then its
    # folder has the newer release, which the removal does not touch. The newer product is registered last,
    # so that the removal of the older one does not undo any of it.
    "INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ('InstallExecute', 1530)",
    "UPDATE `InstallExecuteSequence` SET `Sequence` = 1540 WHERE `Action` = 'RemoveExistingProducts'",
    # Not if it is asked to remove or repair what is not installed.
    f"UPDATE `InstallExecuteSequence` SET `Condition` = '{_FIRST}' WHERE `Action` = 'RemoveExistingProducts'",  # noqa: S608
    # HKLM or HKCU, depending on the scope of the installation; wixl writes 4.
    "UPDATE `Registry` SET `Root` = -1",
    # A raw value, in the registry's 64-bit view, to which it was written.
    "UPDATE `RegLocator` SET `Type` = 18",
)
"""Statements that correct the database where wixl lacks a feature or writes a wrong value."""

_EPOCH_2020 = 132_223_104_000_000_000
"""2020-01-01 UTC as a FILETIME: 100 ns since 1601."""
_FILETIME = b"\x40\0\0\0"
_GUID = re.compile(rb"\{[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}\}")
_VERSION = re.compile(r"[0-9]{1,9}(?:[._-][0-9]{1,9})*")
_SHORT = 8
_PARTS, _MOST, _CENTURY = 3, (255, 255, 65535), 2000


def build_msi(
    image: Image,
    *,
    exe: Path,
    branding: Branding,
    target: Path,
    reporter: Reporter,
    signer: Osslsigncode | None = None,
) -> Path:
    """Write the installer of ``image`` to ``target``, whole or not at all; return ``target``.

    It is reproducible, but for signatures.

    Parameters
    ----------
    exe
        The result of `build_exe` for the same image.

    Raises
    ------
    UsageError
        If the release's version cannot be one of Windows Installer.
    ToolMissingError
        If wixl or msibuild is absent or too old.
    TooLargeError
        If the installer would be larger than Windows Installer supports.
    """
    wixl = Wixl.find()
    _check_size(exe.stat().st_size)
    reporter.start(target.name)
    with temporary_folder("msi") as folder:
        (folder / "setup.exe").symlink_to(exe.resolve())
        if branding.icon is not None:
            shutil.copyfile(branding.icon, folder / "icon.ico")
        (folder / "installer.wxs").write_bytes(_description(image, branding))
        wixl.compile(folder / "installer.wxs", folder / "made.msi")
        name = display_name(image.label.distribution)
        wixl.change(folder / "made.msi", (*msi_actions.queries(name), *_CORRECTIONS, _short(name)))
        _fix(folder / "made.msi", uuid.uuid5(_NAMESPACE, f"package {sha256_file(exe)}"))
        with replacing(target) as beside:
            shutil.copyfile(folder / "made.msi", beside)
            if signer is not None:
                signer.sign(beside)
    reporter.finish(target.name, note=f"{target.stat().st_size / 1e6:,.1f} MB")
    return target


def check_msi(image: Image) -> None:
    """Raise the errors of `build_msi` that can be found before the ``.exe`` is made."""
    Wixl.find()
    msi_version(image.label.version)
    _check_size(image.payload.stat().st_size)


def _check_size(size: int) -> None:
    if size > _LARGEST:
        raise TooLargeError(
            f"The .msi would hold an .exe of {size / 2**30:.1f} GiB; Windows Installer supports less than 2",
            hint="Leave msi out of the manifest's formats, and deploy the .exe: it has /S and exit codes.",
        )


def upgrade_code(distribution: str) -> str:
    """Return the UpgradeCode, which all releases of a distribution share."""
    return _identifier(f"upgrade {distribution}")


def product_code(distribution: str, version: str) -> str:
    """Return the ProductCode of one release."""
    return _identifier(f"product {distribution} {version}")


def msi_version(version: str) -> str:
    """Return a release's version for Windows Installer, whose first part is at most 255: ``26.11.0``.

    https://learn.microsoft.com/windows/win32/msi/productversion

    Raises
    ------
    UsageError
        If it would not order releases as their own versions do.
    """
    numbers = [int(part) for part in re.split(r"[._-]", version)] if _VERSION.fullmatch(version) else []
    if numbers and numbers[0] >= _CENTURY:
        numbers[0] -= _CENTURY
    first, rest = (numbers + [0] * _PARTS)[:_PARTS], numbers[_PARTS:]
    if not numbers or any(rest) or any(map(operator.gt, first, _MOST)):
        raise UsageError(
            f"{version} cannot be the version of an .msi: Windows Installer compares three numbers",
            hint="It supports 0.0.0 to 255.255.65535, and years from 2000 to 2255 as the first number.",
        )
    return ".".join(map(str, first))


def _description(image: Image, branding: Branding) -> bytes:
    label, title = image.label, xml_line(image.label.title)
    values: dict[str, object] = {
        "product_code": product_code(label.distribution, label.version),
        "upgrade_code": upgrade_code(label.distribution),
        "component": _identifier(f"place {label.distribution}"),
        "label": f"{title} {label.version}",
        "title_in_message": re.sub(r"[][{}]", r"[\\\g<0>]", title),
        "release": label.version,
        "version": msi_version(label.version),
        "publisher": xml_line(branding.publisher) or title,
        "url": xml_line(branding.url),
        "icon": branding.icon is not None,
        "needed_kb": image.size_on_disk // 1024,
        "setup": msi_actions.SETUP,
        "name": display_name(image.label.distribution),
        "key": f"Software\\cuvee\\{display_name(image.label.distribution)}",
    }
    # wixl replaces variables such as $(env.HOME) in all values.
    quoted = {
        name: value.replace("$", "$(var.dollar)") if isinstance(value, str) else value
        for name, value in values.items()
    }
    return render("windows/installer.wxs.j2", quoted)


def _short(name: str) -> str:
    """Return the statement that sets the folder's name: a short name of 8.3 form, then the whole name."""
    plain = re.sub(r"[^A-Z0-9]", "", name.upper())
    both = name if plain == name.upper() and len(plain) <= _SHORT else f"{plain[: _SHORT - 2]}~1|{name}"
    return f"UPDATE `Directory` SET `DefaultDir` = '{both}' WHERE `Directory` = 'INSTALLDIR'"  # noqa: S608


def _identifier(text: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, text)).upper()


def _fix(database: Path, package: uuid.UUID) -> None:
    """Replace the values of wixl that are random or a time: the package code and two times."""
    known = re.escape(b"Installation Database")
    with database.open("r+b") as stream, mmap.mmap(stream.fileno(), 0) as data:
        codes = [
            found.span()
            for found in _GUID.finditer(data)
            if re.search(known, data[max(0, found.start() - 1024) : found.start() + 1024])
        ]
        if len(codes) != 1:
            raise AssertionError(f"wixl wrote {len(codes)} package codes")
        ((at, end),) = codes
        data[at:end] = f"{{{str(package).upper()}}}".encode()
        start = max(0, at - 1024)
        for found in re.finditer(re.escape(_FILETIME), data[start : end + 1024]):
            time = start + found.end()
            data[time : time + 8] = _EPOCH_2020.to_bytes(8, "little")

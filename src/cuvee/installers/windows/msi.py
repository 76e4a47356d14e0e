"""The `.msi` installer: a small database around the `.exe`, for those who deploy with Windows Installer."""

import re
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cuvee.errors import BlockedError, UsageError
from cuvee.files import replacing, sha256_file
from cuvee.image import Image
from cuvee.installers.looks import Looks
from cuvee.installers.windows.exe import Signer, short_name
from cuvee.installers.windows.wixl import Wixl
from cuvee.progress import Reporter

_NAMESPACE = uuid.UUID("5d2c7c0e-3c86-5b0e-9d6c-0f1f6a3f7c11")
"""From which all identifiers follow. It must never change: Windows knows products by them."""

_LARGEST = (1 << 31) - (64 << 20)
"""A database must stay below 2 GiB."""

# Types of custom actions: run a stored program, deferred; as the system instead of the user; on rollback;
# its exit code does not matter.
_RUN, _AS_SYSTEM, _ON_ROLLBACK, _WHATEVER = 2 + 1024, 2048, 256, 64
_SET_PROPERTY = 51

_OPTIONS = {
    "ADDTOPATH": "AddToPath",
    "REGISTERPYTHON": "RegisterPython",
    "NOSHORTCUTS": "NoShortcuts",
    "NOSCRIPTS": "NoScripts",
    "NOKEEP": "NoKeep",
}
"""Properties, and what they are for the `.exe`. What is not said is as it was, or as it is by default."""
_SECURE = ";".join(("INSTALLDIR", "FOUNDFORALL", "FOUNDFORME", *_OPTIONS, "NEWER", "OLDER"))
_MENDINGS = (
    # What may be set on a command line that asks for administrators' rights.
    f"UPDATE `Property` SET `Value` = '{_SECURE}' WHERE `Property` = 'SecureCustomProperties'",  # noqa: S608
    # An older product goes when the upgrade in place is done, within the same transaction. By then its
    # folder holds the newer release, which its own removal leaves alone. What is registered for the newer
    # product comes last, so the older one's end takes nothing of it away.
    "INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ('InstallExecute', 1530)",
    "UPDATE `InstallExecuteSequence` SET `Sequence` = 1540 WHERE `Action` = 'RemoveExistingProducts'",
    # The machine's part of the registry or the user's, as the installation is; wixl writes 4 for it.
    "UPDATE `Registry` SET `Root` = -1",
    # A raw value, in the registry's 64-bit view, where it has been written.
    "UPDATE `RegLocator` SET `Type` = 18",
)
"""What wixl can not say, or says wrongly."""

_EPOCH_2020 = 132_223_104_000_000_000
"""2020-01-01 UTC, as Windows counts: 100 ns since 1601."""
_FILETIME = b"\x40\0\0\0"
_GUID = re.compile(rb"\{[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}\}")
_PARTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    """A custom action, and its place in the sequence, where InitializeInstall is 1500 and the end 6600."""

    name: str
    kind: int
    source: str
    target: str
    place: int
    condition: str

    def queries(self) -> tuple[str, str]:
        """Give what stores it; wixl stores no such actions, and orders others as it likes."""
        # All of it is our own words.
        action = f"'{self.name}', {self.kind}, '{self.source}', '{self.target}'"
        step = f"'{self.name}', '{self.condition}', {self.place}"
        return (
            f"INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ({action})",  # noqa: S608
            f"INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ({step})",  # noqa: S608
        )


def build_msi(
    image: Image, *, exe: Path, looks: Looks, target: Path, reporter: Reporter, signer: Signer | None = None
) -> Path:
    """Write the installer of ``image`` to ``target``, whole or not at all; give ``target``.

    The same ``exe`` and looks give the same bytes, signatures aside.

    Parameters
    ----------
    exe
        What `build_exe` made of the same image.

    Raises
    ------
    UsageError
        If the release's number can not be one of Windows Installer.
    ToolMissingError
        If wixl or msibuild is absent or too old.
    BlockedError
        If the installer would be larger than Windows Installer bears.
    """
    wixl = Wixl.find()
    if exe.stat().st_size > _LARGEST:
        raise BlockedError(
            f"{exe.name} has {exe.stat().st_size / 2**30:.1f} GiB, and an .msi bears less than 2",
            hint="Deploy the .exe itself: it takes /S and answers with exit codes.",
        )
    reporter.start(target.name)
    with TemporaryDirectory(prefix="cuvee-msi-") as name:
        folder = Path(name)
        (folder / "setup.exe").symlink_to(exe.resolve())
        actions = _actions(short_name(image))
        (folder / "installer.wxs").write_text(_render(image, looks), encoding="utf-8")
        wixl.compile(folder / "installer.wxs", folder / "made.msi")
        queries = (*(query for action in actions for query in action.queries()), *_MENDINGS)
        wixl.change(folder / "made.msi", queries)
        _fix(folder / "made.msi", uuid.uuid5(_NAMESPACE, f"package {sha256_file(exe)}"))
        with replacing(target) as beside:
            shutil.copyfile(folder / "made.msi", beside)
            if signer is not None:
                signer.sign(beside)
    reporter.finish(target.name, note=f"{target.stat().st_size / 1e6:,.1f} MB")
    return target


def upgrade_code(distribution: str) -> str:
    """Give what all releases of a distribution have in common."""
    return _identifier(f"upgrade {distribution}")


def product_code(distribution: str, version: str) -> str:
    """Give what Windows knows one release by."""
    return _identifier(f"product {distribution} {version}")


def msi_version(version: str) -> str:
    """Give a release's number as Windows Installer bears it, whose first part ends at 255: ``26.11.0``.

    Raises
    ------
    UsageError
        If the release is of a year that can't be told so.
    """
    parts = [int(part) for part in version.split(".") if part.isdigit()]
    if len(parts) != _PARTS or not 2000 <= parts[0] <= 2255:  # noqa: PLR2004
        raise UsageError(f"{version} can not be the number of an .msi: it takes the years 2000 to 2255")
    return f"{parts[0] - 2000}.{parts[1]}.{parts[2]}"


def _actions(name: str) -> list[_Action]:
    """Say what happens when: where to, which options, and the work, for all users or for one."""
    everybody = "(ALLUSERS=1 OR (ALLUSERS=2 AND NOT MSIINSTALLPERUSER=1))"
    found = [
        _set("UpgradeAll", "INSTALLDIR", "[FOUNDFORALL]", 60, f"FOUNDFORALL AND {everybody}"),
        _set("UpgradeMe", "INSTALLDIR", "[FOUNDFORME]", 61, f"FOUNDFORME AND NOT {everybody}"),
        _set(
            "UserFolder",
            "INSTALLDIR",
            f"[LocalAppDataFolder]Programs\\{name}",
            62,
            f"NOT INSTALLDIR AND NOT {everybody}",
        ),
    ]
    for place, (key, option) in enumerate(_OPTIONS.items(), 70):
        found.append(_set(option, "Options", f"[Options] /{option}=[{key}]", place, f'{key}<>""'))
    return found + _work(everybody)


def _set(name: str, key: str, value: str, place: int, condition: str) -> _Action:
    return _Action(name=name, kind=_SET_PROPERTY, source=key, target=value, place=place, condition=condition)


def _work(everybody: str) -> list[_Action]:
    install, remove = "/S /NoProgram=1[Options]", "/S /uninstall /Managed=1"
    first, repair = "NOT Installed", 'REINSTALL AND NOT REMOVE="ALL"'
    found = []
    for who, kind, scope, whose in (
        ("All", _RUN + _AS_SYSTEM, "AllUsers", everybody),
        ("Me", _RUN, "JustMe", f"NOT {everybody}"),
    ):
        for action, more, options, place, condition in (
            ("Remove", 0, remove, 1510, 'REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE'),
            ("Install", 0, install, 1520, first),
            # For what fails later: installing itself leaves nothing behind, nor does an upgrade.
            ("Undo", _ON_ROLLBACK + _WHATEVER, remove, 1521, f"{first} AND NOT OLDER"),
            ("Repair", 0, "/S /repair /NoProgram=1", 1522, repair),
        ):
            found.append(
                _Action(
                    name=f"{action}{who}",
                    kind=kind + more,
                    source="Setup",
                    target=f'{options} /InstallationType={scope} "/D=[INSTALLDIR]"',
                    place=place,
                    condition=f"({condition}) AND {whose}",
                )
            )
    return found


def _render(image: Image, looks: Looks) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cuvee.installers.windows", "."),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
    )
    label, title = image.label, " ".join(image.label.title.split())
    return environment.get_template("installer.wxs.j2").render(
        product_code=product_code(label.distribution, label.version),
        upgrade_code=upgrade_code(label.distribution),
        component=_identifier(f"place {label.distribution}"),
        label=f"{title} {label.version}",
        title=title,
        version=msi_version(label.version),
        publisher=looks.publisher or title,
        url=looks.url,
        name=short_name(image),
        key=f"Software\\cuvee\\{short_name(image)}",
    )


def _identifier(text: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, text)).upper()


def _fix(database: Path, package: uuid.UUID) -> None:
    """Replace what wixl takes from chance and clock: the package's code and two times."""
    data = database.read_bytes()
    known = re.escape(b"Installation Database")
    codes = [
        found
        for found in _GUID.finditer(data)
        if re.search(known, data[max(0, found.start() - 1024) : found.start() + 1024])
    ]
    if len(codes) != 1:
        raise AssertionError(f"wixl wrote {len(codes)} package codes")
    (code,) = codes
    fixed = bytearray(data)
    fixed[code.start() : code.end()] = f"{{{str(package).upper()}}}".encode()
    start = max(0, code.start() - 1024)
    for found in re.finditer(re.escape(_FILETIME), data[start : code.end() + 1024]):
        at = start + found.end()
        fixed[at : at + 8] = _EPOCH_2020.to_bytes(8, "little")
    database.write_bytes(fixed)

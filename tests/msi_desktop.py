"""Windows Installer in tests: packages installed under Wine, and what it knows of them afterwards."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from cuvee import process
from cuvee.process import Request
from needed_programs import HANGING, needed
from wine_desktop import Wine, windows

UNINSTALL = r"Software\Microsoft\Windows\CurrentVersion\Uninstall"
_UPGRADES = r"HKLM\Software\Microsoft\Windows\CurrentVersion\Installer\UpgradeCodes"
_KEYS = ("InstallLocation", "ProductName", "Publisher", "State", "VersionString")
_ASK = r"""
import ctypes, json, sys
msi, upgrade = ctypes.windll.msi, sys.argv[1]
def info(code, context, key):
    size = ctypes.c_uint(1000)
    text = ctypes.create_unicode_buffer(1000)
    done = msi.MsiGetProductInfoExW(code, None, context, key, text, ctypes.byref(size))
    return text.value if done == 0 else None
found, code = {}, ctypes.create_unicode_buffer(39)
while msi.MsiEnumRelatedProductsW(upgrade, 0, len(found), code) == 0:
    whose = {context: {key: info(code.value, context, key) for key in sys.argv[2:]} for context in (2, 4)}
    found[code.value] = {context: shown for context, shown in whose.items() if shown["State"]}
print(json.dumps(found))
"""
_REINSTALL = """
import ctypes, sys
ctypes.windll.msi.MsiSetInternalUI(2, None)
if len(sys.argv) > 2:
    ctypes.windll.msi.MsiEnableLogW(0x1FFF, sys.argv[2], 0)
print(ctypes.windll.msi.MsiReinstallProductW(sys.argv[1], 0x382))
"""


def msiexec(wine: Wine, what: str, msi: Path | str, log: Path, *properties: str) -> int:
    """Run ``msiexec`` silently, with a log; give what Linux sees of its exit code: the last byte."""
    package = windows(msi) if isinstance(msi, Path) else msi
    done = wine.run("msiexec", what, package, "/qn", "/l*v", windows(log), *properties, timeout=HANGING)
    assert not done.timed_out
    return done.exit_code


def reinstall(wine: Wine, python: Path, code: str, *log: Path) -> int:
    """Do what ``msiexec /fa CODE /l*v LOG`` does, which Wine 8's own msiexec does not; give the exit code."""
    done = wine.run(python, "-c", _REINSTALL, code, *map(windows, log), timeout=HANGING)
    assert done.ok, done
    return int(done.stdout.split()[-1])


def products(wine: Wine, python: Path, upgrade: str) -> dict[str, dict[str, dict[str, str | None]]]:
    """Ask Windows Installer for the products of an upgrade code, by product code.

    Of each it tells by context, which is ``4`` for the machine's and ``2`` for a user's own, what it knows.
    """
    done = wine.run(python, "-c", _ASK, upgrade, *_KEYS)
    assert done.ok, done
    found: dict[str, dict[str, dict[str, str | None]]] = json.loads(done.stdout)
    return found


def ended(log: Path, action: str) -> list[str]:
    """Return how an action ended, each time, as a package's log tells: 1 is success."""
    lines = (line for line in log.read_text(errors="replace").splitlines() if "Action ended" in line)
    return [line.rpartition("Return value ")[2].rstrip(".") for line in lines if f" {action}. " in line]


def told(wine: Wine, name: str, verb: str) -> tuple[str, int, str]:
    """Return what the `.exe` that did the work tells administrators: verb, exit code and release."""
    (path,) = wine.drive.glob(f"[Ww]indows/[Ll]ogs/{name}/{verb}.json")
    value = json.loads(path.read_bytes())
    return value["verb"], value["exit_code"], value["version"]


def related(wine: Wine, upgrade: str) -> int:
    """Count the products below an upgrade code in the machine's part of the registry."""
    return len(wine.registry(rf"{_UPGRADES}\{packed(upgrade)}"))


def packed(code: str) -> str:
    """Spell a code ``{…}`` as Windows Installer spells keys of the registry: its parts backwards."""
    one, two, three, *rest = code.strip("{}").split("-")
    pairs = re.findall("..", "".join(rest))
    return "".join(part[::-1] for part in (one, two, three, *pairs))


@dataclass(frozen=True)
class Database:
    """What msitools read in a package: tables as rows of texts by column."""

    path: Path

    def table(self, name: str) -> list[dict[str, str]]:
        """Return the rows of a table."""
        lines = self._ask("export", name).replace("\r", "").split("\n")
        columns = lines[0].split("\t")
        return [dict(zip(columns, line.split("\t"), strict=True)) for line in lines[3:] if line]

    def keys(self, name: str) -> list[str]:
        """Return the columns that make a row's key."""
        return self._ask("export", name).replace("\r", "").split("\n")[2].split("\t")[1:]

    def kinds(self, name: str) -> dict[str, str]:
        """Return the types of a table's columns: ``s72`` is a text of 72 characters, ``S72`` one or none."""
        columns, kinds, *_ = self._ask("export", name).replace("\r", "").split("\n")
        return dict(zip(columns.split("\t"), kinds.split("\t"), strict=True))

    def properties(self) -> dict[str, str]:
        """Return the table Property."""
        return {row["Property"]: row["Value"] for row in self.table("Property")}

    def tables(self) -> list[str]:
        """Return the names of all tables, without those that a database always has."""
        return [name for name in self._ask("tables").split() if not name.startswith("_")]

    def summary(self) -> dict[str, str]:
        """Return the summary information, as msiinfo shows it."""
        lines = (line.partition(":") for line in self._ask("suminfo").splitlines())
        return {key.strip(): value.strip() for key, _, value in lines}

    def _ask(self, command: str, *more: str) -> str:
        program = needed("msiinfo")
        # It writes the files of a table with files into its folder.
        argv = (program, command, str(self.path), *more)
        done = process.run(Request(argv=argv, cwd=self.path.parent, timeout=HANGING))
        assert done.ok, done
        return done.stdout

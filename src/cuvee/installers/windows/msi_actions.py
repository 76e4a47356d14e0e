"""The custom actions of an `.msi`, as SQL statements that add them to its tables and sequences.

https://learn.microsoft.com/windows/win32/msi/custom-actions
"""

from dataclasses import dataclass

# Types of custom actions: run a stored program, deferred; as the system, not the user; only on rollback;
# ignore the exit code. https://learn.microsoft.com/windows/win32/msi/custom-action-in-script-execution-options
_RUN, _AS_SYSTEM, _ON_ROLLBACK, _IGNORE_EXIT_CODE = 2 + 1024, 2048, 256, 64
_SET_PROPERTY = 51

OPTIONS = {
    "ADDTOPATH": "AddToPath",
    "REGISTERPYTHON": "RegisterPython",
    "NOSHORTCUTS": "NoShortcuts",
    "NOSCRIPTS": "NoScripts",
    "NOKEEP": "NoKeep",
    "KEEPINSTALLER": "KeepInstaller",
    "KEY": "key",
    "NEWKEY": "newkey",
}
"""Properties, and the options of the `.exe` to which they are passed if they are set."""

SETUP = "Setup"
"""The name of the `.exe` in the table Binary."""

FIRST_INSTALLATION = "NOT Installed AND $Place=3"
"""Holds if it is not asked to remove, repair or advertise a product that is not installed.

For these, `NOT Installed` holds as well. But the component is only installed, state 3, by an installation.
https://learn.microsoft.com/windows/win32/msi/conditional-statement-syntax
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    """A custom action and its number in the sequence, in which InstallInitialize is 1500 and the end 6600."""

    name: str
    kind: int
    source: str
    target: str
    number: int
    condition: str
    shown: bool = False
    """Also in InstallUISequence, which runs first and passes its properties on."""

    def queries(self) -> tuple[str, ...]:
        """Return the statements that add it; wixl does not support such actions and such an order."""
        # All values are constants of this module, so nothing needs to be quoted.
        action = f"'{self.name}', {self.kind}, '{self.source}', '{self.target}'"
        step = f"'{self.name}', '{self.condition}', {self.number}"
        sequences = ("InstallExecuteSequence", *(("InstallUISequence",) if self.shown else ()))
        return (
            f"INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ({action})",  # noqa: S608
            *(
                f"INSERT INTO `{sequence}` (`Action`, `Condition`, `Sequence`) VALUES ({step})"  # noqa: S608
                for sequence in sequences
            ),
        )


def queries(name: str) -> tuple[str, ...]:
    """Return the statements that add all actions for the distribution that Windows shows as ``name``."""
    actions = (*_folders(name), *_options(), *_work())
    return tuple(query for action in actions for query in action.queries())


def _folders(name: str) -> tuple[_Action, ...]:
    """Return the actions that set the scope and the folder: an upgrade keeps those of the older release.

    An installation for one user keeps that scope when it is removed without stating it again.
    """
    mine = "(Installed AND FOUNDFORME AND NOT FOUNDFORALL)"
    local = f"[LocalAppDataFolder]Programs\\{name}"
    everybody = f"(ALLUSERS=1 OR (ALLUSERS=2 AND NOT MSIINSTALLPERUSER=1)) AND NOT {mine}"
    return (
        _set("Scope", "Everybody", "1", 55, everybody, shown=True),
        _set("UpgradeAll", "INSTALLDIR", "[FOUNDFORALL]", 60, "FOUNDFORALL AND Everybody", shown=True),
        _set("UpgradeMe", "INSTALLDIR", "[FOUNDFORME]", 61, "FOUNDFORME AND NOT Everybody", shown=True),
        _set("UserFolder", "INSTALLDIR", local, 62, "NOT INSTALLDIR AND NOT Everybody", shown=True),
        # For software inventories; the folder is final after CostFinalize.
        _set("ShowFolder", "ARPINSTALLLOCATION", "[INSTALLDIR]", 1010, ""),
    )


def _options() -> tuple[_Action, ...]:
    return tuple(
        _set(option, "Options", f'[Options] "/{option}=[{key}]"', number, f'{key}<>""')
        for number, (key, option) in enumerate(OPTIONS.items(), 70)
    )


def _set(name: str, key: str, value: str, number: int, condition: str, *, shown: bool = False) -> _Action:
    return _Action(
        name=name,
        kind=_SET_PROPERTY,
        source=key,
        target=value,
        number=number,
        condition=condition,
        shown=shown,
    )


def _work() -> tuple[_Action, ...]:
    """Return the actions that run the `.exe`, as the system for all users and as the user for one."""
    install, remove = "/S /NoProgram=1 /Managed=1[Options]", "/S /uninstall /Managed=1"
    repair = 'Installed AND REINSTALL AND NOT REMOVE="ALL"'
    return tuple(
        _Action(
            name=f"{action}{who}",
            kind=kind + more,
            source=SETUP,
            target=f'{options} /InstallationType={scope} "/D=[INSTALLDIR]"',
            number=number + later,
            condition=f"({condition}) AND {whose}",
        )
        # No two numbers are the same, since the order of equal ones is undefined.
        for who, kind, scope, whose, later in (
            ("All", _RUN + _AS_SYSTEM, "AllUsers", "Everybody", 0),
            ("Me", _RUN, "JustMe", "NOT Everybody", 1),
        )
        for action, more, options, number, condition in (
            ("Remove", 0, remove, 1510, 'Installed AND REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE'),
            ("Install", 0, install, 1520, FIRST_INSTALLATION),
            # If a later action fails. A failed installation or upgrade undoes its own changes.
            ("Undo", _ON_ROLLBACK + _IGNORE_EXIT_CODE, remove, 1522, f"{FIRST_INSTALLATION} AND NOT OLDER"),
            ("Repair", 0, "/S /repair /NoProgram=1 /Managed=1", 1524, repair),
        )
    )

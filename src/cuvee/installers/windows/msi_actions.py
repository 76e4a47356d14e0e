"""What an `.msi` does: custom actions, and their places in its sequences, as statements that store them."""

from dataclasses import dataclass

# Types of custom actions: run a stored program, deferred; as the system instead of the user; on rollback;
# its exit code does not matter.
_RUN, _AS_SYSTEM, _ON_ROLLBACK, _WHATEVER = 2 + 1024, 2048, 256, 64
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
"""Properties, and what they are for the `.exe`. What is not said is as it was, or as it is by default."""

SETUP = "Setup"
"""The `.exe` in the table of stored programs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    """A custom action, and its place in the sequence, where InitializeInstall is 1500 and the end 6600."""

    name: str
    kind: int
    source: str
    target: str
    place: int
    condition: str
    shown: bool = False
    """Also in the sequence before that, in which Windows asks the user, and hands over what it has found."""

    def queries(self) -> tuple[str, ...]:
        """Give what stores it; wixl stores no such actions, and orders others as it likes."""
        # All of it is our own words.
        action = f"'{self.name}', {self.kind}, '{self.source}', '{self.target}'"
        step = f"'{self.name}', '{self.condition}', {self.place}"
        sequences = ("InstallExecuteSequence", *(("InstallUISequence",) if self.shown else ()))
        return (
            f"INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ({action})",  # noqa: S608
            *(
                f"INSERT INTO `{sequence}` (`Action`, `Condition`, `Sequence`) VALUES ({step})"  # noqa: S608
                for sequence in sequences
            ),
        )


def queries(name: str) -> tuple[str, ...]:
    """Give what stores all actions of the distribution that Windows shows as ``name``."""
    actions = (*_places(name), *_options(), *_work())
    return tuple(query for action in actions for query in action.queries())


def _places(name: str) -> tuple[_Action, ...]:
    """Say for whom, and where: an installation is followed by the next one of the same scope.

    What is there for one user alone is that user's, also for who removes it without saying so again.
    """
    mine = "(Installed AND FOUNDFORME AND NOT FOUNDFORALL)"
    local = f"[LocalAppDataFolder]Programs\\{name}"
    everybody = f"(ALLUSERS=1 OR (ALLUSERS=2 AND NOT MSIINSTALLPERUSER=1)) AND NOT {mine}"
    return (
        _set("Scope", "Everybody", "1", 55, everybody, shown=True),
        _set("UpgradeAll", "INSTALLDIR", "[FOUNDFORALL]", 60, "FOUNDFORALL AND Everybody", shown=True),
        _set("UpgradeMe", "INSTALLDIR", "[FOUNDFORME]", 61, "FOUNDFORME AND NOT Everybody", shown=True),
        _set("UserFolder", "INSTALLDIR", local, 62, "NOT INSTALLDIR AND NOT Everybody", shown=True),
        # What inventories look for; it is known when the costs are.
        _set("ShowFolder", "ARPINSTALLLOCATION", "[INSTALLDIR]", 1010, ""),
    )


def _options() -> tuple[_Action, ...]:
    return tuple(
        _set(option, "Options", f'[Options] "/{option}=[{key}]"', place, f'{key}<>""')
        for place, (key, option) in enumerate(OPTIONS.items(), 70)
    )


def _set(name: str, key: str, value: str, place: int, condition: str, *, shown: bool = False) -> _Action:
    return _Action(
        name=name,
        kind=_SET_PROPERTY,
        source=key,
        target=value,
        place=place,
        condition=condition,
        shown=shown,
    )


def _work() -> tuple[_Action, ...]:
    """Say what the `.exe` does when, as the system for all users and as the user for one."""
    install, remove = "/S /NoProgram=1 /Managed=1[Options]", "/S /uninstall /Managed=1"
    first, repair = "NOT Installed", 'REINSTALL AND NOT REMOVE="ALL"'
    return tuple(
        _Action(
            name=f"{action}{who}",
            kind=kind + more,
            source=SETUP,
            target=f'{options} /InstallationType={scope} "/D=[INSTALLDIR]"',
            place=place + later,
            condition=f"({condition}) AND {whose}",
        )
        # No two places are the same: nothing else would say what comes first.
        for who, kind, scope, whose, later in (
            ("All", _RUN + _AS_SYSTEM, "AllUsers", "Everybody", 0),
            ("Me", _RUN, "JustMe", "NOT Everybody", 1),
        )
        for action, more, options, place, condition in (
            ("Remove", 0, remove, 1510, 'REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE'),
            ("Install", 0, install, 1520, first),
            # For what fails later: installing itself leaves nothing behind, nor does an upgrade.
            ("Undo", _ON_ROLLBACK + _WHATEVER, remove, 1522, f"{first} AND NOT OLDER"),
            ("Repair", 0, "/S /repair /NoProgram=1 /Managed=1", 1524, repair),
        )
    )

"""Editing PATH in the registry. The whole value is read and written, so nothing is ever cut off."""

from __future__ import annotations

from . import registry

# The longest value that CreateProcess and the registry editor accept.
LIMIT = 32_000
# By whether it is that of all users.
_KEYS = {False: "Environment", True: r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment"}


def joined(value: str, folders: list[str]) -> str:
    """Return ``value`` with ``folders`` in front; those that it holds already move there."""
    rest = without(value, folders)
    return ";".join([*folders, rest] if rest else folders)


def without(value: str, folders: list[str]) -> str:
    """Return ``value`` without ``folders``; all else stays as it is, empty entries too."""
    gone = {plain(folder) for folder in folders}
    return ";".join(entry for entry in value.split(";") if plain(entry) not in gone)


def add(folders: list[str], *, machine: bool) -> bool:
    """Put ``folders`` in front of PATH; change nothing and return false if it would become too long."""
    value, kind = _read(machine)
    new = joined(value, folders)
    if len(new) > LIMIT:
        return False
    _write(new, kind, machine)
    return True


def remove(folders: list[str], *, machine: bool) -> None:
    """Remove ``folders`` from PATH."""
    value, kind = _read(machine)
    new = without(value, folders)
    if new != value:
        _write(new, kind, machine)


def plain(entry: str) -> str:
    """Return an entry of PATH in the form in which entries are compared."""
    return entry.strip().strip('"').rstrip("\\/").replace("/", "\\").lower()


def _read(machine: bool) -> tuple[str, int]:
    found = registry.read(_KEYS[machine], "Path", machine=machine)
    if found is None:
        return "", registry.EXPANDABLE_TEXT
    value, kind = found
    if kind not in (registry.TEXT, registry.EXPANDABLE_TEXT):
        raise OSError(f"PATH in the registry has the unexpected type {kind}")
    return str(value), kind


def _write(value: str, kind: int, machine: bool) -> None:
    if value:
        registry.write(_KEYS[machine], {"Path": value}, machine=machine, kind=kind)
    else:
        registry.delete_value(_KEYS[machine], "Path", machine=machine)

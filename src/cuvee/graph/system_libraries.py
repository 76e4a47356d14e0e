"""What each operating system brings itself, so that no package need bring it; from a data file."""

import enum
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from cuvee.platforms import System


class Availability(enum.Enum):
    """Where a library of the system is to be found."""

    ALWAYS = "always"
    COMPILER = "compiler"
    USUAL = "usual"
    DESKTOP = "desktop"
    DRIVER = "driver"
    REDISTRIBUTABLE = "redistributable"

    @property
    def lacking(self) -> str | None:
        """Which systems may lack it; `None` if none does."""
        return {
            Availability.USUAL: "small systems may lack it",
            Availability.DESKTOP: "systems without a desktop lack it",
            Availability.DRIVER: "systems without the device's driver lack it",
            Availability.REDISTRIBUTABLE: "systems without Microsoft's Visual C++ runtime lack it",
        }.get(self)


def availability_of(system: System, library: str) -> Availability | None:
    """Give where a system has ``library``, as a binary names it; `None` if it does not bring it."""
    name = library.lower() if system == "win" else library
    if name.startswith(_prefixes(system)):
        return Availability.ALWAYS
    return _tiers(system).get(name)


def newest_symbols(glibc: tuple[int, ...]) -> Mapping[str, tuple[int, ...]]:
    """Give the newest versions of libstdc++'s symbols that every system with that glibc has, by family."""
    known = [(version_tuple(key), value) for key, value in _data()["libstdcxx"].items()]
    older = [(key, value) for key, value in known if key <= glibc]
    if not older:
        return {}
    return {family: version_tuple(text) for family, text in max(older, key=lambda item: item[0])[1].items()}


def version_tuple(text: str) -> tuple[int, ...]:
    """Give ``(2, 28)`` for ``2.28``; what is no number ends it."""
    numbers = []
    for part in text.split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)


@cache
def _data() -> Mapping[str, Any]:
    path = files("cuvee.graph").joinpath("data", "system-libraries.json")
    data: Mapping[str, Any] = json.loads(path.read_bytes())
    return data


@cache
def _tiers(system: System) -> Mapping[str, Availability]:
    known = _data()[system]
    return {name: tier for tier in Availability for name in known.get(tier.value, ())}


@cache
def _prefixes(system: System) -> tuple[str, ...]:
    return tuple(_data()[system].get("prefixes", ()))

"""Libraries that each operating system brings itself, so that no package needs to; from a data file."""

import enum
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TypedDict

from cuvee.platforms import System


class Availability(enum.Enum):
    """Which systems have a library."""

    ALWAYS = "always"
    COMPILER = "compiler"
    USUAL = "usual"
    DESKTOP = "desktop"
    DRIVER = "driver"
    REDISTRIBUTABLE = "redistributable"

    @property
    def lacking(self) -> str | None:
        """Which systems may lack it; `None` if none may."""
        return {
            Availability.USUAL: "small systems may lack it",
            Availability.DESKTOP: "systems without a desktop lack it",
            Availability.DRIVER: "systems without the device's driver lack it",
            Availability.REDISTRIBUTABLE: "systems without Microsoft's Visual C++ runtime lack it",
        }.get(self)


def availability_of(system: System, library: str) -> Availability | None:
    """Return which systems have ``library``, as a binary names it; `None` if it is not a system's."""
    name = library.lower() if system == "win" else library
    if name.startswith(tuple(_data()[system].get("prefixes", ()))):
        return Availability.ALWAYS
    return _availabilities(system).get(name)


def newest_symbols(glibc: tuple[int, ...]) -> Mapping[str, tuple[int, ...]]:
    """Return the newest versions of libstdc++'s symbols that every system with that glibc has, by family.

    Families are ``GLIBCXX`` and ``CXXABI``: https://gcc.gnu.org/onlinedocs/libstdc++/manual/abi.html.
    """
    known = [(version_tuple(key), value) for key, value in _data()["libstdcxx"].items()]
    older = [(key, value) for key, value in known if key <= glibc]
    if not older:
        return {}
    return {family: version_tuple(text) for family, text in max(older, key=lambda item: item[0])[1].items()}


def version_tuple(text: str) -> tuple[int, ...]:
    """Return ``(2, 28)`` for ``2.28``; stops at the first part that is not a number."""
    numbers = []
    for part in text.split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)


class _Data(TypedDict):
    """The data file: libraries by their availability, and symbol versions by glibc's version and family."""

    linux: Mapping[str, list[str]]
    osx: Mapping[str, list[str]]
    win: Mapping[str, list[str]]
    libstdcxx: Mapping[str, Mapping[str, str]]


@cache
def _data() -> _Data:
    data: _Data = json.loads(files("cuvee.graph").joinpath("data", "system-libraries.json").read_bytes())
    return data


@cache
def _availabilities(system: System) -> Mapping[str, Availability]:
    known = _data()[system]
    return {name: found for found in Availability for name in known.get(found.value, ())}

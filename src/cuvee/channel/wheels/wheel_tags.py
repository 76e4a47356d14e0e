"""Wheel tags (PEP 425): the best of several wheels for a platform, and what its tags require of the system.

- https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/
- manylinux: https://peps.python.org/pep-0600/; musllinux (PEP 656) has no conda platform.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms

from cuvee import platforms
from cuvee.channel.wheels.wheel_archive import WheelName

_MANYLINUX = re.compile(r"manylinux_(\d+)_(\d+)_(\w+)")
_LEGACY = {"manylinux1_": (2, 5), "manylinux2010_": (2, 12), "manylinux2014_": (2, 17)}
_MACOS = re.compile(r"macosx_(\d+)_(\d+)_\w+")


def supported_tags(platform: str, python: str, floor: Mapping[str, str]) -> Sequence[Tag]:
    """Return the tags that CPython ``python`` accepts on a platform no older than ``floor``, best first."""
    major, minor = map(int, python.split(".")[:2])
    version, interpreter = (major, minor), f"cp{major}{minor}"
    systems = list(_systems(platform, floor))
    return [
        *cpython_tags(version, abis=[interpreter], platforms=systems),
        *compatible_tags(version, interpreter=interpreter, platforms=systems),
    ]


def _systems(platform: str, floor: Mapping[str, str]) -> Iterable[str]:
    facts = platforms.get(platform)
    if facts.system == "win":
        return [f"win_{facts.wheel_arch}"]
    if facts.system == "osx":
        return mac_platforms(_pair(floor.get("osx", "11.0")), facts.wheel_arch)
    glibc = _pair(floor.get("glibc", "2.17"))
    found = []
    for minor in range(glibc[1], 4, -1):
        found.append(f"manylinux_2_{minor}_{facts.wheel_arch}")
        found += [f"{old}{facts.wheel_arch}" for old, version in _LEGACY.items() if version == (2, minor)]
    return [*found, f"linux_{facts.wheel_arch}"]


def _pair(version: str) -> tuple[int, int]:
    major, _, rest = version.partition(".")
    minor = rest.partition(".")[0]
    return int(major), int(minor or "0")


def best(names: Iterable[WheelName], tags: Sequence[Tag]) -> WheelName | None:
    """Return the wheel whose best tag comes first in ``tags``; of equal ones that with the highest build tag.

    No build tag is the lowest, and its number is compared as a number, as in pip and uv (PEP 427).
    """
    order = {tag: rank for rank, tag in enumerate(tags)}
    ranked = []
    for name in names:
        ranks = [order[tag] for tag in name.tags if tag in order]
        if ranks:
            ranked.append((-min(ranks), name.build, name.file_name, name))
    return max(ranked, key=lambda item: item[:3])[3] if ranked else None


def is_pure(name: WheelName) -> bool:
    """Whether the tags are the same for all platforms and ABIs."""
    return all(tag.platform == "any" and tag.abi == "none" for tag in name.tags)


def system_depends(name: WheelName, platform: str) -> tuple[str, ...]:
    """Return the virtual packages that a platform wheel's tags require: the oldest of several."""
    facts = platforms.get(platform)
    versions = set()
    for tag in name.tags:
        if facts.system == "linux":
            if match := _MANYLINUX.fullmatch(tag.platform):
                versions.add((int(match[1]), int(match[2])))
            versions |= {version for old, version in _LEGACY.items() if tag.platform.startswith(old)}
        elif facts.system == "osx" and (match := _MACOS.fullmatch(tag.platform)):
            versions.add((int(match[1]), int(match[2])))
    if not versions:
        return ()
    virtual = "__glibc" if facts.system == "linux" else "__osx"
    return (f"{virtual} >={'.'.join(map(str, min(versions)))}",)


def minor_of(name: WheelName) -> str | None:
    """Return the minor version of Python in a pure wheel's tags (``cp311-none-any``), if it is only one."""
    interpreters = {tag.interpreter for tag in name.tags}
    if len(interpreters) == 1 and (match := re.fullmatch(r"cp3(\d+)", interpreters.pop())):
        return f"3.{match[1]}"
    return None


def lowest_python(name: WheelName) -> str | None:
    """Return the oldest Python that a pure wheel's tags name (``py310-none-any``), or `None` for any 3."""
    found = [re.fullmatch(r"py3(\d+)", tag.interpreter) for tag in name.tags]
    minors = [int(match[1]) for match in found if match]
    return f"3.{min(minors)}" if minors and all(found) else None

"""The packages to make of the wheels that were resolved: one for all platforms, or one for each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet

from cuvee import platforms
from cuvee.channel.wheels.convert import Conversion
from cuvee.channel.wheels.core_metadata import (
    CoreMetadata,
    parse_entry_points,
    parse_metadata,
    parse_wheel_file,
)
from cuvee.channel.wheels.dependencies import python_spec
from cuvee.channel.wheels.install_scheme import has_headers
from cuvee.channel.wheels.wheel_archive import WheelName, open_wheel
from cuvee.channel.wheels.wheel_tags import is_pure, lowest_python, minor_of, system_depends
from cuvee.errors import IntegrityError

_SYSTEMS = {
    frozenset({"linux"}): "__linux",
    frozenset({"osx"}): "__osx",
    frozenset({"win"}): "__win",
    frozenset({"linux", "osx"}): "__unix",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedWheel:
    """A wheel in the cache, with what planning needs of its content.

    ``is_portable``: it may become a noarch package; ``has_scripts``: it has entry points for scripts.
    """

    path: Path
    sha256: str
    url: str
    name: WheelName
    metadata: CoreMetadata
    is_portable: bool
    has_scripts: bool


def inspect(path: Path, *, file_name: str, sha256: str, url: str) -> InspectedWheel:
    """Read what planning needs from a wheel.

    Raises
    ------
    IntegrityError
        If the wheel is broken or hostile, or its metadata and its file name differ.
    """
    with open_wheel(path, file_name=file_name) as archive:
        metadata = parse_metadata(archive.read(f"{archive.dist_info}/METADATA"), where=file_name)
        if (metadata.name, metadata.version) != (archive.name.name, archive.name.version):
            raise IntegrityError(
                f"{file_name}: METADATA says that it is {metadata.name} {metadata.version}",
                hint="Choose another version of this project, and tell its maintainers.",
            )
        pure_root = parse_wheel_file(archive.read(f"{archive.dist_info}/WHEEL"), where=file_name)
        points = archive.info_file("entry_points.txt") or b""
        return InspectedWheel(
            path=path,
            sha256=sha256,
            url=url,
            name=archive.name,
            metadata=metadata,
            is_portable=pure_root and is_pure(archive.name) and not has_headers(archive),
            has_scripts=bool(parse_entry_points(points, where=file_name)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPackage:
    """A package to make, with its wheel and the platforms that use it."""

    wheel: InspectedWheel
    conversion: Conversion
    platforms: tuple[str, ...]


def plan(
    wheels: Mapping[str, InspectedWheel],
    needs: Mapping[str, tuple[str, ...]],
    minors: Mapping[str, str],
    launcher: str | None,
) -> tuple[PlannedPackage, ...]:
    """Plan the packages of one project.

    Parameters
    ----------
    wheels
        The project's wheel on each platform that needs it.
    needs
        The dependencies of the project on each of them, without `python`.
    minors
        Python's minor version on each platform.
    launcher
        Hex digest of the program that starts scripts on Windows.
    """
    one = next(iter(wheels.values()))
    # If platforms chose different wheels, a noarch package of one of them would be visible to all.
    if one.is_portable and len({wheel.sha256 for wheel in wheels.values()}) == 1:
        groups = _noarch_groups(needs)
        if groups is not None:
            return tuple(_noarch(one, members, marker, needs, minors) for marker, members in groups)
    return tuple(
        _for_platform(wheel, platform, needs[platform], minors[platform], launcher)
        for platform, wheel in wheels.items()
    )


def _noarch_groups(
    needs: Mapping[str, tuple[str, ...]],
) -> tuple[tuple[str | None, tuple[str, ...]], ...] | None:
    """Return noarch groups as (virtual package, platforms); `None` if needs differ within a system."""
    if len(set(needs.values())) == 1:
        return ((None, tuple(needs)),)
    by_system: dict[str, set[tuple[str, ...]]] = {}
    for platform, depends in needs.items():
        by_system.setdefault(platforms.get(platform).system, set()).add(depends)
    if any(len(different) > 1 for different in by_system.values()):
        return None
    return tuple(_by_system({system: different.pop() for system, different in by_system.items()}, needs))


def _by_system(
    depends: Mapping[str, tuple[str, ...]], needs: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for wanted in dict.fromkeys(depends.values()):
        systems = frozenset(system for system, one in depends.items() if one == wanted)
        parts = [systems] if systems in _SYSTEMS else [frozenset({system}) for system in sorted(systems)]
        for part in parts:
            yield _SYSTEMS[part], tuple(name for name in needs if platforms.get(name).system in part)


def _noarch(
    wheel: InspectedWheel,
    members: tuple[str, ...],
    marker: str | None,
    needs: Mapping[str, tuple[str, ...]],
    minors: Mapping[str, str],
) -> PlannedPackage:
    requires = wheel.metadata.requires_python
    if (lowest := lowest_python(wheel.name)) is not None and not _implies(requires, lowest):
        requires &= SpecifierSet(f">={lowest}")
    python = python_spec(requires, minor_of(wheel.name))
    depends = {*needs[members[0]], python, *([marker] if marker else [])}
    conversion = Conversion(
        wheel=wheel.name.file_name,
        sha256=wheel.sha256,
        subdir="noarch",
        minor=minors[members[0]],
        depends=tuple(sorted(depends)),
    )
    return PlannedPackage(wheel=wheel, conversion=conversion, platforms=members)


def _implies(requires: SpecifierSet, lowest: str) -> bool:
    """Whether Requires-Python already asks for ``lowest``, a minor version, or a later one."""
    below = int(lowest.split(".")[1])
    return not any(requires.contains(f"3.{minor}.99") for minor in range(below))


def _for_platform(
    wheel: InspectedWheel, platform: str, needs: tuple[str, ...], minor: str, launcher: str | None
) -> PlannedPackage:
    python = python_spec(wheel.metadata.requires_python, minor)
    with_launcher = wheel.has_scripts and platforms.get(platform).is_windows
    conversion = Conversion(
        wheel=wheel.name.file_name,
        sha256=wheel.sha256,
        subdir=platform,
        minor=minor,
        depends=tuple(sorted({*needs, python, *system_depends(wheel.name, platform)})),
        launcher=launcher if with_launcher else None,
    )
    return PlannedPackage(wheel=wheel, conversion=conversion, platforms=(platform,))

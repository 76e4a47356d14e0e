"""The packages to make of the wheels that were resolved: one for all platforms, or one for each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.specifiers import SpecifierSet

from cuvee import platforms
from cuvee.channel.patches.patch_files import PatchSet
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
    ``sha256`` is that of the wheel of the index; the one at ``path`` has ``patches``, if there are any.
    """

    path: Path
    sha256: str
    url: str
    name: WheelName
    metadata: CoreMetadata
    is_portable: bool
    has_scripts: bool
    patches: PatchSet | None = None


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


def with_byte_code(package: PlannedPackage, minor: str, full_version: str) -> PlannedPackage:
    """Return the package with byte code that a Python of ``full_version`` makes, if it is for its ``minor``.

    Linkers compile noarch packages, since they have no version of Python of their own.
    """
    conversion = package.conversion
    if conversion.subdir == "noarch" or conversion.minor != minor:
        return package
    return replace(package, conversion=replace(conversion, byte_code=full_version))


def plan(
    wheels: Mapping[str, InspectedWheel],
    needs: Mapping[str, tuple[str, ...]],
    minors: Mapping[str, str],
    launcher: str | None,
) -> tuple[PlannedPackage, ...]:
    """Plan the packages of one project.

    Each mapping is by platform: the project's wheel, its dependencies without `python`, and Python's minor
    version. ``launcher`` is the hex digest of the program that starts scripts on Windows.
    """
    one = next(iter(wheels.values()))
    # If platforms chose different wheels, a noarch package of one of them would be visible to all.
    if one.is_portable and len({wheel.sha256 for wheel in wheels.values()}) == 1:
        groups = _noarch_groups(needs)
        if groups is not None:
            python = _noarch_python(one)
            return tuple(
                _planned(one, "noarch", members, minors, depends={*needs[members[0]], python, *markers})
                for markers, members in groups
            )
    packages = []
    for platform, wheel in wheels.items():
        python = python_spec(wheel.metadata.requires_python, minors[platform])
        depends = {*needs[platform], python, *system_depends(wheel.name, platform)}
        used = launcher if wheel.has_scripts and platforms.get(platform).is_windows else None
        packages.append(_planned(wheel, platform, (platform,), minors, depends=depends, launcher=used))
    return tuple(packages)


def _noarch_groups(
    needs: Mapping[str, tuple[str, ...]],
) -> list[tuple[tuple[str, ...], tuple[str, ...]]] | None:
    """Return noarch groups as (virtual packages, platforms); `None` if needs differ within a system."""
    if len(set(needs.values())) == 1:
        return [((), tuple(needs))]
    by_system: dict[str, set[tuple[str, ...]]] = {}
    for platform, depends in needs.items():
        by_system.setdefault(platforms.get(platform).system, set()).add(depends)
    if any(len(different) > 1 for different in by_system.values()):
        return None
    groups: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    for wanted in dict.fromkeys(depends for different in by_system.values() for depends in different):
        systems = frozenset(system for system, different in by_system.items() if wanted in different)
        parts = [systems] if systems in _SYSTEMS else [frozenset({system}) for system in sorted(systems)]
        for part in parts:
            members = tuple(name for name in needs if platforms.get(name).system in part)
            groups.append(((_SYSTEMS[part],), members))
    return groups


def _noarch_python(wheel: InspectedWheel) -> str:
    requires = wheel.metadata.requires_python
    if (lowest := lowest_python(wheel.name)) is not None:
        below = int(lowest.split(".")[1])
        if any(requires.contains(f"3.{minor}.99") for minor in range(below)):
            requires &= SpecifierSet(f">={lowest}")
    return python_spec(requires, minor_of(wheel.name))


def _planned(
    wheel: InspectedWheel,
    subdir: str,
    members: tuple[str, ...],
    minors: Mapping[str, str],
    *,
    depends: set[str],
    launcher: str | None = None,
) -> PlannedPackage:
    conversion = Conversion(
        wheel=wheel.name.file_name,
        sha256=wheel.sha256,
        subdir=subdir,
        minor=minors[members[0]],
        depends=tuple(sorted(depends)),
        launcher=launcher,
        patches=wheel.patches,
    )
    return PlannedPackage(wheel=wheel, conversion=conversion, platforms=members)

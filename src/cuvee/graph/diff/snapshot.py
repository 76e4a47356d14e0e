"""One side of a comparison: its packages, what is requested, and how much of it is known."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cuvee.conda.package_record import LockedPackage
from cuvee.errors import SourceUnreachableError, UsageError
from cuvee.files import storage_errors
from cuvee.graph.diff.version_order import UNKNOWN_VERSION, parse
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.model import Requirement

UNKNOWN = ""
"""The platform of a list of packages that does not state one."""

_NAME = re.compile(r"[a-z0-9_][a-z0-9_.\-]*( \(pypi\))?")
_BUILD = re.compile(r"[A-Za-z0-9_.+]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A distribution or environment at one time, read from a file or folder.

    Attributes
    ----------
    title
        Its name in messages.
    kind
        What it was read from, such as ``conda-lock.yml``; dependencies are compared within a kind only, since
        each writes them in its own way.
    lock
        The exact packages; `None` where only requirements are stated.
    requirements
        What is requested; `None` where that is not stated.
    requested
        The names that are requested; `None` where that is not stated.
    knows
        The metadata that the packages have.
    settings
        All other values, by dotted path, as text.
    modified
        By package, what is not as its record states: files that were changed or are missing.
    patched
        By package, what its patches fix, where that is stated.
    notes
        Sentences on what it states and could not be read as a package, or was not looked at.
    """

    title: str
    kind: str
    lock: Lock | None = None
    requirements: tuple[Requirement, ...] | None = None
    requested: frozenset[str] | None = None
    knows: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    modified: Mapping[str, str] = field(default_factory=dict)
    patched: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def unreadable(path: Path, line: int | None, what: str, *, hint: str | None = None) -> SourceUnreachableError:
    """Return the error for an input that cannot be read; lines count from 1."""
    where = f"{path}:{line}" if line is not None else str(path)
    return SourceUnreachableError(f"{where}: {what}", hint=hint)


def read_bytes(path: Path, most: int) -> bytes:
    """Return the content of a file, or raise `SourceUnreachableError` if it has more than ``most`` bytes."""
    with storage_errors(path):
        if path.stat().st_size > most:
            raise unreadable(path, None, f"it has more than {most:,} bytes")
        return path.read_bytes()


def package(path: Path, line: int | None, *, name: str, version: str, build: str = "", platform: str,
            **known: object) -> LockedPackage:  # fmt: skip
    """Return a record of what a file of another tool states, checked.

    Raises
    ------
    SourceUnreachableError
        If its name, version or build is not a valid one.
    """
    name = name.lower()
    if not _NAME.fullmatch(name):
        raise unreadable(path, line, f"{name[:80]!r} is not a package name")
    if not _BUILD.fullmatch(build):
        raise unreadable(path, line, f"{name}: {build[:80]!r} is not a build string")
    try:
        if version != UNKNOWN_VERSION:
            parse(version)
    except SourceUnreachableError:
        raise unreadable(path, line, f"{name}: {version[:80]!r} is not a version") from None
    made = LockedPackage(
        name=name, version=version, build=build, build_number=0, platform=platform, subdir="", url="",
        channel="", sha256="",
    )  # fmt: skip
    return replace(made, **known)  # type: ignore[arg-type] # each reader gives the fields' types


def of_index(name: str) -> str:
    """Return the name under which a project of the Python index is compared; no conda package has one.

    Names are normalized as https://packaging.python.org/en/latest/specifications/name-normalization/ says.
    """
    from packaging.utils import canonicalize_name

    return f"{canonicalize_name(name)} (pypi)"


def lock_of(path: Path, packages: list[LockedPackage]) -> Lock:
    """Return a lock of records, per platform and sorted by name.

    Raises
    ------
    SourceUnreachableError
        If a platform has one name twice.
    """
    by_platform: dict[str, dict[str, LockedPackage]] = {}
    for item in packages:
        names = by_platform.setdefault(item.platform, {})
        other = names.setdefault(item.name, item)
        if other is not item:
            at = f" on {item.platform}" if item.platform else ""
            raise unreadable(path, None, f"{item.name} is listed twice{at}: {other.stem} and {item.stem}")
    return Lock(
        platforms=tuple(
            PlatformLock(
                platform=platform,
                packages=tuple(names[name] for name in sorted(names)),
                virtual_packages=(),
            )
            for platform, names in sorted(by_platform.items())
        )
    )


def platform_of(subdirs: set[str]) -> str:
    """Return the platform of a list for one platform, from the subdirs of its packages."""
    found = subdirs - {"noarch", ""}
    return found.pop() if len(found) == 1 else UNKNOWN


def on_platform(snapshot: Snapshot, platform: str | None, other: Snapshot) -> Snapshot:
    """Return a list that names no platform as one of ``platform``, or of the other side's only platform.

    Raises
    ------
    UsageError
        If the other side has several.
    """
    lock = snapshot.lock
    if lock is None or UNKNOWN not in lock.by_platform:
        return snapshot
    names = {name for name in (other.lock.by_platform if other.lock else ()) if name != UNKNOWN}
    if platform is None and len(names) > 1:
        raise UsageError(
            f"{snapshot.title} does not name its platform, and {other.title} has {', '.join(sorted(names))}",
            hint="Name it with --platform.",
        )
    name = platform or (names.pop() if names else UNKNOWN)
    moved = tuple(
        replace(part, platform=name, packages=tuple(replace(item, platform=name) for item in part.packages))
        for part in lock.platforms
    )
    return replace(snapshot, lock=Lock(platforms=moved))

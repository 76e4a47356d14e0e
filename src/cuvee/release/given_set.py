"""Sets that were not cut here: locks of other tools and installed environments, as graphs to ask."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cuvee import platforms
from cuvee.conda.match_spec import read_spec
from cuvee.conda.virtual_packages import virtual_packages
from cuvee.errors import UsageError
from cuvee.graph.checks.all_checks import ALL_CHECKS, ARCHIVE_CHECKS, SOURCE_CHECKS
from cuvee.graph.checks.check_interface import CheckOutcome
from cuvee.graph.checks.check_runs import run_checks
from cuvee.graph.diff.readers.any_input import read_snapshot
from cuvee.graph.diff.readers.input_kinds import InputKind, kind_of
from cuvee.graph.diff.snapshot import UNKNOWN, Snapshot
from cuvee.graph.diff.version_order import UNKNOWN_VERSION
from cuvee.graph.release_graph import ReleaseGraph, build_graph
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.model import Installers, Manifest, PlatformEntry, Position, ReleaseVersion, Requirement

_OF_MANIFESTS = frozenset(
    {"constraints", "licenses", "owners", "origin", "age", "changes", "absent-platform", *SOURCE_CHECKS}
)
"""Checks that hold a set against its manifest, or against its channels of today."""

_NEEDS = {
    "constrains": "constrains",
    "unknown-licenses": "license",
    "track-features": "track_features",
    "mutexes": "constrains",
}
"""The metadata that some checks need."""

_STATED = {"depends": "what its packages depend on", "constrains": "what its packages constrain"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _NoManifest(Manifest):
    """What stands for the manifest of a set that has none; its name is the path that was given."""

    name: str

    @property
    def release_name(self) -> str:
        """The path."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenSet:
    """The conda packages of a lock or of an installed environment.

    Attributes
    ----------
    notes
        Sentences on what was assumed and on what was left out.
    not_checked
        The checks that cannot be run on it.
    """

    kind: InputKind
    graph: ReleaseGraph
    notes: tuple[str, ...]
    not_checked: frozenset[str]

    @property
    def lock(self) -> Lock:
        """The packages, per platform."""
        return self.graph.lock

    def check(self, left_out: Collection[str] = ()) -> tuple[CheckOutcome, ...]:
        """Run the checks that need no more than the records."""
        return run_checks(self.graph, ALL_CHECKS, left_out={*left_out, *self.not_checked})


def read_given_set(
    path: Path,
    *,
    today: dt.date,
    environment: str | None = None,
    only: Sequence[str] = (),
    needs: tuple[str, ...] = ("depends",),
) -> GivenSet:
    """Read a lock of any tool, or an installed environment.

    Parameters
    ----------
    environment
        Which environment of a `pixi.lock`.
    only
        The platforms to read; none means all.
    needs
        The metadata without which the question cannot be answered.

    Raises
    ------
    UsageError
        If it does not state exact packages or their metadata, or is not for one of the platforms.
    SourceUnreachableError
        If it cannot be read.
    """
    kind = kind_of(path)
    if kind in {InputKind.MANIFEST, InputKind.ENVIRONMENT, InputKind.EXPLICIT, InputKind.LISTING}:
        raise _cannot_tell(path, kind, _STATED["depends"])
    snapshot = read_snapshot(path, today=today, environment=environment)
    if snapshot.lock is None:
        raise _cannot_tell(path, kind, "exact packages")
    for name in needs:
        if name not in snapshot.knows:
            raise _cannot_tell(path, kind, _STATED[name])
    notes = list(snapshot.notes)
    parts = tuple(_parts(path, snapshot.lock, only, notes))
    lock = Lock(platforms=parts)
    manifest = _stand_in(path, snapshot, lock)
    not_checked = {*_OF_MANIFESTS, *(item.identifier for item in ARCHIVE_CHECKS)}
    not_checked |= {check for check, field in _NEEDS.items() if field not in snapshot.knows}
    if "constrains" not in snapshot.knows:
        notes.append(f"{kind.value} does not state {_STATED['constrains']}: contradictions are not seen")
    return GivenSet(
        kind=kind,
        graph=build_graph(manifest, lock),
        notes=tuple(notes),
        not_checked=frozenset(not_checked),
    )


def _cannot_tell(path: Path, kind: InputKind, what: str) -> UsageError:
    return UsageError(
        f"{path} is {kind.value}, which does not state {what}",
        hint="Name a manifest, a release folder, a pixi.lock, a conda-lock.yml or an installed environment.",
    )


def _parts(path: Path, lock: Lock, only: Sequence[str], notes: list[str]) -> Iterator[PlatformLock]:
    """Yield the parts of known platforms, without projects of the Python index, with virtual packages."""
    names = [only[0] if name == UNKNOWN and len(only) == 1 else name for name in lock.by_platform]
    missing = [name for name in only if name not in names]
    if missing or UNKNOWN in names:
        known = ", ".join(filter(None, names)) or "a platform that it does not name"
        hint = f"It is for {known}." if missing else "Name its platform with --platform."
        raise UsageError(f"{path} is not for {', '.join(missing) or 'a known platform'}", hint=hint)
    for name, part in zip(names, lock.platforms, strict=True):
        if only and name not in only:
            continue
        if name not in platforms.PLATFORMS:
            notes.append(f"{name} is left out: cuvee knows {', '.join(platforms.PLATFORMS)}")
            continue
        conda = [replace(item, platform=name) for item in part.packages if item.channel != "pypi"]
        if len(conda) < len(part.packages):
            count = len(part.packages) - len(conda)
            notes.append(f"{name}: {count} projects of the Python index are left out: no record states them")
        built = tuple(item for item in conda if item.build and item.version != UNKNOWN_VERSION)
        notes += [
            f"{name}: {item.name} is left out: it is not built yet, and has no record"
            for item in conda
            if item not in built
        ]
        floor = platforms.DEFAULT_FLOOR[platforms.get(name).system]
        offered = part.virtual_packages or virtual_packages(name, floor)
        source = "those of the lock" if part.virtual_packages else "cuvee's defaults, since it states none"
        notes.append(f"{name}: the virtual packages are {source}: {', '.join(map(str, offered))}")
        yield PlatformLock(platform=name, packages=built, virtual_packages=offered)
    if not set(names) & set(platforms.PLATFORMS):
        raise UsageError(f"{path} is for no platform that cuvee knows", hint=f"It is for {', '.join(names)}.")


def _stand_in(path: Path, snapshot: Snapshot, lock: Lock) -> Manifest:
    channels = {item.channel for part in lock.platforms for item in part.packages if item.channel}
    return _NoManifest(
        name=snapshot.title,
        path=path,
        distribution=path.name,
        version=ReleaseVersion(1, 1, 0),
        title=snapshot.title,
        platforms=tuple(PlatformEntry(name=name, floor={}) for name in lock.by_platform),
        channels=tuple(sorted(channels)),
        packages=tuple(_requested(path, snapshot, lock)),
        installers=Installers(formats={}),
    )


def _requested(path: Path, snapshot: Snapshot, lock: Lock) -> Iterator[Requirement]:
    """Yield what is requested, if that is stated, else what no package of the set depends on."""
    where: dict[str, list[str]] = {}
    for part in lock.platforms:
        needed = {read_spec(text).name for package in part.packages for text in package.depends}
        for package in part.packages:
            is_root = package.name not in needed
            if package.name in snapshot.requested if snapshot.requested is not None else is_root:
                where.setdefault(package.name, []).append(part.platform)
    stated = snapshot.requested is not None
    for name, platform_names in sorted(where.items()):
        yield Requirement(
            name=name,
            platforms=tuple(platform_names),
            reason="it was requested" if stated else "nothing else in the set depends on it",
            position=Position(file=path, line=1, column=1),
        )

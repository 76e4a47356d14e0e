"""What the archives of added packages hold: files that others install, too, and what they state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cuvee.channel.archive_download import archive_path, fetch_archives
from cuvee.channel.inspection import inspect_archives
from cuvee.channel.inspection.inspection_cache import path_of
from cuvee.conda.package_record import LockedPackage
from cuvee.errors import CuveeError, SourceUnreachableError
from cuvee.graph.checks import run_checks
from cuvee.graph.checks.file_clashes import FileCaseCheck, FileClashesCheck
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import build_graph, with_contents
from cuvee.inclusion.model import PackageClaims, PlatformAddition
from cuvee.inclusion.package_claims import read_claims
from cuvee.lock.model import Lock
from cuvee.platforms import get
from cuvee.release.session import Session

_CHECKS = (FileClashesCheck(), FileCaseCheck())


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedFiles:
    """What archives say; ``not_opened`` has the packages whose archives could not be had, by platform."""

    shared_files: tuple[Finding, ...] = ()
    not_opened: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    claims: Mapping[str, PackageClaims] = field(default_factory=dict)


def added_files(
    session: Session, lock: Lock, additions: Sequence[PlatformAddition], *, name: str, open_all: bool
) -> AddedFiles:
    """Return what the archives of additions hold, and how their files go with those of members.

    Archives of additions and of the package ``name`` are fetched; those of members only if ``open_all``, and
    otherwise used if they are at hand.
    """
    names = {name} | {package.name for item in additions for package in item.packages}
    added = {
        package.identifier for part in lock.platforms for package in part.packages if package.name in names
    }
    archives: dict[str, Path | CuveeError] = {}
    for part in lock.platforms:
        wanted = [item for item in part.packages if open_all or item.identifier in added]
        archives |= _fetch(session, wanted)
    members = [item for part in lock.platforms for item in part.packages if item.identifier not in archives]
    archives |= {item.identifier: path for item in members if (path := _at_hand(session, item)) is not None}
    opened = [
        item
        for part in lock.platforms
        for item in part.packages
        if isinstance(archives.get(item.identifier), Path)
        or path_of(session.workspace.cache, item.sha256).is_file()
    ]
    known = {item.identifier for item in opened}
    for item in opened:
        missing = SourceUnreachableError(f"the archive of {item.identifier} is not at hand")
        archives.setdefault(item.identifier, missing)
    facts = inspect_archives(
        opened, lambda _: archives, cache=session.workspace.cache, reporter=session.reporter
    )
    graph = with_contents(build_graph(session.manifest, lock, additions=session.additions), facts)
    found = [finding for outcome in run_checks(graph, _CHECKS) for finding in outcome.findings]
    return AddedFiles(
        shared_files=tuple(
            item for item in found if item.verdict > Verdict.INFO and names.intersection(item.packages)
        ),
        not_opened={
            part.platform: tuple(item.name for item in part.packages if item.identifier not in known)
            for part in lock.platforms
        },
        claims=_claims(lock, added, archives),
    )


def _fetch(session: Session, packages: Sequence[LockedPackage]) -> Mapping[str, Path | CuveeError]:
    return fetch_archives(
        packages,
        release=session.workspace.folder,
        cache=session.workspace.cache,
        connection=session.connection,
        reporter=session.reporter,
    )


def _at_hand(session: Session, package: LockedPackage) -> Path | None:
    try:
        path = archive_path(package, session.workspace.folder, session.workspace.cache)
    except CuveeError:
        return None
    return path if path.is_file() else None


def _claims(
    lock: Lock, added: set[str], archives: Mapping[str, Path | CuveeError]
) -> Mapping[str, PackageClaims]:
    found: dict[str, PackageClaims] = {}
    for part in lock.platforms:
        windows = get(part.platform).is_windows
        for package in part.packages:
            path = archives.get(package.identifier)
            if package.identifier in added and isinstance(path, Path):
                try:
                    found[package.identifier] = read_claims(path, windows=windows)
                except CuveeError:
                    continue
    return found

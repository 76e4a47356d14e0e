"""The trial: a set is locked without and with a package, in a folder that is removed afterwards."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.utils import canonicalize_name

from cuvee.channel.connection import package_names
from cuvee.channel.interpreter.index_download import upload_times
from cuvee.channel.wheels.index_comparison import INDEX
from cuvee.errors import BlockedError, CuveeError, NotLockedError, UsageError
from cuvee.graph.diff import ChangeKind, diff
from cuvee.inclusion.added_errata import errata_of
from cuvee.inclusion.added_files import added_files
from cuvee.inclusion.model import PlatformAddition, Submission, UpstreamReleases
from cuvee.inclusion.name_confusion import confusions
from cuvee.inclusion.upstream_releases import of_index, of_records
from cuvee.lock.available_records import available_records
from cuvee.lock.model import Lock
from cuvee.manifest.documents.schema_types import ParseError
from cuvee.manifest.documents.suggestions import nearest
from cuvee.manifest.model import Manifest, Requirement, WheelRequirement
from cuvee.manifest.value_parsers import package_name, version_range
from cuvee.release.pipeline import lock_release
from cuvee.release.recorded_release import recorded_release
from cuvee.release.session import Session
from cuvee.temporary_folders import temporary_folder

_REQUEST = re.compile(r"\s*(?P<name>[^\s=<>!~]+)\s*(?P<version>[=<>!~].*)?")
_NOT_FOUND = re.compile(r"was not found in the package registry", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """The package that is to come in, and from where."""

    requirement: Requirement
    from_index: bool
    is_member: bool


def submission_of(
    session: Session, request: str, *, owner: str | None = None, open_all: bool = False
) -> Submission:
    """Return what is known of a package that is to come into the set of a manifest; nothing is written.

    Parameters
    ----------
    request
        ``NAME``, or ``NAME`` with a version range: ``numpy=2.4``. It may be in the manifest already.
    owner
        Who will own it, a name of the manifest's `owners`; `None` takes the one that the manifest states.
    open_all
        Fetch the archives of the whole set, too, to compare files with all of them.

    Raises
    ------
    UsageError
        If neither channels nor the index have such a package, or there is no such owner.
    BlockedError
        If the set has no solution without the package.
    """
    manifest = session.manifest
    wanted = _wanted(session, request)
    _check_owner(manifest, owner)
    without = _without(manifest, wanted.requirement.name)
    with temporary_folder("inclusion") as scratch:
        before = _set_without(session, without, wanted, scratch / "before")
        unsolved: dict[str, str] = {}
        trial = _trial(session, _with(without, wanted), scratch / "after", before)
        after = _solved(session, trial, wanted, before, unsolved)
        additions = tuple(_additions(before, after, wanted.requirement.name))
        files = added_files(trial, after, additions, name=wanted.requirement.name, open_all=open_all)
        present = Lock(platforms=tuple(before.by_platform[item.platform] for item in after.platforms))
        new = {package.name for addition in additions for package in addition.packages}
        return Submission(
            manifest=without,
            name=wanted.requirement.name,
            wanted=wanted.requirement.spec,
            from_index=wanted.from_index,
            platforms=wanted.requirement.platforms,
            owner=owner or wanted.requirement.owner,
            unsolved=unsolved,
            before=before,
            after=after,
            additions=additions,
            changes=tuple(
                change
                for change in diff(present, after, requested_before=[item.name for item in without.packages])
                if not (change.kind is ChangeKind.ADDED and change.package in new)
            ),
            shared_files=files.shared_files,
            not_opened=files.not_opened,
            claims=files.claims,
            upstream=_upstream(session, wanted),
            errata=errata_of(manifest, [*(package for item in additions for package in item.packages)]),
            today=manifest.exclude_newer or session.options.now,
        )


def _wanted(session: Session, request: str) -> _Wanted:
    manifest = session.manifest
    found = _REQUEST.fullmatch(request)
    try:
        name = package_name(found["name"] if found else request.strip())
        version = version_range(_range(found["version"])) if found and found["version"] else ""
    except ParseError as error:
        raise UsageError(
            f"{request!r} is not NAME or NAME=VERSION: {error}", hint="For example: numpy, or numpy=2.5"
        ) from None
    position = manifest.sources.get("packages") or manifest.sources["distribution"]
    carried = package_names(manifest.channels, session.platforms, session.connection)
    stated = next((item for item in manifest.packages if item.name == name), None)
    from_index = name not in carried
    if from_index and stated is None:
        name = _index_name(manifest, name, carried)
    platforms = tuple(entry.name for entry in manifest.present_platforms)
    fresh = Requirement(name=name, platforms=platforms, position=position)
    requirement = stated or fresh
    return _Wanted(
        requirement=replace(requirement, version=version) if version else requirement,
        from_index=from_index,
        is_member=stated is not None,
    )


def _range(text: str) -> str:
    """Return a version range: ``=2.5`` stands for ``2.5`` and what begins with it, as in conda."""
    text = text.strip()
    return f"{text[1:]}.*" if re.fullmatch(r"=[\w.]+", text) else text


def _index_name(manifest: Manifest, name: str, carried: frozenset[str]) -> str:
    """Return the name of a project that no channel has; raise if the manifest takes none from the index."""
    alike = confusions(name, carried)
    likely = alike[0].member if alike else nearest(name, sorted(carried))
    hint = f"Did you mean {likely}?" if likely else "Check the spelling of the name."
    project = canonicalize_name(name)
    if any(canonicalize_name(other) == project for other in carried):
        raise UsageError(f"The channels of {manifest.path} have no package {name}", hint=hint)
    if manifest.interpreter is None and not manifest.wheels:
        raise UsageError(
            f"The channels of {manifest.path} have no {name}, and it takes nothing from the Python index",
            hint=hint,
        )
    return project


def _check_owner(manifest: Manifest, owner: str | None) -> None:
    known = [item.name for item in manifest.owners]
    if owner is not None and owner not in known:
        likely = nearest(owner, known)
        raise UsageError(
            f"{manifest.path} has no owner {owner!r}",
            hint=f"Did you mean {likely}?" if likely else "State the owner in `owners` first.",
        )


def _without(manifest: Manifest, name: str) -> Manifest:
    return replace(
        manifest,
        packages=tuple(item for item in manifest.packages if item.name != name),
        wheels=tuple(
            item for item in manifest.wheels if canonicalize_name(item.name) != canonicalize_name(name)
        ),
    )


def _with(manifest: Manifest, wanted: _Wanted) -> Manifest:
    item = wanted.requirement
    packages = tuple(sorted((*manifest.packages, item), key=lambda each: each.name))
    if not wanted.from_index:
        return replace(manifest, packages=packages)
    wheel = WheelRequirement(name=item.name, position=item.position)
    return replace(manifest, packages=packages, wheels=(*manifest.wheels, wheel))


def _trial(session: Session, manifest: Manifest, dist: Path, base: Lock | None) -> Session:
    """Return a session of a changed manifest, whose release folder is in ``dist`` and keeps versions."""
    options = replace(session.options, dist=dist, folder=None, keep_going=True, refresh=False, base=None)
    trial = Session(manifest, options, session.reporter)
    trial.base_lock = base if base is not None else session.base_lock
    trial.connection = session.connection
    return trial


def _set_without(session: Session, without: Manifest, wanted: _Wanted, dist: Path) -> Lock:
    """Return the lock of the set without the package: the release's own, or what is solved now."""
    recorded: Lock | None = None
    try:
        recorded = recorded_release(session).lock
    except NotLockedError:
        session.reporter.say(f"{session.manifest.release_name} is not locked, so its set is solved now")
    if recorded is not None and not wanted.is_member:
        return recorded
    return lock_release(_trial(session, without, dist, recorded)).lock


def _solved(
    session: Session, trial: Session, wanted: _Wanted, before: Lock, unsolved: dict[str, str]
) -> Lock:
    """Return the lock with the package, of the platforms that have one; the others go to ``unsolved``."""
    name = wanted.requirement.name
    try:
        after = lock_release(trial).lock
    except BlockedError as error:
        if wanted.from_index and _is_not_found(error, name):
            known = sorted({package.name for part in before.platforms for package in part.packages})
            alike = confusions(name, known)
            likely = alike[0].member if alike else nearest(name, known)
            raise UsageError(
                f"Neither a channel of {session.manifest.path} nor the Python index has {name}",
                hint=f"Did you mean {likely}?" if likely else "Check the spelling of the name.",
            ) from None
        unsolved |= dict.fromkeys(error.platforms or before.by_platform, _message(error))
        after = Lock(platforms=())
    for item in trial.unsolved:
        unsolved |= dict.fromkeys(item.platforms, f"{item.message}\n{item.hint}".strip())
    return Lock(platforms=tuple(item for item in after.platforms if item.platform in before.by_platform))


def _is_not_found(error: BlockedError, name: str) -> bool:
    text = " ".join(error.message.split())
    found = _NOT_FOUND.search(text)
    return found is not None and canonicalize_name(name) in canonicalize_name(text[: found.start()][-200:])


def _message(error: CuveeError) -> str:
    return f"{error.message}\n{error.hint or ''}".strip()


def _additions(before: Lock, after: Lock, name: str) -> Iterator[PlatformAddition]:
    for part in after.platforms:
        had = before.by_platform[part.platform].by_name
        new = tuple(package for package in part.packages if package.name not in had)
        first = tuple(package for package in new if package.name == name)
        yield PlatformAddition(
            platform=part.platform, packages=(*first, *(item for item in new if item.name != name))
        )


def _upstream(session: Session, wanted: _Wanted) -> UpstreamReleases:
    name = wanted.requirement.name
    try:
        if wanted.from_index:
            return of_index(upload_times(os.environ, canonicalize_name(name), session.reporter), INDEX)
        sources = session.manifest.channels
        found = available_records(sources, session.platforms, [name], session.connection)
    except CuveeError as error:
        return UpstreamReleases(source=INDEX if wanted.from_index else "the channels", problem=error.message)
    records = [record for many in found.values() for record in many]
    return of_records(records, "the channels")

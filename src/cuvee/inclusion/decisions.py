"""What was decided in each release of a distribution: from its manifests, and the records of its releases."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cuvee.codec import encode
from cuvee.errors import CuveeError
from cuvee.graph.findings import Verdict
from cuvee.history.over_releases import latest_verdicts
from cuvee.manifest import load_manifest
from cuvee.manifest.folder_lookup import find_upwards, manifests_in
from cuvee.manifest.model import Manifest, Owner, Waiver
from cuvee.release.approving import quorum_lines
from cuvee.release.base_lock import REPORTS
from cuvee.release.record import Release, with_quorums
from cuvee.release.record_parts import RECORD

_NEVER = dt.date(1, 1, 1)
"""A day on which no waiver has expired: those of old releases were in force when these were cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A package that has another owner than in the release before; `None` stands for none."""

    package: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavingPackage:
    """A package that was deprecated, with the sentence that users are told."""

    package: str
    reason: str
    instead: str = ""
    removed_in: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDecisions:
    """What was decided in one release, compared with its base, or else with the release before.

    Attributes
    ----------
    compared_with
        That other release, or "".
    added, removed
        Requested packages.
    policy
        The parts of the policy that differ.
    verdict, made_at
        As the record of the release has them; `None` without one.
    changes
        How many packages of the closure changed, by kind; `None` if that is not recorded.
    findings
        How many findings were waived, by check.
    approvals
        Who has approved it, who is missing, and which approvals do not count, a line each, as on the day of
        the last approval.
    problem
        Why there is no record, or the manifest cannot be read.
    """

    release: str
    compared_with: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    deprecated: tuple[LeavingPackage, ...] = ()
    handovers: tuple[Handover, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    policy: tuple[str, ...] = ()
    verdict: Verdict | None = None
    made_at: dt.datetime | None = None
    changes: Mapping[str, int] | None = None
    findings: Mapping[str, int] = field(default_factory=dict)
    approvals: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """Who decides in a distribution, by which rules, and what was decided, the newest release first.

    Attributes
    ----------
    owned
        The requested packages of each owner.
    unowned
        Those without one.
    quorum
        `policy.approvals` as JSON values; `None` if the manifest states none.
    organisations
        Those of the owners.
    """

    manifest: Manifest
    owned: Mapping[str, tuple[str, ...]]
    unowned: tuple[str, ...]
    quorum: Any
    releases: tuple[ReleaseDecisions, ...]

    @property
    def owners(self) -> tuple[Owner, ...]:
        """The owners, in the manifest's order."""
        return self.manifest.owners

    @property
    def organisations(self) -> tuple[str, ...]:
        """The organisations that owners stand for."""
        return tuple(sorted({owner.organisation for owner in self.owners if owner.organisation}))


def governance_of(manifest: Manifest, *, dist: Path, history: Path | None = None) -> Governance:
    """Return who decides by a manifest, and what was decided up to its release.

    Releases are those whose manifests are beside it; their records are looked for in ``dist`` and in a
    folder ``reports`` above it, and their verdicts, without a record, in the file ``history``.
    """
    owned: dict[str, list[str]] = {owner.name: [] for owner in manifest.owners}
    for package in manifest.packages:
        if package.owner is not None:
            owned.setdefault(package.owner, []).append(package.name)
    known, unreadable = _manifests(manifest)
    verdicts = latest_verdicts(history, manifest.distribution) if history is not None else {}
    folders = tuple(filter(None, (dist, find_upwards(manifest.path.parent, REPORTS))))
    decided = [_with_record(decisions(one, _before(one, known)), folders, verdicts) for one in known]
    return Governance(
        manifest=manifest,
        owned={name: tuple(found) for name, found in owned.items()},
        unowned=tuple(package.name for package in manifest.packages if package.owner is None),
        quorum=encode(getattr(manifest.policy, "approvals", None)),
        releases=(*reversed(decided), *unreadable),
    )


def _manifests(manifest: Manifest) -> tuple[list[Manifest], list[ReleaseDecisions]]:
    """Return the manifests of the distribution up to this one, the oldest first, and those with problems."""
    known: list[Manifest] = []
    unreadable: list[ReleaseDecisions] = []
    for text in reversed(manifests_in(manifest.path.parent)):
        path = Path(text)
        if path.parent.resolve() != manifest.path.parent.resolve():
            continue
        try:
            found = load_manifest(path, today=_NEVER)
        except CuveeError as error:
            problem = error.message.splitlines()[0]
            unreadable.append(
                ReleaseDecisions(release=f"{manifest.distribution}-{path.stem}", problem=problem)
            )
            continue
        if found.version <= manifest.version:
            known.append(found)
    return known, unreadable


def _before(manifest: Manifest, known: Sequence[Manifest]) -> Manifest | None:
    if manifest.base is not None:
        return manifest.base
    earlier = [item for item in known if item.version < manifest.version]
    return max(earlier, key=lambda item: item.version, default=None)


def decisions(manifest: Manifest, before: Manifest | None) -> ReleaseDecisions:
    """Return what a manifest decides that the one before it had not."""
    now = {package.name: package for package in manifest.packages}
    was = {package.name: package for package in before.packages} if before is not None else {}
    deprecated = [
        LeavingPackage(
            package=name,
            reason=package.deprecated.reason,
            instead=package.deprecated.instead or "",
            removed_in=str(package.deprecated.removed_in or ""),
        )
        for name, package in now.items()
        if package.deprecated and (name not in was or was[name].deprecated != package.deprecated)
    ]
    stated = {_waiver_key(waiver) for waiver in before.waivers} if before is not None else set()
    return ReleaseDecisions(
        release=manifest.release_name,
        compared_with=before.release_name if before is not None else "",
        added=tuple(sorted(now.keys() - was.keys())),
        removed=tuple(sorted(was.keys() - now.keys())),
        deprecated=tuple(deprecated),
        handovers=tuple(
            Handover(package=name, before=was[name].owner, after=now[name].owner)
            for name in sorted(now.keys() & was.keys())
            if was[name].owner != now[name].owner
        ),
        waivers=tuple(waiver for waiver in manifest.waivers if _waiver_key(waiver) not in stated),
        policy=tuple(_policy_changes(manifest, before)),
    )


def _waiver_key(waiver: Waiver) -> tuple[object, ...]:
    return (
        waiver.check,
        waiver.package,
        waiver.platform,
        waiver.reason,
        waiver.author,
        waiver.expires,
        waiver.link,
    )


def _policy_changes(manifest: Manifest, before: Manifest | None) -> Iterable[str]:
    """Yield the parts of the policy that a release changes; a first release states all of them."""
    if before is None:
        return
    now, was = (encode(item.policy) for item in (manifest, before))
    if isinstance(now, dict) and isinstance(was, dict):
        yield from (name for name in sorted(now.keys() | was.keys()) if now.get(name) != was.get(name))


def _as_decided(release: Release) -> Release:
    """Return a release judged on the day of its last approval: keys that have expired since then counted."""
    days = [
        item.time.date()
        for quorum in release.quorums
        for item in quorum.judged
        if item.approver is not None and item.time is not None
    ]
    return with_quorums(release, max(days)) if days else release


def _with_record(
    found: ReleaseDecisions, folders: Iterable[Path], verdicts: Mapping[str, tuple[Verdict, dt.datetime]]
) -> ReleaseDecisions:
    for folder in folders:
        path = folder / found.release
        if not (path / RECORD).is_file():
            continue
        try:
            release = _as_decided(Release.open(path))
        except CuveeError as error:
            return replace(found, problem=error.message.splitlines()[0])
        waived = Counter(item.check for item in release.findings if item.verdict is Verdict.WAIVED)
        changes = None if release.changes is None else Counter(item.kind.value for item in release.changes)
        return replace(
            found,
            verdict=release.verdict,
            made_at=release.made_at,
            changes=changes,
            findings=waived,
            approvals=tuple(quorum_lines(release)),
        )
    if found.release in verdicts:
        verdict, made_at = verdicts[found.release]
        return replace(found, verdict=verdict, made_at=made_at)
    return replace(found, problem="There is no record of it")

"""The check that a release changes its base no more than its version number allows."""

import enum
from collections.abc import Iterable, Iterator
from dataclasses import replace

from cuvee.graph.checks.check_interface import Check, NotApplicable
from cuvee.graph.diff import Change, ChangeKind, Level, diff, with_reasons
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.lock.model import Lock
from cuvee.manifest.model import Manifest

_SHOWN = 3


class ReleaseLevel(enum.Enum):
    """The first part of the version number that differs from the base's."""

    PATCH = "patch"
    MONTH = "month"
    YEAR = "year"


EVERYTHING = frozenset({"upgrade", "rebuild", "add", "remove", "downgrade", "major"})
"""The kinds of change that `policy.patch.allow` names; a change of metadata counts as a rebuild."""

REQUESTED_RULES = {ReleaseLevel.MONTH: EVERYTHING - {"remove", "downgrade"}, ReleaseLevel.YEAR: EVERYTHING}
"""What a release may do to requested packages; for a patch the manifest says."""


class ChangesCheck(Check):
    """The release changes no more of its base than its version number allows."""

    identifier = "changes"
    family = "release"
    prerequisites = ("duplicates", "metadata")

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        manifest, base = release.manifest, release.manifest.base
        if base is None:
            return
        if release.base is None:
            raise NotApplicable(
                f"the lock of {base.release_name} was not found, neither beside this release nor in reports/",
                action=f"Name it with `--base PATH`, or make it: `cuvee lock {base.path}`.",
            )
        level, changes = level_of(manifest, base), _changes(release, base)
        yield from self._platforms(release, level)
        came_or_went = {change.package for change in changes if change.before is None or change.after is None}
        yield from self._requested_set(manifest, base, level, came_or_went)
        for change in changes:
            allowed = _allowed(manifest, level, is_requested=change.requested)
            refused = [kind for kind in kinds_of(change) if kind not in allowed]
            if refused:
                yield self._finding(release, change, level, refused)
        not_compared = _not_compared(release, base)
        if not_compared:
            raise NotApplicable(
                f"the lock of {base.release_name} has nothing for {' and '.join(not_compared)}",
                action=f"Name one that has, with `--base PATH`, or make it: `cuvee lock {base.path}`.",
                platforms=not_compared,
            )

    def _finding(
        self, release: ReleaseGraph, change: Change, level: ReleaseLevel, refused: list[str]
    ) -> Finding:
        versions = " to ".join(filter(None, (change.before, change.after)))
        how = f"{change.level.value} change" if change.level else change.kind.value
        part = "requested" if change.requested else "indirect"
        return replace(
            self._refused(level, refused[0], f"{_VERBS[refused[0]]}: {change.package} {versions}"),
            packages=(change.package,),
            victims=tuple(
                package.identifier for pair in change.per_platform if (package := pair.after or pair.before)
            ),
            platforms=change.platforms,
            evidence=(f"{how}, {part}", *(reason.sentence for reason in change.forced_by[:_SHOWN])),
        )

    def _refused(self, level: ReleaseLevel, kind: str, what: str) -> Finding:
        if level is ReleaseLevel.PATCH:
            verdict = Verdict.BLOCKED
            action = (
                "Keep the base's version, allow this kind of change in `policy.patch`, or record a waiver."
            )
        else:
            verdict, action = Verdict.NEEDS_APPROVAL, "Record a waiver, if it is intended."
        cause = f"A {level.value} release does not {what}"
        return Finding(check=self.identifier, verdict=verdict, kind=kind, cause=cause, action=action)

    def _requested_set(
        self, manifest: Manifest, base: Manifest, level: ReleaseLevel, came_or_went: set[str]
    ) -> Iterator[Finding]:
        """Yield changes of what is requested: a package may leave it and remain as a dependency.

        Those that ``came_or_went`` altogether are findings of their own.
        """
        was, now = ({item.name: item for item in side.packages} for side in (base, manifest))
        allowed = _allowed(manifest, level, is_requested=True)
        for word, names in (("remove", was.keys() - now.keys()), ("add", now.keys() - was.keys())):
            for name in sorted(names - came_or_went) if word not in allowed else ():
                package = now.get(name) or was[name]
                yield replace(
                    self._refused(level, word, f"{_VERBS[word]} requested packages: {name}"),
                    packages=(name,),
                    platforms=package.platforms,
                    owners=(package.owner,) if package.owner else (),
                    evidence=(f"stated at {package.position}",),
                )

    def _platforms(self, release: ReleaseGraph, level: ReleaseLevel) -> Iterator[Finding]:
        had = release.base.by_platform if release.base is not None else {}
        allowed = _allowed(release.manifest, level, is_requested=True)
        by_choice = {absent.platform for absent in release.absent if absent.by_choice}
        for platform in sorted(had.keys() - release.lock.by_platform.keys() - by_choice):
            if "remove" not in allowed:
                refused = self._refused(level, "remove", f"leave out a platform: {platform}")
                yield replace(refused, platforms=(platform,))


_VERBS = {
    "upgrade": "upgrade",
    "rebuild": "rebuild or change the metadata of",
    "add": "add",
    "remove": "remove",
    "downgrade": "downgrade",
    "major": "raise a major version",
}


def level_of(manifest: Manifest, base: Manifest) -> ReleaseLevel:
    """Return the first part of the version number that differs from the base's."""
    if manifest.version.year != base.version.year:
        return ReleaseLevel.YEAR
    return ReleaseLevel.PATCH if manifest.version.month == base.version.month else ReleaseLevel.MONTH


def kinds_of(change: Change) -> tuple[str, ...]:
    """Return the kinds of `policy.patch.allow` that a change has, the worst first; all must be allowed."""
    kind = {
        ChangeKind.ADDED: "add",
        ChangeKind.REMOVED: "remove",
        ChangeKind.DOWNGRADED: "downgrade",
        ChangeKind.UPGRADED: "upgrade",
        ChangeKind.REBUILT: "rebuild",
        ChangeKind.METADATA: "rebuild",
    }[change.kind]
    is_major = change.kind is ChangeKind.UPGRADED and change.level is Level.MAJOR
    return ("major", kind) if is_major else (kind,)


def _changes(release: ReleaseGraph, base: Manifest) -> tuple[Change, ...]:
    """Return the changes on the platforms that both releases have."""
    before = release.base or Lock(platforms=())
    found = diff(
        before,
        release.lock,
        requested_before=[package.name for package in base.packages],
        requested_after=[package.name for package in release.manifest.packages],
    )
    both = before.by_platform.keys() & release.lock.by_platform.keys()
    shared = [change for change in found if set(change.platforms) & both]
    return with_reasons(
        shared,
        before,
        release.lock,
        requirements_before=base.packages,
        requirements_after=release.manifest.packages,
    )


def _not_compared(release: ReleaseGraph, base: Manifest) -> tuple[str, ...]:
    """Return the platforms that both manifests want and that the base's lock lacks."""
    wanted = {entry.name for entry in base.present_platforms}
    had = release.base.by_platform if release.base is not None else {}
    return tuple(name for name in release.lock.by_platform if name in wanted and name not in had)


def _allowed(manifest: Manifest, level: ReleaseLevel, *, is_requested: bool) -> frozenset[str]:
    if level is ReleaseLevel.PATCH:
        return frozenset(manifest.policy.patch)
    return REQUESTED_RULES[level] if is_requested else EVERYTHING

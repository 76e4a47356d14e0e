"""The checks that packages leave the set, and change hands, in steps that people can follow."""

from collections.abc import Iterable, Iterator

from cuvee.graph.checks.check_interface import STRICTER_WITH_SUPPORT, Check
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.manifest.model import Manifest, Requirement


class RemovalsCheck(Check):
    """Every package that leaves the set was deprecated in the base, which said when."""

    identifier = "removals"
    family = "release"
    severity = STRICTER_WITH_SUPPORT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        manifest = release.manifest
        if manifest.base is not None:
            yield from self._removed(release, manifest.base)
        for package in manifest.packages:
            if package.deprecated is not None:
                yield self._deprecated(manifest, package)

    def _removed(self, release: ReleaseGraph, base: Manifest) -> Iterator[Finding]:
        manifest = release.manifest
        left = {package.name for package in manifest.packages}
        locked = {package.name for package in release.packages()}
        for package in base.packages:
            if package.name in left:
                continue
            stays = ("it stays in the release, as a dependency",) if package.name in locked else ()
            gone = package.deprecated
            if gone is None:
                yield _finding(
                    self,
                    package,
                    Verdict.BLOCKED,
                    kind="not-deprecated",
                    cause=f"{package.name} leaves the set, and {base.release_name} did not say so",
                    evidence=(f"{base.release_name} requests it ({package.position})", *stays),
                    action=f"Keep it, state `deprecated` for it in {manifest.version}, and remove it in a "
                    "later release; or record a waiver.",
                )
            elif gone.removed_in is not None and manifest.version < gone.removed_in:
                yield _finding(
                    self,
                    package,
                    Verdict.BLOCKED,
                    kind="too-early",
                    cause=f"{package.name} leaves the set before {gone.removed_in}, which "
                    f"{base.release_name} has promised",
                    evidence=(f"deprecated: {gone.reason}", *stays),
                    action=f"Keep it until {gone.removed_in}, or record a waiver.",
                )

    def _deprecated(self, manifest: Manifest, package: Requirement) -> Finding:
        gone = package.deprecated
        if gone is None:
            raise LookupError(package.name)
        is_overdue = gone.removed_in is not None and gone.removed_in <= manifest.version
        instead = f"Use {gone.instead} instead." if gone.instead else "It names no package to use instead."
        when = f"in {gone.removed_in}" if gone.removed_in else "in a later release"
        if is_overdue:
            cause = f"{package.name} was to leave the set in {gone.removed_in}, and is still in it"
            action = "Remove it, or state a later `removed-in`."
        else:
            cause, action = f"{package.name} is deprecated, and leaves the set {when}", instead
        return _finding(
            self,
            package,
            Verdict.WARNING if is_overdue else Verdict.INFO,
            kind="overdue" if is_overdue else "deprecated",
            cause=cause,
            evidence=(f"reason: {gone.reason}",),
            action=action,
        )


class HandoversCheck(Check):
    """Every package that changes hands has an owner who has agreed, and none is given up in silence."""

    identifier = "handovers"
    family = "policy"
    severity = STRICTER_WITH_SUPPORT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        manifest, base = release.manifest, release.manifest.base
        if base is None:
            return
        before = {package.name: package for package in base.packages}
        accepts = {owner.name: owner.accepts for owner in manifest.owners}
        is_asked_of_new = any(accepts.values())
        for package in manifest.packages:
            was = before[package.name].owner if package.name in before else None
            if package.owner is None:
                if was is not None:
                    yield self._given_up(manifest, package, was)
            elif package.owner != was and (was is not None or is_asked_of_new):
                yield self._taken(package, was, has_agreed=package.name in accepts.get(package.owner, ()))

    def _given_up(self, manifest: Manifest, package: Requirement, was: str) -> Finding:
        leaves = package.deprecated is not None
        others = [owner.name for owner in manifest.owners if owner.name != was]
        named = f", such as {others[0]}" if others else ""
        return _finding(
            self,
            package,
            Verdict.INFO if leaves else Verdict.BLOCKED,
            kind="given-up",
            cause=f"{was} has given up {package.name}, and it has no other owner",
            evidence=("it is deprecated",) if leaves else (),
            action="No action is needed, since it leaves the set."
            if leaves
            else f"Find another owner{named}, or state `deprecated` for it.",
        )

    def _taken(self, package: Requirement, was: str | None, *, has_agreed: bool) -> Finding:
        how = f"from {was} to {package.owner}" if was else f"to {package.owner}, as a new package"
        return _finding(
            self,
            package,
            Verdict.INFO if has_agreed else Verdict.BLOCKED,
            kind="handed-over" if has_agreed else "not-agreed",
            cause=f"{package.name} goes {how}" + ("" if has_agreed else ", who has not agreed"),
            action="No action is needed."
            if has_agreed
            else f"Let {package.owner} add the package with today's date to its `accepts`.",
        )


def _finding(
    check: Check,
    package: Requirement,
    verdict: Verdict,
    *,
    kind: str,
    cause: str,
    action: str,
    evidence: tuple[str, ...] = (),
) -> Finding:
    return Finding(
        check=check.identifier,
        verdict=verdict,
        kind=kind,
        cause=cause,
        packages=(package.name,),
        platforms=package.platforms,
        evidence=evidence,
        action=action,
    )

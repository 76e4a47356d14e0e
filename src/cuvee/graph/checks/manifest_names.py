"""Checks of the names in a manifest that only a finished set can judge: constraints, wheels and waivers."""

from collections.abc import Iterable, Iterator

from packaging.utils import canonicalize_name

from cuvee.graph.checks.check_interface import ADVICE, Check, Status
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.manifest.documents.suggestions import nearest
from cuvee.manifest.model import Requirement, Waiver, WheelRequirement

ENDS_SOON = 14
"""Days before its last day from which on a waiver is shown."""


class ReferencesCheck(Check):
    """Every package that `constraints` and `wheels` name is in the release."""

    identifier = "references"
    family = "policy"
    severity = ADVICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        if not is_whole(release):
            return
        names = {canonicalize_name(package.name): package.name for package in release.packages()}
        named: list[tuple[str, Requirement | WheelRequirement]] = [
            *(("constraints", item) for item in release.manifest.constraints),
            *(("wheels", item) for item in release.manifest.wheels),
        ]
        asked = release.recipes.asked if release.recipes is not None else ()
        for name in asked:
            names.setdefault(canonicalize_name(name), name)
        for key, item in named:
            if canonicalize_name(item.name) not in names:
                likely = nearest(item.name, names.values())
                # A constraint may be for a package that a later release has, so only a near name is wrong.
                yield Finding(
                    check=self.identifier,
                    verdict=Verdict.WARNING if likely else Verdict.INFO,
                    kind=key,
                    cause=f"{key} names {item.name}, which is not in the release",
                    packages=(item.name,),
                    platforms=tuple(graph.platform for graph in release.platforms),
                    evidence=(f"stated at {item.position}",),
                    action=f"Did you mean {likely}?"
                    if likely
                    else "No action is needed if it is meant for later.",
                )


class WaiversCheck(Check):
    """Every waiver of a check accepts a finding, and none ends within 14 days."""

    identifier = "waivers"
    family = "policy"
    severity = ADVICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        for waiver in release.manifest.waivers:
            if release.today is not None:
                days = (waiver.expires - release.today.date()).days
                if days <= ENDS_SOON:
                    yield self._finding(
                        waiver,
                        f"The waiver of {_scope(waiver)} ends on {waiver.expires}",
                        "Fix what it accepts, or decide again and set a new date.",
                        "ends-soon",
                    )
            if is_whole(release):
                yield from self._unused(waiver, release)

    def _unused(self, waiver: Waiver, release: ReleaseGraph) -> Iterator[Finding]:
        """Yield that a waiver accepts nothing, if its check has been run before this one."""
        outcome = next((item for item in release.earlier if item.identifier == waiver.check), None)
        if outcome is None or outcome.status is Status.SKIPPED:
            return
        found = outcome.findings
        if any(waiver.covers(waiver.check, packages=f.packages, platforms=f.platforms) for f in found):
            return
        action = "Remove it, or correct what it names."
        if waiver.package is not None:
            known = dict.fromkeys(name for item in found for name in item.packages)
            known |= dict.fromkeys(package.name for package in release.packages())
            likely = nearest(waiver.package, known)
            action = f"Did you mean {likely}?" if likely not in {None, waiver.package} else action
        yield self._finding(waiver, f"The waiver of {_scope(waiver)} accepts nothing", action, "unused")

    def _finding(self, waiver: Waiver, cause: str, action: str, kind: str) -> Finding:
        return Finding(
            check=self.identifier,
            verdict=Verdict.WARNING,
            kind=kind,
            cause=cause,
            packages=(waiver.package,) if waiver.package else (),
            platforms=(waiver.platform,) if waiver.platform else (),
            evidence=(f"stated at {waiver.position}",),
            action=action,
        )


def is_whole(release: ReleaseGraph) -> bool:
    """Whether all platforms are in the graph: what is not used on one may be used on another."""
    made = {graph.platform for graph in release.platforms}
    return {entry.name for entry in release.manifest.present_platforms} <= made


def _scope(waiver: Waiver) -> str:
    package = f" for {waiver.package}" if waiver.package else ""
    return f"{waiver.check}{package}" + (f" on {waiver.platform}" if waiver.platform else "")

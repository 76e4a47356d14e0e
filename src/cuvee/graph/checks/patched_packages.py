"""The check of packages that a release carries with patches of its own."""

import datetime as dt
from collections.abc import Iterable, Iterator

from cuvee.channel.patches.patch_files import is_patched
from cuvee.conda.match_spec import read_version
from cuvee.conda.package_record import LockedPackage
from cuvee.graph.checks.check_interface import Check
from cuvee.graph.checks.manifest_names import ENDS_SOON, is_whole
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.manifest.model import PatchedPackage


class PatchedCheck(Check):
    """Every patched package is in the release with its patches, and still needs them."""

    identifier = "patched"
    family = "release"

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        for item in release.manifest.patched:
            locked = [package for package in release.packages() if package.name == item.name]
            yield from self._until(item, release.today)
            if not locked and is_whole(release):
                yield self._finding(
                    item,
                    "not-shipped",
                    Verdict.WARNING,
                    f"The patches of {item.name} fix what nothing ships: it is not in the release",
                    action="Remove the patched package, or correct its name.",
                )
            if locked:
                yield from self._locked(item, locked)
                yield from self._upstream(item, locked, release)

    def _until(self, item: PatchedPackage, today: dt.datetime | None) -> Iterator[Finding]:
        if today is None:
            return
        days = (item.until - today.date()).days
        action = "Take upstream's fix, or decide again and set a new date."
        if days < 0:
            cause = f"The patches of {item.name} were accepted until {item.until}"
            yield self._finding(item, "expired", Verdict.BLOCKED, cause, action=action)
        elif days <= ENDS_SOON:
            cause = f"The patches of {item.name} are accepted until {item.until}"
            yield self._finding(item, "ends-soon", Verdict.WARNING, cause, action=action)

    def _locked(self, item: PatchedPackage, locked: list[LockedPackage]) -> Iterator[Finding]:
        without = [one for one in locked if not (one.is_local and is_patched(one.build))]
        if without:
            yield self._finding(
                item,
                "not-patched",
                Verdict.BLOCKED,
                f"{item.name} is in the release without its patches",
                victims=without,
                evidence=[f"{one.stem} from {one.channel}" for one in without],
                action="Solve again with `--refresh`, or remove the patched package.",
            )

    def _upstream(
        self, item: PatchedPackage, locked: list[LockedPackage], release: ReleaseGraph
    ) -> Iterator[Finding]:
        if not item.upstream_fixed_in:
            return
        caught_up = [one for one in locked if _is_at_least(one.version, item.upstream_fixed_in)]
        if caught_up:
            yield self._finding(
                item,
                "caught-up",
                Verdict.WARNING,
                f"{item.name} {caught_up[0].version} has upstream's fix, and the release patches it",
                victims=caught_up,
                evidence=[f"upstream has it since {item.upstream_fixed_in}"],
                action="Remove the patched package.",
            )
            return
        platforms = {one.platform for one in locked}
        available = {
            record.version
            for (platform, name), records in release.available.items()
            if name == item.name and platform in platforms
            for record in records
            if _is_at_least(record.version, item.upstream_fixed_in)
        }
        if available:
            yield self._finding(
                item,
                "fix-available",
                Verdict.WARNING,
                f"Upstream's fix of {item.name} is available: {', '.join(sorted(available)[:3])}",
                victims=locked,
                evidence=[f"upstream has it since {item.upstream_fixed_in}"],
                action="Take that version, and remove the patched package.",
            )

    def _finding(
        self,
        item: PatchedPackage,
        kind: str,
        verdict: Verdict,
        cause: str,
        *,
        victims: Iterable[LockedPackage] = (),
        evidence: Iterable[str] = (),
        action: str,
    ) -> Finding:
        affected = tuple(victims)
        return Finding(
            check=self.identifier,
            verdict=verdict,
            kind=kind,
            cause=cause,
            packages=(item.name,),
            victims=tuple(one.identifier for one in affected),
            platforms=tuple(dict.fromkeys(one.platform for one in affected)),
            evidence=(*evidence, f"it fixes {', '.join(item.fixes)}", f"stated at {item.position}"),
            action=action,
        )


def _is_at_least(version: str, least: str) -> bool:
    found, wanted = read_version(version), read_version(least)
    return found is not None and wanted is not None and found >= wanted

"""The check that records can be read."""

from collections.abc import Iterable

from cuvee.conda.match_spec import read_spec
from cuvee.conda.package_record import LockedPackage
from cuvee.graph.checks.check_interface import Check
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.findings import Finding
from cuvee.graph.release_graph import ReleaseGraph, unreadable_because


class MetadataCheck(Check):
    """Every record can be read: its version, its platform, and each dependency."""

    identifier = "metadata"
    family = "metadata"

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Return versions that conda cannot read, records of other platforms, and invalid match specs."""
        causes = FindingCollector(self, release)
        for graph in release.platforms:
            for package in graph.lock.packages:
                self._record(causes, package)
                self._specs(causes, package)
        yield from causes.findings("Ask for the channel's metadata to be fixed, or take another build.")

    def _record(self, causes: FindingCollector, package: LockedPackage) -> None:
        why = unreadable_because(package)
        if why is not None:
            causes.add(
                f"{package.stem} cannot be read: {why}",
                victim=package,
                evidence=f"channel: {package.channel}",
                kind="unreadable-record",
            )
        if package.subdir not in {package.platform, "noarch"}:
            causes.add(
                f"{package.stem} is built for {package.subdir or 'no platform'}, "
                f"and is locked for {package.platform}",
                victim=package,
                evidence=f"from {package.url}",
                kind="another-platform",
            )

    def _specs(self, causes: FindingCollector, package: LockedPackage) -> None:
        for text in (*package.depends, *package.constrains):
            if not read_spec(text).name:
                causes.add(
                    f"{package.stem} states {_quoted(text)}, which is not a match spec of one name",
                    victim=package,
                    evidence=f"channel: {package.channel}",
                    kind="unreadable-spec",
                )


def _quoted(text: str) -> str:
    return repr(text) if len(text) <= 200 else f"{text[:200]!r}…"  # noqa: PLR2004 - enough to find it

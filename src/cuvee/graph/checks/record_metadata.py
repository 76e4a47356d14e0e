"""The check that records can be read."""

from collections.abc import Iterable

from cuvee.conda.match_spec import read_spec
from cuvee.graph.checks.check_interface import Check
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.findings import Finding
from cuvee.graph.release_graph import ReleaseGraph, unreadable_because

_SHOWN = 200
"""Characters of a match spec that suffice to find it."""


class MetadataCheck(Check):
    """Every record can be read: its version, its platform, and each dependency."""

    identifier = "metadata"
    family = "metadata"

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        causes = FindingCollector(self, release)
        for package in release.packages():
            channel = f"channel: {package.channel}"
            why = unreadable_because(package)
            if why is not None:
                cause = f"{package.stem} cannot be read: {why}"
                causes.add(cause, victim=package, evidence=channel, kind="unreadable-record")
            if package.subdir not in {package.platform, "noarch"}:
                causes.add(
                    f"{package.stem} is built for {package.subdir or 'no platform'}, "
                    f"and is locked for {package.platform}",
                    victim=package,
                    evidence=f"from {package.url}",
                    kind="another-platform",
                )
            for text in (*package.depends, *package.constrains):
                if not read_spec(text).name:
                    shown = repr(text[:_SHOWN]) + ("…" if len(text) > _SHOWN else "")
                    cause = f"{package.stem} states {shown}, which is not a match spec of one name"
                    causes.add(cause, victim=package, evidence=channel, kind="unreadable-spec")
        yield from causes.findings("Ask for the channel's metadata to be fixed, or take another build.")

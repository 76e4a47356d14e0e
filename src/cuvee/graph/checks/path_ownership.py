"""The check of paths that packages must not own."""

from collections.abc import Iterable

from cuvee.conda.reserved_paths import reserved_for
from cuvee.graph.checks.check_interface import Check, opened
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.findings import Finding
from cuvee.graph.release_graph import ReleaseGraph


class ReservedPathsCheck(Check):
    """No package has a path that only the installer, or only Python itself, may have."""

    identifier = "reserved-paths"
    family = "files"

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        causes = FindingCollector(self, release)
        distribution = release.manifest.distribution
        for _, contents in opened(release):
            for claim in contents.claims():
                owner = reserved_for(
                    claim.path, claim.package.name, distribution=distribution, platform=contents.platform
                )
                if owner is not None:
                    cause = f"{claim.package.name} has files where only {owner} may have some"
                    causes.add(cause, victim=claim.package, evidence=claim.path)
        yield from causes.findings(
            "Do not ship it: such files run in the installer, often as root. Leave the package out, or take "
            "another build."
        )

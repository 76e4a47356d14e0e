"""Checks of Python packages: what two packages install, and wheels that break their format."""

from collections.abc import Iterable

from cuvee.graph.checks.check_interface import NOTICE, Check, opened
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.prefix_contents import LinkedDistribution, PrefixContents
from cuvee.graph.release_graph import ReleaseGraph


class PythonDistributionsCheck(Check):
    """No two packages install the same Python distribution."""

    identifier = "python-distributions"
    family = "files"
    prerequisites = ("duplicates",)

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Return distributions that several packages install into one folder of modules.

        With different versions, which one is imported depends on the order of linking, and tools read the
        metadata of either.
        """
        causes = FindingCollector(self, release)
        for _, contents in opened(release):
            for found in _shared(contents):
                names = sorted({item.package.name for item in found})
                is_same = len({item.distribution.version for item in found}) == 1
                how = "in the same version" if is_same else "in different versions"
                distribution = found[0].distribution.name
                for item in found:
                    causes.add(
                        f"{' and '.join(names)} install the Python distribution {distribution}, {how}",
                        victim=item.package,
                        evidence=f"{item.package.stem}: {item.distribution.version} in {item.path}",
                        verdict=Verdict.WARNING if is_same else Verdict.BLOCKED,
                        kind="same-version" if is_same else "different-versions",
                    )
        yield from causes.findings(
            "Keep one of them. If one is imported from the Python index, take what needs it from the channel"
            " too, or ask for the other to be renamed."
        )


def _shared(contents: PrefixContents) -> Iterable[list[LinkedDistribution]]:
    found: dict[tuple[str, str], list[LinkedDistribution]] = {}
    for item in contents.distributions:
        folder = item.path[: item.path.rindex("site-packages/")]
        found.setdefault((folder, item.distribution.name), []).append(item)
    return [items for items in found.values() if len({item.package.name for item in items}) > 1]


class WheelFormatCheck(Check):
    """Every imported wheel keeps to the format of wheels."""

    identifier = "wheel-format"
    family = "metadata"
    severity = NOTICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        causes = FindingCollector(self, release)
        for graph, contents in opened(release):
            for package in graph.lock.packages:
                archive = contents.archives.get(package.name)
                for line in archive.irregularities if archive is not None else ():
                    cause = f"The wheel of {package.stem} breaks the format of wheels"
                    causes.add(cause, victim=package, evidence=line)
        yield from causes.findings(
            "No action is needed: pip and uv install it too, and its hash is the index's."
            " Tell the project's maintainers."
        )

"""Checks of mutex packages and track features, which select among builds."""

import re
from collections.abc import Iterable

from cuvee.graph.checks.check_interface import NOTICE, STRICTER_WITH_SUPPORT, Check
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.platforms import get

_MUTEXES = frozenset(
    {"_libgcc_mutex", "_openmp_mutex", "_r-mutex", "blas", "cuda-version", "libblas", "mpi", "python_abi"}
)
"""Packages whose build or version selects one of several mutually exclusive stacks; names of others end in
``mutex``. From https://conda-forge.org/docs/maintainer/knowledge_base/."""

_NO_VARIANT = re.compile(r"\d+|h[0-9a-f]{7}|(linux|osx|win)\w*")
"""Parts of build strings that are numbers, hashes or platforms."""


class MutexesCheck(Check):
    """Platforms of one operating system have the same variant of each mutex package."""

    identifier = "mutexes"
    family = "graph"
    prerequisites = ("duplicates",)
    severity = STRICTER_WITH_SUPPORT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        variants: dict[tuple[str, str], dict[str, list[str]]] = {}
        for package in release.packages():
            # Packages that exist to exclude other variants of themselves.
            if package.name in _MUTEXES or package.name.endswith(("-mutex", "_mutex")):
                chosen = f"{package.version} {variant(package.build)}".strip()
                by_variant = variants.setdefault((get(package.platform).system, package.name), {})
                by_variant.setdefault(chosen, []).append(package.platform)
        for (_, name), by_variant in sorted(variants.items()):
            if len(by_variant) > 1:
                yield Finding(
                    check=self.identifier,
                    verdict=Verdict.BLOCKED,
                    cause=f"{name} selects different variants: "
                    + ", ".join(f"{chosen} on {' and '.join(where)}" for chosen, where in by_variant.items()),
                    packages=(name,),
                    platforms=tuple(platform for where in by_variant.values() for platform in where),
                    evidence=tuple(
                        f"on {graph.platform} it is required by {', '.join(parents)}"
                        for graph in release.platforms
                        if (parents := graph.required_by(name))
                    ),
                    action="Pin the build, if one variant exists on every platform.",
                )


class TrackFeaturesCheck(Check):
    """No build has `track_features`, which are deprecated."""

    identifier = "track-features"
    family = "graph"
    severity = NOTICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Return records with ``track_features``; solvers prefer builds without them.

        See https://docs.conda.io/projects/conda-build/en/stable/resources/define-metadata.html#track-features.
        """
        causes = FindingCollector(self, release)
        for package in release.packages():
            if package.track_features:
                cause = f"{package.name} has the track features {', '.join(package.track_features)}"
                causes.add(cause, victim=package, evidence=f"{package.stem} from {package.channel}")
        yield from causes.findings(
            "Pin the build in the manifest; solvers prefer builds without track_features.",
        )


def variant(build: str) -> str:
    """Return the parts of a build string that name a variant, such as ``kmp_llvm`` of ``2_kmp_llvm``."""
    return "_".join(word for word in build.split("_") if not _NO_VARIANT.fullmatch(word))

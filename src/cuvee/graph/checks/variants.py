"""Which of several exclusive builds was chosen, and what weighs builds down."""

import re
from collections.abc import Iterable

from cuvee.graph.checks.check_protocol import NOTICE, STRICTER_WITH_SUPPORT
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.platforms import get

MUTEXES = frozenset(
    {"_libgcc_mutex", "_openmp_mutex", "_r-mutex", "blas", "cuda-version", "libblas", "mpi", "python_abi"}
)
"""Packages whose build or version selects one of several stacks that exclude each other; others of that
kind have names that end in ``mutex``. From conda-forge's documentation on variants and mutexes."""

_NO_VARIANT = re.compile(r"\d+|h[0-9a-f]{7}|(linux|osx|win)\w*")
"""Words of build strings that are numbers, hashes or platforms."""


class MutexesCheck:
    """Which of several stacks that exclude each other a platform has."""

    identifier = "mutexes"
    family = "graph"
    title = "Platforms of one system have the same variant of what exists in exclusive ones."
    prerequisites = ("duplicates",)
    severity = STRICTER_WITH_SUPPORT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find mutex packages whose variant differs between platforms of one operating system."""
        variants: dict[tuple[str, str], dict[str, list[str]]] = {}
        for graph in release.platforms:
            system = get(graph.platform).system
            for package in graph.lock.packages:
                if is_mutex(package.name):
                    chosen = f"{package.version} {variant(package.build)}".strip()
                    places = variants.setdefault((system, package.name), {})
                    places.setdefault(chosen, []).append(graph.platform)
        for (_, name), places in sorted(variants.items()):
            if len(places) > 1:
                yield Finding(
                    check=self.identifier,
                    verdict=Verdict.BLOCKED,
                    cause=f"{name} selects different variants: "
                    + ", ".join(f"{chosen} on {' and '.join(where)}" for chosen, where in places.items()),
                    packages=(name,),
                    platforms=tuple(place for where in places.values() for place in where),
                    owners=release.owners_of([name]),
                    evidence=tuple(
                        f"on {graph.platform} it is needed by {', '.join(askers)}"
                        for graph in release.platforms
                        if (askers := graph.required_by(name))
                    ),
                    action="Pin the build, if one variant is to be had on every platform.",
                )


class TrackFeaturesCheck:
    """What weighs builds down in a way that newer tools no longer know."""

    identifier = "track-features"
    family = "graph"
    title = "No build is weighed down by `track_features`, which is deprecated."
    prerequisites: tuple[str, ...] = ()
    severity = NOTICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find records with ``track_features``; solvers avoid such builds, and may choose others."""
        causes = FindingCollector(self, release)
        for graph in release.platforms:
            for package in graph.lock.packages:
                if package.track_features:
                    causes.add(
                        f"{package.name} is tracked by {', '.join(package.track_features)}",
                        victim=package,
                        evidence=f"{package.stem} from {package.channel}",
                    )
        yield from causes.findings(
            "Say in the manifest which build is meant; a solver avoids those with track_features.",
        )


def is_mutex(name: str) -> bool:
    """Whether a package exists to exclude other variants of its own."""
    return name in MUTEXES or name.endswith(("-mutex", "_mutex"))


def variant(build: str) -> str:
    """Give the words of a build string that name a variant: ``kmp_llvm`` of ``2_kmp_llvm``; may be empty."""
    return "_".join(word for word in build.split("_") if not _NO_VARIANT.fullmatch(word))
